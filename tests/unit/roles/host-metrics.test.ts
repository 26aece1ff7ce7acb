import { expect, test } from '@jest/globals';
import { roleTable } from '../../../src/roles/table.js';
import { RUNNING } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
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
