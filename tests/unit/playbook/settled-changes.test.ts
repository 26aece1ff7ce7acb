import { expect, test } from '@jest/globals';
import type { Plan } from '../../../src/model/plan.js';
import { planSettledCluster } from '../../support/settled-cluster.js';

/** `host: address: what` of all that a plan lists; a change with the first words of its summary. */
function stepsOf({ plays }: Plan): readonly string[] {
  return plays.flatMap(({ batches }) =>
    batches.flatMap(({ hosts }) =>
      hosts.flatMap(({ host, steps }) =>
        steps.map(
          ({ address, outcome }) =>
            `${host}: ${address}: ${outcome.kind === 'change' ? outcome.change.summary : outcome.kind}`,
        ),
      ),
    ),
  );
}

test('another name of the virtual IP reissues the certificates of the members, the leader last, and touches nothing else', async () => {
  const { replan } = await planSettledCluster();
  expect(stepsOf(await replan((inventory) => inventory))).toEqual([]);
  const renamed = await replan((inventory) => inventory.replace('etcd.example.com', 'db.example.com'));
  const reissue = 'certificate:/etc/etcd/pki/server.crt: reissue the etcd-server certificate /etc/etcd/pki/server.crt';
  const why = 'SAN DNS db.example.com missing; SAN DNS etcd.example.com no longer wanted';
  expect(stepsOf(renamed)).toEqual(['etcd-2', 'etcd-3', 'etcd-1'].map((host) => `${host}: ${reissue}: ${why}`));
  const members = renamed.plays.find(({ name }) => name === 'etcd members');
  expect(members?.batches.map(({ hosts }) => hosts.length)).toEqual([1, 1, 1]);
  expect(members?.gatesAfter).toEqual(['etcd-healthy']);
});
