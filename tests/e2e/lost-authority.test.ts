import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { ETCD_PEERS, etcdctl, must, PASSPHRASE, READYZ, vipOf } from '../support/main-job.js';
import { waitingActs, writePassphrase } from '../support/runbook-acts.js';

// The authority's key is lost for good: a second cluster, on hosts of its own, takes over what the first one has.

describeOnLab('a lost authority', 'lostca', { etcd: 3, hosts: 3, controlPlanes: 1 }, (lab) => {
  const LOCAL = 'https://127.0.0.1:2379';

  test('is the end of its cluster, and not of its data: a second one goes on, by the runbook', async () => {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const waiting = waitingActs(lab, () => join(at.work, 'second.yaml'));
    Object.assign(acts, { 'wait until the second cluster is healthy': waiting['wait until all is healthy'] });
    const inventory = join(at.work, 'inventory.yaml');
    writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
    await must(lab.provision('apply', inventory, '--yes', '--passphrase-file', join(at.work, 'passphrase')));
    await must(lab.ssh('etcd-1', etcdctl(LOCAL, 'put planted kept')));
    renameSync(join(at.work, 'pki'), join(at.work, '.lost'));

    const others = (await lab.host('host-1')).lab.hosts.filter(({ role }) => role === 'plain');
    const here = (text: string): string =>
      others.reduce(
        (done, { address }, index) => done.replaceAll(`10.0.1.${14 + index} `, `${address} `),
        at.here(text),
      );
    const part = {
      from: 'The key or the passphrase is lost for good',
      before: 'The passphrase may be known to others',
    };
    await workThroughPage('runbooks/lost-pki', { ...at, here }, part);

    for (const host of ['host-1', 'host-2', 'host-3'])
      expect(await must(lab.ssh(host, etcdctl(LOCAL, 'get planted --print-value-only')))).toBe('kept\n');
    expect((await lab.ssh('cp-1', READYZ)).stdout).toBe('ok');
    const address = (await vipOf(lab)).replace(/\d+$/, '99');
    expect((await lab.ssh('cp-1', ETCD_PEERS)).stdout).toBe(`${address}:2379\n`);
  });
});
