import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { aSecond, authorityOf, expireCertificate } from '../support/expire-certificate.js';
import { adopt, createHandMadeCluster, memberctl, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { hostsWithSnapshots } from '../support/hosts-with-snapshots.js';
import { describeOnLab } from '../support/lab.js';
import {
  consentTyped,
  endOf,
  inventoryWith,
  must,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
  verifyUntil,
} from '../support/main-job.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

// Its members have other units, data directories and configurations each, and there is no control plane.
describeOnLab('snapshots and certificates of an existing etcd cluster', 'snapadopt', { etcd: 3 }, (lab) => {
  let made: HandMadeCluster;

  /** Asks the member of a host at its own address. */
  const ctl = async (host: string, words: string): Promise<string> => {
    const endpoint = made.endpoints[MEMBERS.indexOf(host)] ?? '';
    return (await must(lab.ssh(host, memberctl(host, `--endpoints=${endpoint} ${words}`)))).trim();
  };

  beforeAll(async () => {
    made = await createHandMadeCluster(lab);
    await adopt(lab, made);
  });

  test('are saved and restored on it; every member has the old value, and its data of before', async () => {
    await ctl('etcd-1', 'put planted before');
    const file = join(dirname(lab.files.inventory), 'saved', 'adopted.db');
    await must(lab.provision('snapshot', 'save', lab.files.inventory, '-o', file));
    await ctl('etcd-1', 'put planted after');
    const dryRun = await must(lab.provision('snapshot', 'restore', lab.files.inventory, file, '--dry-run'));
    expect(dryRun).toContain('revisions are NOT raised');
    expect(await ctl('etcd-2', 'get planted --print-value-only')).toBe('after');
    const words = await consentTyped(lab);
    await must(lab.provision('snapshot', 'restore', lab.files.inventory, file, ...words));
    for (const host of MEMBERS) {
      expect(await ctl(host, 'get planted --print-value-only')).toBe('before');
      const kept = await must(lab.ssh(host, 'find /var/lib /srv -maxdepth 4 -name "member.before-*" -type d'));
      expect(kept.trim().split('\n')).toHaveLength(1);
    }
    const verified = await lab.provision('verify', lab.files.inventory);
    expect(verified.stdout).not.toMatch(/✘.*etcd/);
  });

  test('are saved by the hosts on a schedule, with the paths and credentials that its owners gave it; without a schedule nothing is left', async () => {
    const kept = '/srv/backups/etcd';
    const inventory = await inventoryWith(lab, 'scheduled', [
      'etcd_snapshot_schedule: hourly',
      `etcd_snapshot_directory: ${kept}`,
    ]);
    const applied = await runVerb(lab, 'apply', inventory);
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    for (const host of MEMBERS) {
      await must(lab.ssh(host, 'systemctl start provision-etcd-snapshot'));
      const script = await must(lab.ssh(host, 'cat /usr/local/lib/provision/etcd-snapshot'));
      expect(script).toContain(`--key=/etc/ssl/etcd/private/${host}-dev_key.pem`);
    }
    const verified = await verifyUntil(lab, inventory);
    expect(verified.status === 0 ? '' : endOf(verified)).toBe('');
    expect(await hostsWithSnapshots(lab, inventory)).toEqual(MEMBERS);
    const manifest = JSON.parse(await must(lab.ssh('etcd-3', `cat ${kept}/etcd-etcd-3-*.json`))) as Record<
      string,
      unknown
    >;
    expect(manifest).toMatchObject({ from: { name: 'etcd-3-dev' }, liveKeys: expect.any(Number) as unknown });

    const without = await runVerb(lab, 'apply');
    expect(endOf(without)).toMatch(/^status 0/);
    expect(performedChanges(without).filter((line) => line.includes('no-timer:'))).toHaveLength(3);
    const left =
      'ls -d /etc/systemd/system/*etcd-snapshot* /etc/systemd/system/*.wants/*etcd-snapshot* /usr/local/lib/provision/etcd-snapshot';
    for (const host of MEMBERS) {
      expect(
        (await lab.ssh(host, `${left} 2>/dev/null; systemctl is-active provision-etcd-snapshot.timer`)).stdout,
      ).toBe('inactive\n');
      expect((await must(lab.ssh(host, `ls ${kept}/*.db`))).trim().split('\n')).toHaveLength(1);
    }
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
  });

  test('its certificates have expired, and all was restarted since: verify and doctor say so, and certs renew repairs it', async () => {
    const path = (host: string): string => `/etc/ssl/etcd/certificate/${host}-dev_cert.pem`;
    const authority = await authorityOf(made.caCertificate, made.caKey);
    await Promise.all(
      MEMBERS.map(async (host) => {
        await expireCertificate(lab, { host, path: path(host) }, authority, aSecond());
        await must(lab.ssh(host, `systemctl restart --no-block ${made.unitOf(host)}`));
      }),
    );
    const verified = await lab.provision('verify', lab.files.inventory);
    const doctor = await lab.provision('doctor', 'etcd', lab.files.inventory);
    const credentials = ['--passphrase-file', await passphraseFile(lab), '--yes', '--gate-timeout', '60'];
    const renewed = await lab.provision('certs', 'renew', lab.files.inventory, 'etcd-server', ...credentials);
    for (const host of MEMBERS) {
      expect(verified.stdout).toMatch(new RegExp(`${host}.*${path(host)}.*expired on`));
      expect(doctor.stdout).toContain(`has ${path(host)}, which expired on`);
    }
    expect([verified.status, doctor.status]).toEqual([1, 1]);
    expect(doctor.stdout).toMatch(/certificate[\s\S]*provision apply /);
    expect(renewed.status === 0 ? '' : endOf(renewed)).toBe('');
    for (const host of MEMBERS) expect(await ctl(host, 'endpoint health')).toBe('');
    expect((await lab.provision('doctor', 'etcd', lab.files.inventory)).status).toBe(0);
  });
});
