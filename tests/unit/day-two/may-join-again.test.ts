import { expect, test } from '@jest/globals';
import { refuseWhoCannotJoin } from '../../../src/day-two/may-join-again.js';
import { FIREWALL_FILE } from '../../../src/model/firewall.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const GIB = 1024 ** 3;
const [survivor, second, third] = [sampleMember(1), sampleMember(2), sampleMember(3)];

function firewall(...peers: readonly string[]): FakeAnswers {
  const rules =
    peers.length === 0 ? undefined : `set peers4 {\n type ipv4_addr\n elements = { ${peers.join(', ')} }\n}\n`;
  return { 'file-contents': { [FIREWALL_FILE]: rules } };
}

async function refused(
  hosts: Readonly<Record<string, FakeAnswers>>,
  { bytes = GIB, quota = 8 * GIB }: { readonly bytes?: number; readonly quota?: number } = {},
): Promise<unknown> {
  const cluster = { ...SAMPLE_CLUSTER, members: [survivor, second, third] };
  const large = 8 * GIB;
  const others = [
    { ...second, quotaBackendBytes: quota },
    { ...third, quotaBackendBytes: large },
  ];
  const decided = { survivor: { ...survivor, quotaBackendBytes: large }, others };
  return refuseWhoCannotJoin(decided, { cluster, bytes }, (host) => fakeProbe(hosts[host] ?? {}, hosts, host));
}

const all = firewall('10.0.0.1', '10.0.0.2', '10.0.0.3');
const none = firewall();

test.each<[string, Readonly<Record<string, FakeAnswers>>]>([
  ['no host has a firewall', { 'etcd-1': none, 'etcd-2': none, 'etcd-3': none }],
  ['all let all in', { 'etcd-1': all, 'etcd-2': all, 'etcd-3': all }],
  ["one can't be asked", { 'etcd-1': all, 'etcd-2': all, 'etcd-3': UNREACHABLE }],
])('a recovery goes on where %s', async (_, hosts) => {
  await expect(refused(hosts)).resolves.toBeUndefined();
});

test('a member at an address that the survivor does not let in is refused before anything stops', async () => {
  const before = firewall('10.0.0.1', '10.0.0.2', '10.0.0.33');
  await expect(refused({ 'etcd-1': before, 'etcd-2': all, 'etcd-3': all })).rejects.toMatchObject({
    code: 'firewall-cuts-off',
    message: expect.stringContaining('the firewall of etcd-1 does not let etcd-3 in'),
  });
});

test('a member whose quota the database has nearly reached is refused before anything stops', async () => {
  const hosts = { 'etcd-1': none, 'etcd-2': none, 'etcd-3': none };
  await expect(refused(hosts, { bytes: 3 * GIB, quota: 2 * GIB })).rejects.toMatchObject({ code: 'quota-too-small' });
  await expect(refused(hosts, { bytes: GIB, quota: 2 * GIB })).resolves.toBeUndefined();
  // What all of them have is no reason: the survivor has it, too.
  await expect(refused(hosts, { bytes: 7.5 * GIB })).resolves.toBeUndefined();
});
