import type { CheckItem } from '../checks/check.js';
import { nodeAddress } from '../cluster/node-address.js';
import { ETCD, etcdOnHost } from '../facts/etcd-process.js';
import { RemoteError } from '../model/errors.js';
import type { Host, Inventory } from '../model/inventory.js';
import { canonicalIp } from '../model/ip.js';
import type { Probe } from '../model/remote.js';
import type { FoundMember } from './look-at-member.js';

/** Hosts of the group `etcd`, where a stacked etcd is to move to them. */
export interface Newcomers {
  readonly items: readonly CheckItem[];
  /** Addresses of those that are members already. */
  readonly joined: readonly string[];
}

/** No host joins. */
export const NOBODY: Newcomers = { items: [], joined: [] };

interface Context {
  readonly inventory: Inventory;
  readonly probe: (host: string) => Probe;
}

/** Looks at the hosts that are to join. @param member of the stacked cluster, which lists its members */
export async function lookAtNewcomers(
  { inventory, probe }: Context,
  member: FoundMember | undefined,
): Promise<Newcomers> {
  const hosts = (inventory.groups.get('etcd') ?? []).flatMap((name) => inventory.hosts.get(name) ?? []);
  const looked = await Promise.all(hosts.map(async (host) => lookAt(host, probe(host.name), member)));
  return { items: looked.map(({ item }) => item), joined: looked.flatMap(({ joined }) => joined ?? []) };
}

async function lookAt(
  host: Host,
  probe: Probe,
  member: FoundMember | undefined,
): Promise<{ readonly item: CheckItem; readonly joined?: string }> {
  const { name } = host;
  try {
    const { processes } = await probe.ask(etcdOnHost, ETCD);
    const address = canonicalIp(nodeAddress(host)?.address ?? '');
    const isListed = (member?.status.members ?? []).some(({ peerUrls }) =>
      peerUrls.some((url) => hostIs(url, address)),
    );
    const item = (verdict: CheckItem['verdict'], evidence: string, next?: string): CheckItem => ({
      ...{ check: 'new-member', host: name, verdict, evidence },
      ...(next === undefined ? {} : { next }),
    });
    if (isListed) return { item: item('ok', 'is a member of this cluster already'), joined: address };
    const [process] = processes;
    if (process === undefined) return { item: item('ok', 'runs no etcd: it can join this cluster') };
    const evidence = `etcd runs here (process ${process.pid}), which is no member of this cluster`;
    return { item: item('fail', evidence, `end it and move its data aside, or take ${name} out of the group etcd`) };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const [evidence = ''] = error.message.split('\n');
    return { item: { check: 'host', host: name, verdict: 'fail', evidence, next: error.hint } };
  }
}

function hostIs(url: string, address: string): boolean {
  return URL.canParse(url) && canonicalIp(new URL(url).hostname.replace(/^\[|\]$/g, '')) === address;
}
