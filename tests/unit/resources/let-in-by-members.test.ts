import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Cluster } from '../../../src/model/cluster.js';
import { FIREWALL_FILE } from '../../../src/model/firewall.js';
import type { ReplacementStep } from '../../../src/resources/decide-replacement.js';
import type { JoiningWay } from '../../../src/resources/joining-steps.js';
import { letInByMembers } from '../../../src/resources/let-in-by-members.js';
import type { RunScope } from '../../../src/roles/role.js';
import { roleTable } from '../../../src/roles/table.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { ROLE_TOOLS } from '../../support/role-tools.js';
import { SAMPLE_CLUSTER, sampleMember, withFirewall } from '../../support/sample-cluster.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const RULES = readFileSync('fixtures/rendered/etcd-firewall.nft.default', 'utf8');
const has = (rules: string | undefined): FakeAnswers => ({ 'file-contents': { [FIREWALL_FILE]: rules } });

/** etcd-3 is to be a member at this address, by these steps. */
function wayTo(address: string, steps: readonly ReplacementStep[]): JoiningWay {
  const found = { steps, removed: undefined, initialCluster: '', found: undefined };
  const member = { ...sampleMember(3), address };
  return { cluster: SAMPLE_CLUSTER, member, peers: [], decide: () => Promise.resolve(found) };
}

async function planAt(address: string, others: Readonly<Record<string, FakeAnswers>>) {
  const resource = letInByMembers(['etcd-1', 'etcd-2'], wayTo(address, ['add']));
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
test.each(['10.0.0.9', '10.0.0.11', '10.0.0'])('of one at %s it is said how it gets in', async (address) => {
  await expect(planAt(address, { 'etcd-2': has(undefined) })).rejects.toMatchObject({
    code: 'firewall-cuts-off',
    message: `the firewall of etcd-1 does not let etcd-3 in, which is to be a member at ${address}; nothing was changed`,
    hint: "have it let in first: provision apply INVENTORY --playbook firewall-lets-in --limit 'all:!etcd-3'",
  });
});

test('nothing is asked of the others where the host has nothing to join', async () => {
  const resource = letInByMembers(['etcd-1', 'etcd-2'], wayTo('10.0.0.9', []));
  expect(await resource.plan(fakeProbe({}, {}, 'etcd-3'))).toEqual({ kind: 'unchanged' });
});

describe.each(['etcd-replacement', 'etcd-joining'])('%s', (role) => {
  const first = (cluster: Cluster, run?: RunScope): string | undefined =>
    roleTable(ROLE_TOOLS)
      .get(role)
      ?.resources(namedHost('etcd-3'), templateInventory(['etcd-3']), cluster, run)[0]?.address;

  test.each([
    ['with a firewall', withFirewall()],
    ['where the inventory wants none any more', SAMPLE_CLUSTER],
  ])('asks it first of all of members that --limit leaves out: %s', (_, cluster) => {
    expect(first(cluster, { isWorkedOn: (host) => host === 'etcd-3' })).toBe('member-let-in:etcd-3');
  });

  test('does not where all are worked on, and are widened before', () => {
    expect(first(withFirewall())).not.toContain('member-let-in');
  });
});
