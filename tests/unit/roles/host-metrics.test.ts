import { expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { roleTable } from '../../../src/roles/table.js';
import { RUNNING } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_APISERVER, SAMPLE_CLUSTER, SAMPLE_SERVICE, sampleBalancer } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const SOCKET = 'provision-etcd-metrics.socket';
const SOCKET_FILE = `/etc/systemd/system/${SOCKET}`;
const SERVICE_FILE = '/etc/systemd/system/provision-etcd-metrics@.service';
const SCRIPT = '/usr/local/lib/provision/host-metrics';
const PATHS = [SCRIPT, SERVICE_FILE, SOCKET_FILE];

test.each([
  ['ours', { active: false }, [`disable and stop ${SOCKET}`], [SCRIPT, SERVICE_FILE, SOCKET_FILE]],
  ['ours', { enabled: false, active: false }, [], [SCRIPT, SERVICE_FILE, SOCKET_FILE]],
  ['foreign', {}, [], [SCRIPT, SERVICE_FILE]],
] as const)('a socket that is %s and %j is ended as far as it is in use: %j', async (origin, unit, lines, gone) => {
  const inventory = templateInventory(['etcd-1']);
  const cluster = { ...SAMPLE_CLUSTER, hostMetrics: [] };
  const [removed] =
    roleTable(ROLE_TOOLS).get('etcd-host-metrics')?.resources(namedHost('etcd-1'), inventory, cluster) ?? [];
  const outcome = await removed?.plan(
    fakeProbe({
      'file-states': Object.fromEntries(PATHS.map((path) => [path, { kind: 'file' }])),
      'file-origins': Object.fromEntries(PATHS.map((path) => [path, { kind: path === SOCKET_FILE ? origin : 'ours' }])),
      units: { [SOCKET]: { ...RUNNING, ...unit } },
    }),
  );
  expect(outcome).toMatchObject({ change: { diff: [...lines, ...gone.map((path) => `- ${path}`)] } });
});

/** What is written on a bare host that shows figures, by path. */
async function written(host: string, services: Cluster['services']): Promise<Readonly<Record<string, string>>> {
  const cluster = { ...SAMPLE_CLUSTER, services, hostMetrics: [{ host, address: '10.0.0.1', port: 9101 }] };
  const all = roleTable(ROLE_TOOLS)
    .get('etcd-host-metrics')
    ?.resources(namedHost(host), templateInventory([host]), cluster);
  const files = (all ?? []).filter(({ address }) => address.startsWith('file:'));
  const states = Object.fromEntries(PATHS.map((path) => [path, { kind: 'absent' }]));
  const outcomes = await Promise.all(files.map(async (each) => each.plan(fakeProbe({ 'file-states': states }))));
  const actions = outcomes.flatMap((outcome) => (outcome.kind === 'change' ? outcome.change.actions : []));
  return Object.fromEntries(
    actions.flatMap((action) =>
      action.kind === 'write-file' ? [[`${action.path} ${action.mode}`, action.content.reveal()]] : [],
    ),
  );
}

const of = (balancers: readonly number[]): Cluster['services'] => [
  { ...SAMPLE_SERVICE, balancers: balancers.map((number) => sampleBalancer(number)) },
  { ...SAMPLE_APISERVER, balancers: SAMPLE_APISERVER.balancers.slice(0, 1) },
];
const BUNDLE = '/etc/haproxy/etcd-client.pem';
const OWN = ['/etc/etcd/pki/server.crt', '/etc/etcd/pki/client.crt'];

test.each([
  ['etcd-1', [2], { shows: ['kube-apiserver'], certificates: OWN, not: [BUNDLE] }],
  ['etcd-1', [1], { shows: ['etcd', 'kube-apiserver'], certificates: [...OWN, BUNDLE], not: [] }],
  ['lb-1', [2], { shows: [], certificates: [], not: [...OWN, BUNDLE] }],
] as const)('%s shows its own services and certificates alone, where %j balance', async (host, balancers, wanted) => {
  const files = await written(host, of(balancers));
  expect(Object.keys(files)).toEqual([`${SCRIPT} 0755`, `${SERVICE_FILE} 0644`, `${SOCKET_FILE} 0644`]);
  const script = files[`${SCRIPT} 0755`] ?? '';
  const shown = [...script.matchAll(/virtual_ip_held\{service=\\"([^\\]+)/g)].map(([, name]) => name);
  expect(shown).toEqual(wanted.shows);
  const [, list = ''] = /^for path in(.*); do$/m.exec(script) ?? [];
  expect(list.trim().split(' ')).toEqual(
    expect.arrayContaining(wanted.certificates.map((path) => expect.stringContaining(path) as unknown)),
  );
  for (const path of wanted.not) expect(list).not.toContain(path);
  expect(files[`${SERVICE_FILE} 0644`]).toContain(`ExecStart=${SCRIPT}`);
});
