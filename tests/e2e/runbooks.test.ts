import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeAuthority } from '../../src/pki/issue.js';
import { releaseOf } from '../support/etcd-releases.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { endOf, must, PASSPHRASE } from '../support/main-job.js';
import type { PagePlace } from '../support/page.js';
import {
  balancerFaults,
  etcdFaults,
  giveDiskBack,
  goOnWithNewMachine,
  onHosts,
  pkiFaults,
  sayForEtcd,
  waitingActs,
  writePassphrase,
} from '../support/runbook-acts.js';
import { circumstancesAt } from '../support/test-authority.js';

// What the runbooks say is what repairs it: their commands are typed from their text, after what they are for was done.

// Against hanging, on a machine ten times slower.
const DAY_MS = 24 * 60 * 60 * 1000;
const ALL = ['etcd-1', 'etcd-2', 'etcd-3'];

const LOST_FOR_GOOD = 'The key or the passphrase is lost for good';

describeOnLab('runbooks', 'runbooks', { etcd: 3, controlPlanes: 1 }, (lab) => {
  async function clusterWithRunbooks(): Promise<PagePlace> {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    const begun = new Date(Date.now() - 500 * DAY_MS);
    const authority = await makeAuthority(
      { commonName: 'etcd-ca', days: 3650, keyType: 'ecdsa-p256' },
      circumstancesAt(begun),
    );
    mkdirSync(join(at.work, 'made'));
    writeFileSync(join(at.work, 'made/ca.crt'), authority.certificatePem);
    writeFileSync(join(at.work, 'made/ca.key'), authority.keyPem.reveal(), { mode: 0o600 });
    writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
    const secret = ['--passphrase-file', join(at.work, 'passphrase')];
    const files = ['--certificate', join(at.work, 'made/ca.crt'), '--key', join(at.work, 'made/ca.key')];
    await must(lab.provision('ca', 'import', join(at.work, 'pki'), ...files, ...secret));
    sayForEtcd(at.work, ['etcd_quota_backend_bytes: 16777216']);
    const [applied] = await Promise.all([
      lab.provision('apply', inventory, '--yes', ...secret),
      onHosts(
        lab,
        ['etcd-1', 'etcd-2'],
        'apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qqy -o DPkg::Lock::Timeout=120 install nftables',
      ),
    ]);
    if (applied.status !== 0) throw new Error(endOf(applied));
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      etcdFaults(lab),
      balancerFaults(lab),
      pkiFaults(lab, at.work, authority),
      {
        'put a schedule into the inventory': () => {
          sayForEtcd(at.work, ["etcd_snapshot_schedule: '*-*-* 02:30'", 'etcd_snapshot_directory: /srv/backups/etcd']);
        },
        'name a newer release in the inventory': async () => {
          const { version, sha256, path } = await releaseOf('trixie', join(at.work, 'made'));
          sayForEtcd(at.work, [
            'etcd_install: release',
            `etcd_version: ${version}`,
            `etcd_release_sha256: ${sha256}`,
            `etcd_release_url: ${path}`,
          ]);
        },
      },
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
    await workThroughPage('runbooks/virtual-ip-on-nobody-or-two', at);
    await workThroughPage('runbooks/bypass', at);
    await healthy();
    await workThroughPage('runbooks/certificates-expiring', at);
    // What is between is the lab test lost-authority.
    await workThroughPage('runbooks/lost-pki', at, { before: LOST_FOR_GOOD });
    await workThroughPage('runbooks/lost-pki', at, { from: 'The passphrase may be known to others' });
    await workThroughPage('runbooks/move-the-ca', at);
    goOnWithNewMachine(at.work);
    await workThroughPage('runbooks/snapshots', at);
    await healthy();
    await workThroughPage('runbooks/upgrade-etcd', at);
    await healthy();
    for (const host of ALL) expect((await lab.ssh(host, 'ls -d /var/lib/etcd/default/member.before-*')).status).toBe(0);
  });
});
