import { expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { Fact, Probe } from '../../../src/model/remote.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { knownServers } from '../../../src/model/known-servers.js';
import { serviceNamed } from '../../../src/model/virtual-service.js';
import { kubeadmConfigResource } from '../../../src/resources/kubeadm-config.js';
import { roleTable } from '../../../src/roles/table.js';
import { healthy, RUNNING } from '../../support/etcd-answers.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { loadFiles } from '../../support/write-inventory.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const VIP = 'https://10.0.0.100:2379';
const url = (number: number): string => `https://10.0.0.${number}:2379`;
const numbers = (size: number): readonly number[] => Array.from({ length: size }, (_, index) => index + 1);
const urls = (size: number): string => numbers(size).map(url).join();

/** Of five hosts, the first so many are to be members, and the others to leave. */
const cluster = (size: number): Cluster => ({
  ...SAMPLE_CLUSTER,
  members: numbers(size).map(sampleMember),
  formerMembers: numbers(5).slice(size).map(sampleMember),
});

const FILES = ['cafile=/pki/ca.crt', 'certfile=/pki/etcd.crt', 'keyfile=/pki/etcd.key'].map((word) => `--etcd-${word}`);

/** A control plane whose API server uses these servers, as it answers the questions of a kind alike. */
function controlPlane(servers: string): Probe {
  const text = `metadata:\n  name: kube-apiserver\nspec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --etcd-servers=${servers}\n${FILES.map((word) => `    - ${word}\n`).join('')}`;
  const answers: Readonly<Record<string, unknown>> = {
    'file-contents': text,
    'file-states': { kind: 'file', owner: 'root', group: 'root', mode: '0600', sha256: '' },
    'static-pod-files': [{ name: 'kube-apiserver.yaml', text }],
    'apiserver-processes': [],
    'etcd-identities': { kind: 'answers', clusterId: '7', memberId: '1', leaderId: '1', revision: 10 },
    'etcd-status': healthy(1, { clusterId: '7', revision: 10, memberId: '1' }),
    units: RUNNING,
    'etcd-data': { hasData: true },
    'name-addresses': [],
    'host-addresses': [],
  };
  const probe: Probe = {
    host: 'cp-1',
    ask: <V>(fact: Fact<V>, key: string): Promise<V> =>
      Object.hasOwn(answers, fact.name)
        ? Promise.resolve(answers[fact.name] as V)
        : Promise.reject(new Error(`no answer for ${fact.name} ${key}`)),
    on: () => probe,
  };
  return probe;
}

async function serversAfter(role: string, size: number, given: string): Promise<string | undefined> {
  const resources = roleTable(ROLE_TOOLS)
    .get(role)
    ?.resources(namedHost('cp-1'), templateInventory(['cp-1']), cluster(size));
  const outcome: Outcome | undefined = await resources?.at(-1)?.plan(controlPlane(given));
  if (outcome?.kind !== 'change') return outcome?.kind;
  const written = outcome.change.actions.flatMap((each) => (each.kind === 'write-file' ? [each.content.reveal()] : []));
  return /--etcd-servers=(\S*)/.exec(written.join())?.[1];
}

test.each([
  ['3 → 5', 3, 5],
  ['1 → 3', 1, 3],
  ['5 → 3', 5, 3],
  ['3 → 1', 3, 1],
])(
  '%s: a bypassed API server gets just the members that are to be, and the virtual IP where it uses that',
  async (_, from, to) => {
    expect(await serversAfter('kube-apiserver-direct', to, urls(from))).toBe(urls(to));
    expect(await serversAfter('kube-apiserver-direct', to, urls(to))).toBe('unchanged');
    expect(await serversAfter('kube-apiserver', to, urls(from))).toBe(VIP);
    expect(await serversAfter('kube-apiserver', to, VIP)).toBe('unchanged');
  },
);

test.each([
  ['3 → 5', 3],
  ['5 → 3', 5],
])('%s: kubeadm names the virtual IP, whichever members it has named', async (_, from) => {
  const listed = numbers(from)
    .map((number) => `    - ${url(number)}\n`)
    .join('');
  const configuration = `etcd:\n  external:\n    endpoints:\n${listed}    caFile: /x\n`;
  const probe: Probe = {
    host: 'cp-1',
    ask: <V>() => Promise.resolve({ kind: 'found', configuration } as V),
    on: () => probe,
  };
  const outcome = await kubeadmConfigResource(VIP, '/etc/kubernetes/manifests/kube-apiserver.yaml').plan(probe);
  const diff = outcome.kind === 'change' ? outcome.change.diff : [];
  expect(diff.filter((line) => line.startsWith('+ ') || line.startsWith('+  ')).join()).toContain(VIP);
  expect(diff.filter((line) => /^-\s/.test(line))).toHaveLength(from);
});

test.each([
  ['3 → 5', 5, ['etcd-1', 'etcd-2', 'etcd-3', 'etcd-4', 'etcd-5']],
  ['5 → 3', 3, ['etcd-1', 'etcd-2', 'etcd-3']],
])('%s: load balancers lead to the members that are to be', async (_, size, names) => {
  const host = (number: number): string => `    etcd-${number}: { ansible_host: 10.0.0.${number} }\n`;
  const group = (name: string, some: readonly number[]): string =>
    some.length === 0 ? '' : `${name}:\n  hosts:\n${some.map(host).join('')}`;
  const text = `all:\n  vars: { etcd_lb_ip: 10.0.0.100 }\n${group('etcd', numbers(size))}${group('etcd_former', numbers(5).slice(size))}`;
  const described = describeCluster(await loadFiles({ 'hosts.yaml': text }));
  expect(serviceNamed(described, 'etcd')?.backends.map(({ name }) => name)).toEqual(names);
});

test('a server that is to leave is one of this cluster: an API server that uses it may be moved', () => {
  expect(knownServers(cluster(3), new Map())(url(5))).toBe(true);
  expect(knownServers(cluster(3), new Map())(url(6))).toBe(false);
});
