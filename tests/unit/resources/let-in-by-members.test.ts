import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Resource } from '../../../src/model/change.js';
import { FIREWALL_FILE } from '../../../src/model/firewall.js';
import { letInByMembers } from '../../../src/resources/let-in-by-members.js';
import { roleTable } from '../../../src/roles/table.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleMember, withFirewall } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const RULES = readFileSync('fixtures/rendered/etcd-firewall.nft.default', 'utf8');
const has = (rules: string | undefined): FakeAnswers => ({ 'file-contents': { [FIREWALL_FILE]: rules } });

/** etcd-3 is replaced by a machine at this address. */
async function planAt(address: string, others: Readonly<Record<string, FakeAnswers>>) {
  const resource = letInByMembers(SAMPLE_CLUSTER, { ...sampleMember(3), address });
  return resource.plan(fakeProbe({}, { 'etcd-1': has(RULES), 'etcd-2': has(RULES), ...others }, 'etcd-3'));
}

test.each([
  ['they have its address', '10.0.0.3', {}],
  ['they have no firewall', '10.0.0.9', { 'etcd-1': has(undefined), 'etcd-2': has(undefined) }],
  ['they do not answer', '10.0.0.9', { 'etcd-1': UNREACHABLE, 'etcd-2': UNREACHABLE }],
])('a member may come where %s', async (_, address, others) => {
  expect(await planAt(address, others)).toEqual({ kind: 'unchanged' });
});

// A control plane is let in as a client only.
test.each(['10.0.0.9', '10.0.0.11', '10.0.0'])('one at %s is told how it gets in', async (address) => {
  await expect(planAt(address, { 'etcd-2': has(undefined) })).rejects.toMatchObject({
    code: 'firewall-cuts-off',
    message: `the firewall of etcd-1 does not let etcd-3 in, which is to be a member at ${address}; nothing was changed`,
    hint: "have it let in first: provision apply INVENTORY --playbook firewall-lets-in --limit 'all:!etcd-3'",
  });
});

test('it is asked first of all where members have a firewall', () => {
  const resources = (cluster: typeof SAMPLE_CLUSTER): readonly Resource[] =>
    roleTable(ROLE_TOOLS)
      .get('etcd-replacement')
      ?.resources(namedHost('etcd-3'), templateInventory(['etcd-3']), cluster) ?? [];
  expect(resources(withFirewall())[0]?.address).toBe('member-let-in:etcd-3');
  expect(resources(SAMPLE_CLUSTER)[0]?.address).toBe('snapshot:before');
});
