import { X509Certificate } from 'node:crypto';
import { posix, resolve } from 'node:path';
import type { CheckItem } from '../checks/check.js';
import { VARIABLES, type VariableName, type VariableValue } from '../cluster/known-variables.js';
import { nodeAddress } from '../cluster/node-address.js';
import { InputError, RemoteError } from '../model/errors.js';
import { FORMER_MEMBERS } from '../model/former-groups.js';
import type { Host, Inventory } from '../model/inventory.js';
import type { Probe } from '../model/remote.js';
import type { AuthorityView } from '../pki/authority.js';
import { describeSubject } from '../pki/compare.js';
import { subjectOf } from '../pki/inspect.js';
import { clusterItems, memberItems } from './judge-cluster.js';
import { lookAtMember, type FoundMember, type KnownHost } from './look-at-member.js';
import { memberVariables, type FoundVariable } from './member-variables.js';
import { Obstacle } from './obstacle.js';
import { lookAtNewcomers, NOBODY } from './newcomers.js';
import { MANIFESTS } from './pick-pod.js';
import { settingsLeftBehind } from './stacked-settings.js';

/** What adopting looks at. It only looks: there is nothing here to act with. */
export interface AdoptContext {
  readonly inventory: Inventory;
  readonly probe: (host: string) => Probe;
  /** The authority in the store of this inventory. */
  readonly authority: AuthorityView;
  readonly now: Date;
}

/** What was found. Nothing may be written while an item fails. */
export interface FoundCluster {
  /** The group whose hosts were described. */
  readonly group: string;
  /** Where each host of a stacked etcd has the key of its authority; absent: it is none. */
  readonly stackedKey: string | undefined;
  readonly items: readonly CheckItem[];
  readonly variables: ReadonlyMap<string, readonly FoundVariable[]>;
  /** The cluster's authority, PEM; absent while it is not one. */
  readonly authorityPem: string | undefined;
}

/**
 * Looks at every host of the group `etcd` at once; where the inventory has members that are to leave, which must be stacked
 * ones, at those, and at the hosts that join them.
 * @throws InputError when there is no such group, or a variable that is needed for the look is wrong
 */
export async function lookAtCluster(context: AdoptContext): Promise<FoundCluster> {
  const { inventory, now } = context;
  const stacked = hostsOf(inventory, FORMER_MEMBERS).map(stackedHost);
  const known = stacked.length > 0 ? stacked : hostsOf(inventory, 'etcd').map(knownHost);
  if (known.length === 0)
    throw new InputError([
      {
        severity: 'error',
        at: { file: inventory.file, line: 1, column: 1 },
        subject: 'group etcd',
        message: 'has no hosts; expected those of all members',
      },
    ]);
  const looked = await Promise.all(known.map((host) => tryToLook(host, context.probe(host.host), now)));
  const members = looked.flatMap((each) => ('member' in each ? [each.member] : []));
  const balancer = balancerPlace(inventory);
  const addresses = new Map(known.map(({ host, address }) => [host, address]));
  const newcomers = stacked.length > 0 ? await lookAtNewcomers(context, members[0]) : NOBODY;
  return {
    ...(stacked.length > 0
      ? { group: FORMER_MEMBERS, stackedKey: `${posix.dirname(members[0]?.trustedCaFile ?? '')}/ca.key` }
      : { group: 'etcd', stackedKey: undefined }),
    items: [
      ...looked.flatMap((each) => ('item' in each ? [each.item] : memberItems(each.member, balancer, inventory.file))),
      ...clusterItems(members, members.length === known.length, newcomers.joined),
      ...newcomers.items,
      ...(stacked.length > 0 ? settingsLeftBehind(members, inventory) : []),
      ...storeItems(members, context),
    ],
    variables: new Map(members.map((member) => [member.host, memberVariables(member, addresses.get(member.host))])),
    authorityPem: members[0]?.authority.toString(),
  };
}

/** The PKI store of an inventory that need not describe its whole cluster yet. @returns an absolute directory */
export function storeDirectory(inventory: Inventory): string {
  const hosts = ['etcd', 'etcd_lb', 'kube_control_plane'].flatMap((group) => hostsOf(inventory, group));
  const set = hosts.map((host) => valueOf(host, 'etcd_pki_store')).find((value) => value !== undefined);
  return resolve(inventory.directory, set ?? VARIABLES.etcd_pki_store.fallback);
}

function hostsOf(inventory: Inventory, group: string): readonly Host[] {
  return (inventory.groups.get(group) ?? []).flatMap((name) => inventory.hosts.get(name) ?? []);
}

function knownHost(host: Host): KnownHost {
  const certificate = valueOf(host, 'etcd_client_cert_file');
  const key = valueOf(host, 'etcd_client_key_file');
  return {
    host: host.name,
    address: nodeAddress(host)?.address,
    unit: valueOf(host, 'etcd_unit')?.replace(/\.service$/, ''),
    clientUrl: valueOf(host, 'etcd_client_url'),
    client: certificate === undefined || key === undefined ? undefined : { certificate, key },
  };
}

/** @throws InputError when it is set to what it cannot be */
function valueOf<Name extends VariableName>(host: Host, name: Name): VariableValue<Name> | undefined {
  const value = host.variables.get(name);
  if (value === undefined || value === null) return undefined;
  const read = VARIABLES[name].schema.safeParse(value);
  if (read.success) return read.data as VariableValue<Name>;
  const message = `${JSON.stringify(value)}: ${read.error.issues.map((issue) => issue.message).join('; ')}`;
  throw new InputError([{ severity: 'error', at: host.variables.at(name), subject: name, message }]);
}

/** A member that is to leave: the kubelet runs it. */
function stackedHost(host: Host): KnownHost {
  const manifest = valueOf(host, 'etcd_manifest');
  return { ...knownHost(host), manifests: manifest === undefined ? MANIFESTS : posix.dirname(manifest) };
}

async function tryToLook(
  known: KnownHost,
  probe: Probe,
  now: Date,
): Promise<{ readonly member: FoundMember } | { readonly item: CheckItem }> {
  try {
    return { member: await lookAtMember(known, probe, now) };
  } catch (error) {
    if (error instanceof Obstacle) return { item: error.item(known.host) };
    if (!(error instanceof RemoteError)) throw error;
    const [evidence = ''] = error.message.split('\n');
    return { item: { check: 'host', host: known.host, verdict: 'fail', evidence, next: error.hint } };
  }
}

function balancerPlace(inventory: Inventory): { readonly hosts: readonly string[]; readonly port: number } {
  const dedicated = hostsOf(inventory, 'etcd_lb');
  const balancers = dedicated.length === 0 ? hostsOf(inventory, 'etcd') : dedicated;
  const port = balancers.map((host) => valueOf(host, 'etcd_lb_port')).find((value) => value !== undefined);
  return { hosts: balancers.map(({ name }) => name), port: port ?? VARIABLES.etcd_lb_port.fallback };
}

/** The store is for this cluster's authority, and no other. */
function storeItems(
  members: readonly FoundMember[],
  { authority: store, inventory }: AdoptContext,
): readonly CheckItem[] {
  const pem = store.certificate();
  const [first] = members;
  if (pem === undefined || first === undefined) return [];
  const kept = new X509Certificate(pem);
  if (kept.fingerprint256 !== first.authority.fingerprint256)
    return [
      {
        check: 'authority',
        verdict: 'fail',
        evidence: `the store holds ${nameOf(kept)}, which did not sign the server certificate of ${first.host}: that was ${nameOf(first.authority)}`,
        next: 'set etcd_pki_store to a directory for this cluster',
      },
    ];
  const host = inventory.hosts.get(first.host);
  const ownPath = `${(host && valueOf(host, 'etcd_pki_dir')) ?? VARIABLES.etcd_pki_dir.fallback}/server.crt`;
  const isOurs = store.isExternal?.() !== true && first.server.certificate === ownPath;
  if (!isOurs || (host && valueOf(host, 'etcd_managed')) === false) return [];
  return [
    {
      check: 'cluster',
      verdict: 'fail',
      evidence: `provision itself made this etcd: its authority is in the store, and ${ownPath} is its certificate`,
      next: `there is nothing to adopt: provision plan ${inventory.file}`,
    },
  ];
}

function nameOf(certificate: X509Certificate): string {
  return `${describeSubject(subjectOf(certificate))} (serial ${certificate.serialNumber.toLowerCase()})`;
}
