import { expect, test } from '@jest/globals';
import { variantOf } from '../support/balancer-moves.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, holdersOf, plannedChanges, runVerb, vipOf } from '../support/main-job.js';

describeOnLab('load balancers grow', 'grow', { etcd: 3 }, (lab) => {
  test('from one to three in one run: the address is on one host, and nothing is left to do', async () => {
    const one = await variantOf(lab, 'one', (text) => `${text}    etcd_lb:\n      hosts:\n        etcd-1:\n`);
    expect(endOf(await runVerb(lab, 'apply', one))).toMatch(/^status 0/);
    expect(endOf(await runVerb(lab, 'apply'))).toMatch(/^status 0/);
    expect(await holdersOf(lab, ['etcd-1', 'etcd-2', 'etcd-3'], await vipOf(lab))).toHaveLength(1);
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });
});
