import { beforeAll, expect, test } from '@jest/globals';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  etcdctl,
  holdersOf,
  PASSPHRASE,
  performedChanges,
  plannedChanges,
  READYZ,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { isTold, watchAcrossRestore } from '../support/watch-across-restore.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const BALANCERS = ['lb-1', 'lb-2'];

/** The words with which HAProxy and keepalived speak of a configuration that they do not like. */
const COMPLAINT = /warning|alert|error|deprecated|unknown|unsupported|invalid|security|not found|ignor|disabl/i;

const SHAPE = { etcd: 3, lb: 2, controlPlanes: 1, release: 'trixie' } as const;

describeOnLab('the main job on Debian 13, through a sudo user with a password', 'trixie', SHAPE, (lab) => {
  let vip: string;
  let applied: JsonRun;

  beforeAll(async () => {
    vip = await vipOf(lab);
    const begun = Date.now();
    applied = await runVerb(lab, 'apply', lab.files.becomeInventory);
    console.log(`the main job on Debian 13: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    if (applied.status !== 0) throw new Error(endOf(applied));
  });

  test('it ran as the sudo user, on the versions of Debian 13', async () => {
    const versions = await lab.ssh('etcd-1', 'etcd --version | head -n 1');
    const balancer = await lab.ssh('lb-1', 'haproxy -v | head -n 1; keepalived --version 2>&1 | head -n 1');
    const sudo = await lab.ssh('lb-2', 'journalctl -o cat --no-pager -t sudo | grep -c "ops : "');
    console.log(`${versions.stdout}${balancer.stdout}`);
    expect(versions.stdout).toMatch(/etcd Version: 3\.5\./);
    expect(balancer.stdout).toMatch(/HAProxy version 3\.0\..*\nKeepalived v2\.3\./);
    expect(Number(sudo.stdout)).toBeGreaterThan(0);
    // kubeadm-config can't be read before an apiserver runs; then there is none.
    const decided = plannedChanges(applied).filter((line) => !line.endsWith(': unknown'));
    expect([...performedChanges(applied)].sort()).toEqual([...decided].sort());
  });

  test('three healthy members are reached through the virtual IP, on one of the dedicated balancers', async () => {
    const health = await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health --cluster'));
    expect(health.stdout + health.stderr).toMatch(/(is healthy.*\n.*){3}/);
    expect(await holdersOf(lab, BALANCERS, vip)).toHaveLength(1);
    expect(await holdersOf(lab, MEMBERS, vip)).toEqual([]);
    for (const host of MEMBERS)
      expect((await lab.ssh(host, 'systemctl is-active haproxy keepalived')).stdout).toBe('inactive\ninactive\n');
  });

  test('the API server is ready, and connected to the virtual IP only', async () => {
    expect(await waitUntil(async () => (await lab.ssh('cp-1', READYZ)).stdout === 'ok', 120_000, 500)).toBe(true);
    expect((await lab.ssh('cp-1', ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
  });

  test('a plan as root is empty: both users get the same result', async () => {
    const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
  });

  // Revisions are raised, and the old ones are compacted: snapshot.test.ts has the same with an etcd that can not.
  test('a watch that was opened before a restore learns that its revision is gone, and sees no old one', async () => {
    const met = await watchAcrossRestore(lab, 'trixie');
    expect(met.before.filter((name) => name.startsWith('trixie-'))).toContain('trixie-lost-3');
    expect(met.before).not.toContain('trixie-saved');
    expect(met.after).toBeGreaterThan(met.seen + 900_000_000);
    expect([isTold(met, 'trixie'), met.resumed]).toEqual([true, expect.stringContaining('"code":410')]);
  });

  test.each(BALANCERS)('HAProxy on %s has nothing to say about its configuration', async (host) => {
    const checked = await lab.ssh(host, 'haproxy -c -f /etc/haproxy/haproxy.cfg');
    expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, expect.not.stringMatching(COMPLAINT)]);
    // The check hears a complaint where there is one: a frontend without a client time-out.
    const planted = await lab.ssh(
      host,
      "printf 'frontend f\\n mode tcp\\n bind 127.0.0.1:9\\n' >/tmp/planted.cfg; haproxy -c -f /tmp/planted.cfg",
    );
    expect(planted.stdout + planted.stderr).toMatch(COMPLAINT);
  });

  test.each(BALANCERS)('keepalived on %s has nothing to say about its configuration', async (host) => {
    const checked = await lab.ssh(host, 'keepalived --config-test -f /etc/keepalived/keepalived.conf');
    expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, expect.not.stringMatching(COMPLAINT)]);
    const { stdout: journal } = await lab.ssh(host, 'journalctl -o cat --no-pager -u keepalived');
    expect(journal).toContain('Starting VRRP child process');
    expect(journal.split('\n').filter((line) => COMPLAINT.test(line))).toEqual([]);
    const planted = await lab.ssh(
      host,
      "printf 'vrrp_instance x {\\n nonsense 1\\n}\\n' >/tmp/planted.conf; keepalived --config-test -f /tmp/planted.conf",
    );
    expect(planted.stdout + planted.stderr).toMatch(COMPLAINT);
  });

  test('neither the passphrase nor the sudo password is in any output', () => {
    expect(applied.stdout + applied.stderr).not.toContain(PASSPHRASE);
    expect(applied.stdout + applied.stderr).not.toContain('ops-sudo-password');
  });
});
