import { expect, test } from '@jest/globals';
import { checkUpgradingNodes } from '../../../src/checks/upgrading-nodes.js';
import type { CheckItem } from '../../../src/checks/check.js';
import { contextOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const [PLANE] = SAMPLE_CLUSTER.controlPlanes;
if (PLANE === undefined) throw new Error('the sample has no control plane');
const PLANES = [1, 2, 3].map((number) => ({ ...PLANE, host: `cp-${number}`, address: `10.0.0.1${number}` }));

type Said = 'upgrading' | 'takes pods' | 'silent' | 'away';

async function found(...said: readonly Said[]): Promise<readonly CheckItem[]> {
  const hosts = Object.fromEntries(
    PLANES.map(({ host, address }, index): [string, FakeAnswers | typeof UNREACHABLE] => {
      const word = said[index] ?? 'silent';
      if (word === 'away') return [host, UNREACHABLE];
      const node = { name: 'w-1', addresses: [], isControlPlane: false, isUpgrading: word === 'upgrading' };
      const seen = word === 'silent' ? { kind: 'silent' } : { kind: 'listed', nodes: [node] };
      return [host, { 'node-list': { [`https://${address}:6443`]: seen } }];
    }),
  );
  return checkUpgradingNodes(contextOf(hosts, { cluster: { ...SAMPLE_CLUSTER, controlPlanes: PLANES } }));
}

test.each<readonly [string, number, ...Said[]]>([
  ['none', 0, 'takes pods', 'takes pods', 'takes pods'],
  ['by one word', 0, 'upgrading', 'takes pods', 'takes pods'],
  ['by one word, and others say nothing', 0, 'upgrading', 'silent', 'away'],
  ['by most', 1, 'upgrading', 'upgrading', 'takes pods'],
  ['by most, and one is away', 1, 'away', 'upgrading', 'upgrading'],
])('nodes that an upgrade has cordoned: %s', async (_, count, ...said) => {
  expect(await found(...said)).toHaveLength(count);
});

test('come with both ways on', async () => {
  expect(await found('upgrading', 'upgrading', 'upgrading')).toEqual([
    {
      check: 'node-cordoned',
      subject: 'w-1',
      verdict: 'warn',
      evidence: 'it takes no pods: an upgrade has cordoned it, and was killed, or is not done yet',
      next: 'provision apply inventory.yaml --playbook upgrade-nodes; without an upgrade: ssh cp-1 sudo kubectl --kubeconfig /etc/kubernetes/admin.conf uncordon w-1',
    },
  ]);
});
