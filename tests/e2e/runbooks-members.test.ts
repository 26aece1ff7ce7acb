import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { loseMachine } from '../support/lost-machine.js';
import { must, PASSPHRASE } from '../support/main-job.js';
import { listed } from '../support/member-counts.js';
import type { PagePlace } from '../support/page.js';
import { etcdFaults, waitingActs, writePassphrase } from '../support/runbook-acts.js';

// The runbooks that change who is a member: typed from their text, on one cluster.

describeOnLab('runbooks of members', 'members', { etcd: 4 }, (lab) => {
  const THREE = ['etcd-1 started', 'etcd-2 started', 'etcd-3 started'];

  /** The lines of a host in the inventory: taken out, or put back below another group. */
  function withHost(text: string, host: string, group: 'etcd' | 'etcd_former' | 'none'): string {
    const [lines = ''] = new RegExp(` {8}${host}:.*\\n(?: {10}.*\\n)*`).exec(text) ?? [];
    const without = text.replace(lines, '').replace(/ {4}etcd_former:\n {6}hosts:\n/, '');
    if (group === 'none') return without;
    if (group === 'etcd') return text;
    return `${without.trimEnd()}\n    etcd_former:\n      hosts:\n${lines}`;
  }

  async function clusterOfThree(): Promise<PagePlace> {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    const four = readFileSync(inventory, 'utf8');
    const put = (group: 'etcd' | 'etcd_former' | 'none'): void => {
      writeFileSync(inventory, withHost(four, 'etcd-4', group));
    };
    put('none');
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      etcdFaults(lab),
      {
        'put etcd-4 into the group etcd': () => {
          put('etcd');
        },
        'move etcd-4 to the group etcd_former': () => {
          put('etcd_former');
        },
        'replace the machine of etcd-3': () => loseMachine(lab, 'etcd-3'),
      },
    );
    writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
    await must(lab.provision('apply', inventory, '--yes', '--passphrase-file', join(at.work, 'passphrase')));
    return at;
  }

  // One after the other: each takes the cluster that the one before has left.
  test('do what they say', async () => {
    const at = await clusterOfThree();
    await workThroughPage('runbooks/add-a-member', at);
    expect(await listed(lab)).toEqual([...THREE, 'etcd-4 started']);
    await workThroughPage('runbooks/remove-a-member', at);
    expect(await listed(lab)).toEqual(THREE);
    await workThroughPage('runbooks/replace-a-member', at);
    expect(await listed(lab)).toEqual(THREE);
  });
});
