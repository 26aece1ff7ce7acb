import { expect, test } from '@jest/globals';
import { refuseWhoCannotJoin } from '../../../src/day-two/may-join-again.js';
import { FIREWALL_FILE } from '../../../src/model/firewall.js';
import { fakeProbe, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const GIB = 1024 ** 3;
const [survivor, second, third] = [sampleMember(1), sampleMember(2), sampleMember(3)];

/** The version that is installed, or would be. */
const etcd = (installed: string | undefined, candidate?: string): FakeAnswers => ({
  packages: { 'etcd-server': { installed, candidate, held: false } },
});

function firewall(...peers: readonly string[]): FakeAnswers {
  const rules =
    peers.length === 0 ? undefined : `set peers4 {\n type ipv4_addr\n elements = { ${peers.join(', ')} }\n}\n`;
  return { ...etcd('3.4.23-4'), 'file-contents': { [FIREWALL_FILE]: rules } };
}

async function refused(
  hosts: Readonly<Record<string, FakeAnswers>>,
  {
    bytes = GIB,
    quota = 8 * GIB,
    last = 8 * GIB,
  }: { readonly bytes?: number; readonly quota?: number; readonly last?: number } = {},
): Promise<unknown> {
  const cluster = { ...SAMPLE_CLUSTER, members: [survivor, second, third] };
  const large = 8 * GIB;
  const others = [
    { ...second, quotaBackendBytes: quota },
    { ...third, quotaBackendBytes: last },
  ];
  const decided = { survivor: { ...survivor, quotaBackendBytes: large }, others };
  return refuseWhoCannotJoin(decided, { cluster, bytes }, (host) => fakeProbe(hosts[host] ?? {}, hosts, host));
}

const all = firewall('10.0.0.1', '10.0.0.2', '10.0.0.3');
const none = firewall();

test.each<[string, Readonly<Record<string, FakeAnswers>>]>([
  ['no host has a firewall', { 'etcd-1': none, 'etcd-2': none, 'etcd-3': none }],
  ['all let all in', { 'etcd-1': all, 'etcd-2': all, 'etcd-3': all }],
  [
    'the newer etcd of one may join',
    { 'etcd-1': none, 'etcd-2': { ...none, ...etcd(undefined, '3.5.16-4') }, 'etcd-3': none },
  ],
  ['what one would run is not known', { 'etcd-1': none, 'etcd-2': { ...none, ...etcd(undefined) }, 'etcd-3': none }],
])('a recovery goes on where %s', async (_, hosts) => {
  await expect(refused(hosts)).resolves.toEqual([]);
});

test('a member at an address that the survivor does not let in is refused before anything stops', async () => {
  const before = firewall('10.0.0.1', '10.0.0.2', '10.0.0.33');
  await expect(refused({ 'etcd-1': before, 'etcd-2': all, 'etcd-3': all })).rejects.toMatchObject({
    code: 'firewall-cuts-off',
    message: expect.stringContaining('the firewall of etcd-1 does not let etcd-3 in'),
  });
});

test('the firewall of another one is named: it is not needed for the first join, and may be of nobody', async () => {
  const foreign = { ...etcd('3.4.23-4'), 'file-contents': { [FIREWALL_FILE]: 'table inet x {}' } };
  const told = await refused({ 'etcd-1': all, 'etcd-2': all, 'etcd-3': foreign });
  expect(told).toEqual([
    expect.stringMatching(
      /^the firewall of etcd-3 does not let etcd-2 in at 10\.0\.0\.2; .*--playbook firewall-lets-in/,
    ),
  ]);
});

test('of two firewalls of others each is named, in the order of who is not let in', async () => {
  const foreign = { ...etcd('3.4.23-4'), 'file-contents': { [FIREWALL_FILE]: 'table inet x {}' } };
  expect(await refused({ 'etcd-1': all, 'etcd-2': foreign, 'etcd-3': foreign })).toEqual([
    expect.stringContaining('the firewall of etcd-3 does not let etcd-2 in'),
    expect.stringContaining('the firewall of etcd-2 does not let etcd-3 in'),
  ]);
});

test('a member whose quota the database has nearly reached is refused before anything stops', async () => {
  const hosts = { 'etcd-1': none, 'etcd-2': none, 'etcd-3': none };
  await expect(refused(hosts, { bytes: 3 * GIB, quota: 2 * GIB })).rejects.toMatchObject({ code: 'quota-too-small' });
  await expect(refused(hosts, { bytes: 3 * GIB, last: 2 * GIB })).rejects.toMatchObject({ code: 'quota-too-small' });
  await expect(refused(hosts, { bytes: GIB, quota: 2 * GIB })).resolves.toEqual([]);
  // What all of them have is no reason: the survivor has it, too.
  await expect(refused(hosts, { bytes: 7.5 * GIB })).resolves.toEqual([]);
});

test.each([
  ['older', '3.5.16-4', '3.4.23-4'],
  ['two minors newer', '3.4.23-4', '3.6.4-1'],
])('a member whose etcd would be %s is refused before anything stops', async (_, survives, joins) => {
  const hosts = {
    'etcd-1': { ...none, ...etcd(survives) },
    'etcd-2': { ...none, ...etcd(joins) },
    'etcd-3': { ...none, ...etcd(survives) },
  };
  await expect(refused(hosts)).rejects.toMatchObject({
    code: 'upgrade-refused',
    message: expect.stringContaining('etcd-2 would run etcd'),
  });
});
