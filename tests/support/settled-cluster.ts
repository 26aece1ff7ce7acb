import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describeCluster } from '../../src/cluster/describe-cluster.js';
import { planCluster } from '../../src/engine/plan-cluster.js';
import { createLook, type Look } from '../../src/facts/batched-probe.js';
import { orderTable } from '../../src/gates/orders.js';
import { gateTable } from '../../src/gates/table.js';
import type { Action } from '../../src/model/action.js';
import type { Plan } from '../../src/model/plan.js';
import { outputOf, type Fact, type Probe } from '../../src/model/remote.js';
import { issueCertificate } from '../../src/pki/issue.js';
import type { SigningAuthority } from '../../src/pki/signing-authority.js';
import { buildPlays } from '../../src/playbook/build-plays.js';
import type { Play } from '../../src/playbook/play.js';
import { readPlaybook } from '../../src/playbook/read-playbook.js';
import { roleTable } from '../../src/roles/table.js';
import { CURRENT_RELEASE } from '../../src/shell/etcd-release.js';
import { BOOKWORM, healthy, MEMBER_DATA, NOT_INSTALLED, RUNNING } from './etcd-answers.js';
import { fakeHosts, fakeWorld } from './fake-world.js';
import { ROLE_TOOLS } from './role-tools.js';
import { authorityFrom, circumstancesAt, TODAY } from './test-authority.js';
import { loadFiles } from './write-inventory.js';

/** The sample cluster, as an inventory. */
const INVENTORY = `all:
  vars: { etcd_lb_ip: 10.0.0.100, etcd_lb_host: etcd.example.com }
  children:
    etcd:
      hosts:
        etcd-1: { ansible_host: 10.0.0.1 }
        etcd-2: { ansible_host: 10.0.0.2 }
        etcd-3: { ansible_host: 10.0.0.3 }
    kube_control_plane:
      hosts:
        cp-1: { ansible_host: 10.0.0.11 }
`;

const ADDRESSES: Readonly<Record<string, string>> = {
  'etcd-1': '10.0.0.1',
  'etcd-2': '10.0.0.2',
  'etcd-3': '10.0.0.3',
  'cp-1': '10.0.0.11',
};

const MANIFEST = readFileSync(new URL('../../fixtures/manifests/kube-apiserver.yaml', import.meta.url), 'utf8').replace(
  /--etcd-servers=\S+/,
  '--etcd-servers=https://10.0.0.100:2379',
);

const MANIFEST_PATH = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ROOT_FILE = { kind: 'file', owner: 'root', group: 'root' } as const;

const KUBEADM = 'etcd:\n  external:\n    endpoints:\n    - https://10.0.0.100:2379\n';

/** A file or directory that a plan has put on a host. */
export interface Placed {
  readonly kind: 'file' | 'directory';
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  readonly text: string;
  /** Of a certificate: the public half of the key beside it, PEM. */
  readonly publicKey?: string;
}

/** A plan of a host that has all: what it asked. */
export interface SettledPlan {
  readonly plan: Plan;
  /** Host → the scripts of its looks, one an exec. */
  readonly looks: ReadonlyMap<string, readonly string[]>;
  /** The packages, units and kernel settings that it asked for: `etcd-1 packages haproxy`. */
  readonly asked: readonly string[];
  /** Host → what the plans before have put there, by path. */
  readonly placed: ReadonlyMap<string, ReadonlyMap<string, Placed>>;
  /** Plans the same hosts for an inventory that says something else. */
  readonly replan: (change: (inventory: string) => string) => Promise<Plan>;
}

/** Plans the shipped site playbook again and again, until the sample cluster's hosts have all that a plan wants. */
export async function planSettledCluster(more: readonly Play[] = []): Promise<SettledPlan> {
  return settle(await bareHosts(), more);
}

/** The sample cluster's hosts, and the authority that signs what they get. */
export interface SampleHosts {
  readonly authority: SigningAuthority;
  readonly placed: ReadonlyMap<string, Map<string, Placed>>;
}

/** Hosts with nothing but a control plane of kubeadm's. */
export async function bareHosts(): Promise<SampleHosts> {
  const placed = new Map(Object.keys(ADDRESSES).map((host) => [host, new Map<string, Placed>()]));
  placed.get('cp-1')?.set(MANIFEST_PATH, { ...ROOT_FILE, mode: '0600', text: MANIFEST });
  return { authority: await authorityFrom(TODAY), placed };
}

/** Plans, and puts there what the plan wants, until it wants nothing. */
export async function settle({ authority, placed }: SampleHosts, more: readonly Play[] = []): Promise<SettledPlan> {
  const replan: SettledPlan['replan'] = async (change) =>
    (await planOnce(authority.certificatePem, placed, more, change(INVENTORY))).plan;
  for (let round = 0; round < 5; round += 1) {
    const { plan, looks, asked } = await planOnce(authority.certificatePem, placed, more);
    const steps = plan.plays.flatMap(({ batches }) => batches.flatMap(({ hosts }) => hosts));
    if (steps.every((host) => host.steps.length === 0)) return { plan, looks, asked, placed, replan };
    for (const { host, steps: own } of steps)
      for (const { outcome } of own)
        for (const action of outcome.kind === 'change' ? outcome.change.actions : [])
          await place(action, placed.get(host), authority);
  }
  throw new Error('the hosts of the sample cluster do not settle');
}

/** Facts whose answers are as they should be whatever a plan has done: what they are asked about is what it wants. */
const STATES = ['packages', 'sysctls', 'units'];

/** Plans the shipped site playbook once. @param authorityPem the certificate in the store */
export async function planOnce(
  authorityPem: string,
  placed: SettledPlan['placed'],
  more: readonly Play[] = [],
  text: string = INVENTORY,
): Promise<Omit<SettledPlan, 'placed' | 'replan'>> {
  const inventory = await loadFiles({ 'hosts.yaml': text });
  const cluster = describeCluster(inventory);
  const [gates, orders] = [gateTable(cluster, () => TODAY), orderTable(cluster)];
  const pem = (): string => authorityPem;
  const secret = { ...ROLE_TOOLS.pki.keepalivedAuthPass, isKept: () => true };
  const pki = { ...ROLE_TOOLS.pki, authority: { certificate: pem, trustBundle: pem }, keepalivedAuthPass: secret };
  const roles = roleTable({ ...ROLE_TOOLS, pki, now: TODAY });
  const playbook = await readPlaybook('playbooks/site.yaml');
  const roleSource = { roles, cluster, describe: describeCluster };
  const plays = [...buildPlays({ playbook, inventory, limit: undefined, roleSource, gates, orders }), ...more];
  const looks = new Map<string, string[]>();
  const asked = new Set<string>();
  function answers(host: string, fact: string, key: string): unknown {
    if (STATES.includes(fact)) asked.add(`${host} ${fact} ${key}`);
    return answer(host, fact, key, placed.get(host) ?? new Map());
  }
  const world = fakeWorld(fakeHosts(Object.keys(ADDRESSES)), {
    newLook: () => answeringLook(looks, answers),
    now: () => TODAY.getTime(),
  });
  const named = { tool: '', inventoryDigest: '', playbook: 'site', playbookDigest: '', limit: undefined };
  const members = cluster.members.map(({ host }) => host);
  const { plan } = await planCluster({ ...named, plays, orders, members, without: () => '' }, world);
  return { plan, looks, asked: [...asked].sort() };
}

type Answers = (host: string, fact: string, key: string) => unknown;

/** A look as it is, whose scripts are noted and whose answers come from a table. */
function answeringLook(looks: Map<string, string[]>, answers: Answers): Look {
  const token = '0'.repeat(32);
  const look = createLook({
    token: () => token,
    send(host, script) {
      looks.set(host, [...(looks.get(host) ?? []), script]);
      const facts = script.split(`' ${token} $?`).length - 1;
      return Promise.resolve(outputOf(0, `\n${token} 0\n`.repeat(facts)));
    },
  });
  function answered(host: string): Probe {
    return {
      host,
      ask: <V>(fact: Fact<V>, key: string) =>
        look.probe(host).ask<V>(
          {
            ...fact,
            parse: (_, keys) => new Map(keys.map((each) => [each, answers(host, fact.name, each) as V])),
          },
          key,
        ),
      on: answered,
    };
  }
  return { probe: answered, lost: () => look.lost() };
}

/** What a host says that has what was placed there, and all else as it should be. */
function answer(host: string, fact: string, key: string, placed: ReadonlyMap<string, Placed>): unknown {
  const isMember = host.startsWith('etcd-');
  const own = { interface: 'eth0', address: ADDRESSES[host] ?? '', prefixLength: 24 };
  const virtual = { interface: 'eth0', address: '10.0.0.100', prefixLength: 32 };
  const table: Readonly<Record<string, unknown>> = {
    'etcd-data': MEMBER_DATA,
    'etcd-status': healthy(Number(host.slice(-1))),
    units: isMember && !key.startsWith('provision-') ? RUNNING : NOT_INSTALLED,
    'unit-commands': { files: [], environmentFiles: [], next: [], running: [] },
    'operating-system': BOOKWORM,
    packages: { installed: '1', candidate: undefined, held: false },
    sysctls: '1',
    'vrrp-instances': { routerId: 100, advertIntervalS: 1, addresses: ['10.0.0.100'] },
    'host-addresses': host === 'etcd-1' ? [own, virtual] : [own],
    listeners: [],
    'file-origins': { kind: placed.has(key) ? 'ours' : 'absent' },
    'file-states': fileStateOf(placed.get(key)),
    'file-contents': placed.get(key)?.text,
    'certificate-files': fact === 'certificate-files' ? certificateFilesOf(key, placed) : undefined,
    'directory-ways': undefined,
    paths: key !== CURRENT_RELEASE,
    'firewall-tables': { hasNft: false, loaded: undefined, kept: undefined, isOnTrial: false },
    clock: TODAY.getTime(),
    'cluster-lock': undefined,
    'static-pod-files': [],
    'apiserver-processes': [],
    'kubeadm-config': { kind: 'found', configuration: KUBEADM },
  };
  if (!Object.hasOwn(table, fact))
    throw new Error(`a settled host has no answer to the fact ${fact}: add it to tests/support/settled-cluster.ts`);
  return table[fact];
}

function fileStateOf(file: Placed | undefined): unknown {
  if (file === undefined) return { kind: 'absent' };
  const { kind, owner, group, mode, text } = file;
  const sha256 = kind === 'file' ? createHash('sha256').update(text).digest('hex') : undefined;
  // Before the units started.
  return { kind, owner, group, mode, sha256, changedAt: 500 };
}

function certificateFilesOf(key: string, placed: ReadonlyMap<string, Placed>): unknown {
  const [path = '', keyPath = ''] = JSON.parse(key) as readonly string[];
  const certificate = placed.get(path);
  const publicKey =
    certificate?.publicKey === undefined || keyPath === ''
      ? { kind: 'unchecked' }
      : { kind: 'known', pem: certificate.publicKey };
  return { certificate, key: placed.get(keyPath), pem: certificate?.text ?? '', publicKey };
}

/** Puts what an action leaves on a host there. */
async function place(
  action: Action,
  host: Map<string, Placed> | undefined,
  authority: SigningAuthority,
): Promise<void> {
  switch (action.kind) {
    case 'write-file':
      host?.set(action.path, { ...action, kind: 'file', text: action.content.reveal() });
      break;
    case 'install-trust':
      host?.set(action.path, { ...action, kind: 'file', text: authority.certificatePem });
      break;
    case 'make-directory':
      host?.set(action.path, { ...action, kind: 'directory', text: '' });
      break;
    case 'issue-certificate': {
      const { certificatePem, keyPem } = await issueCertificate(authority, action.profile, circumstancesAt(TODAY));
      const key = keyPem?.reveal() ?? '';
      const publicKey = createPublicKey(certificatePem).export({ type: 'spki', format: 'pem' }).toString();
      const { owner, group, mode, destination } = action;
      const file = { kind: 'file', owner, group, publicKey } as const;
      if (destination.layout === 'bundle') host?.set(destination.path, { ...file, mode, text: certificatePem + key });
      else {
        host?.set(destination.certificatePath, { ...file, mode: '0644', text: certificatePem });
        host?.set(destination.keyPath, { ...file, mode, text: key });
      }
      break;
    }
    // Their effect is among the answers.
    case 'run':
    case 'run-on':
    case 'run-on-each':
    case 'reboot-host':
    case 'remove-file':
    case 'create-authority':
    case 'move-authority':
    case 'keep-secret':
    case 'save-snapshot':
    case 'send-release':
    case 'join-kubernetes':
    case 'await':
      break;
  }
}
