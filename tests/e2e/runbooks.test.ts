import { join } from 'node:path';
import { jest, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { endOf, PASSPHRASE } from '../support/main-job.js';
import type { PagePlace } from '../support/page.js';
import { etcdFaults, giveDiskBack, sayForEtcd, waitingActs, writePassphrase } from '../support/runbook-acts.js';

// What the runbooks say is what repairs it: their commands are typed from their text, after what they are for was done.

// Against hanging, on a machine ten times slower.
jest.setTimeout(2_400_000);

describeOnLab('runbooks', 'runbooks', { etcd: 3, controlPlanes: 1 }, (lab) => {
  async function clusterWithRunbooks(): Promise<PagePlace> {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
    const secret = ['--passphrase-file', join(at.work, 'passphrase')];
    sayForEtcd(at.work, ['etcd_quota_backend_bytes: 16777216']);
    const applied = await lab.provision('apply', inventory, '--yes', ...secret);
    if (applied.status !== 0) throw new Error(endOf(applied));
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      etcdFaults(lab),
    );
    return at;
  }

  // One after the other: each takes the cluster that the one before has left.
  test('repair what they are for', async () => {
    const at = await clusterWithRunbooks();
    const healthy = async (): Promise<unknown> => at.byHand['wait until all is healthy']?.();
    await workThroughPage('runbooks/etcd-does-not-answer', at);
    await workThroughPage('runbooks/disk-full', at);
    await giveDiskBack(lab);
    await healthy();
  });
});
