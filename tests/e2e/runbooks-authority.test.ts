import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { must, PASSPHRASE } from '../support/main-job.js';
import { listed } from '../support/member-counts.js';
import { etcdFaults, waitingActs, writePassphrase } from '../support/runbook-acts.js';

// The runbooks that change whom members trust, and what is left of them: typed from their text, on one cluster.

describeOnLab('runbooks of the authority and of the worst day', 'authority', { etcd: 3 }, (lab) => {
  // One after the other: each takes the cluster that the one before has left.
  test('do what they say', async () => {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      etcdFaults(lab),
    );
    writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
    await must(lab.provision('apply', inventory, '--yes', '--passphrase-file', join(at.work, 'passphrase')));
    const authority = readFileSync(join(at.work, 'pki/ca.crt'), 'utf8');
    // It has four stages, and does one a run.
    for (let stage = 0; stage < 4; stage += 1) await workThroughPage('runbooks/rotate-the-ca', at);
    const { stdout } = await lab.provision('plan', inventory);
    expect(stdout).toContain('No changes.');
    expect(readFileSync(join(at.work, 'pki/ca.crt'), 'utf8')).not.toBe(authority);
    await workThroughPage('runbooks/quorum-lost', at);
    expect(await listed(lab)).toEqual(['etcd-1 started', 'etcd-2 started', 'etcd-3 started']);
  });
});
