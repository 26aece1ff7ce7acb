import { certificateFilesKey } from '../../src/facts/certificate-files.js';
import { etcdDataKey } from '../../src/facts/etcd-data.js';
import type { Action } from '../../src/model/action.js';
import type { Outcome, Resource } from '../../src/model/change.js';
import type { Cluster } from '../../src/model/cluster.js';
import { ProvisionError } from '../../src/model/errors.js';
import type { Probe } from '../../src/model/remote.js';
import { markOf } from '../../src/roles/keepalived/down-mark.js';
import { roleTable } from '../../src/roles/table.js';
import { NO_DATA, NOT_INSTALLED } from './etcd-answers.js';
import { fakeProbe } from './fake-probe.js';
import { fixture } from './fixture.js';
import { expectGolden } from './golden.js';
import { PATHS } from './role-clusters.js';
import { ROLE_TOOLS } from './role-tools.js';
import { SAMPLE_CLUSTER, sampleMember } from './sample-cluster.js';
import { namedHost, templateInventory } from './template-inventory.js';

// What roles want on hosts that have nothing yet.

/** The hosts of the sample cluster. */
export const INVENTORY = templateInventory(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);

/** What a role wants on a host. */
export function resourcesOf(role: string, host: string, cluster: Cluster = SAMPLE_CLUSTER): readonly Resource[] {
  return roleTable(ROLE_TOOLS).get(role)?.resources(namedHost(host), INVENTORY, cluster) ?? [];
}

/** A table with an entry for each unit of a proxy here. */
function marks(entry: (unit: string) => readonly [string, unknown]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(['haproxy', 'provision-etcd-nginx'].map(entry));
}

/** A host without data of etcd. */
export const NO_ETCD = { 'etcd-data': { [etcdDataKey(sampleMember(1))]: NO_DATA } };

/** The file that a role would write on a bare `etcd-1`. */
export async function written(
  role: string,
  path: string,
  cluster: Cluster,
): Promise<Extract<Outcome, { kind: 'change' }>> {
  const probe = fakeProbe({
    // Nothing is down either, and nothing runs yet.
    'file-states': { [path]: { kind: 'absent' }, ...marks((unit) => [markOf(unit).mark, { kind: 'absent' }]) },
    units: marks((unit) => [unit, NOT_INSTALLED]),
    ...NO_ETCD,
    'host-addresses': {
      all: ['10.0.0.1', '2001:db8::1'].map((address) => ({ interface: 'eth0', address, prefixLength: 24 })),
    },
  });
  const outcome = await resourcesOf(role, 'etcd-1', cluster)
    .find(({ address }) => [`file:${path}`, `drop-in:${path}`].includes(address))
    ?.plan(probe);
  if (outcome?.kind !== 'change') throw new Error(`${path} is not written`);
  return outcome;
}

/** Compares the file that a role would write on a bare `etcd-1` with the one in fixtures/rendered. */
export async function expectRendered(
  role: string,
  name: keyof typeof PATHS,
  variant: string,
  cluster: Cluster,
): Promise<void> {
  const { change } = await written(role, PATHS[name], cluster);
  const [action] = change.actions;
  if (action?.kind !== 'write-file') throw new Error('no file is written');
  expectGolden(`fixtures/rendered/${name}.${variant}`, action.content.redacted);
}

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** Everything that a role could put on a bare host, but for what asks the host for more. */
export async function placed(host: string, cluster: Cluster): Promise<readonly Action[]> {
  // Its files are those of the role `etcd`.
  const roles = [...roleTable(ROLE_TOOLS).values()].filter(
    ({ name }) => !['etcd-replacement', 'etcd-quota', 'etcd-recovery'].includes(name),
  );
  const all = roles.flatMap((role) => {
    try {
      return role.resources(namedHost(host), INVENTORY, cluster);
    } catch (error) {
      // Not every host is in every group, and not every service is in the cluster.
      if (error instanceof ProvisionError) return [];
      throw error;
    }
  });
  const files = all.filter(({ address }) => /^(file|certificate):/.test(address));
  const outcomes = await Promise.all(files.map((each) => each.plan(bare(each, host))));
  return outcomes.flatMap((outcome) => (outcome.kind === 'change' ? outcome.change.actions : []));
}

function bare({ paths: [first = '', last = first] }: Resource, host: string): Probe {
  const nothing = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };
  const address = `10.0.0.${host.at(-1) ?? ''}`;
  return fakeProbe(
    {
      'file-states': { [first]: { kind: 'absent' } },
      ...NO_ETCD,
      'certificate-files': { [certificateFilesKey(first, last)]: nothing },
      'host-addresses': { all: [{ interface: 'eth0', address, prefixLength: 24 }] },
      'file-contents': { [MANIFEST]: fixture('manifests/kube-apiserver.yaml') },
      'node-outline': { node: { isContainer: false } },
      'kubeadm-outline': { 'registry.k8s.io': { version: 'v1.30.2', sandboxImage: 'registry.k8s.io/pause:3.9' } },
    },
    {},
    host,
  );
}

/** What each host gets in a file: the first word of a line, and what follows it. */
export async function linesOf(
  host: string,
  path: string,
  name: RegExp,
  cluster = SAMPLE_CLUSTER,
): Promise<readonly string[]> {
  const text = (await placed(host, cluster)).flatMap((action) =>
    action.kind === 'write-file' && action.path === path ? action.content.reveal().split('\n') : [],
  );
  return text.map((line) => line.trim()).filter((line) => name.test(line));
}
