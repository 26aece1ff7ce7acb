import { beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { powerCut, rebootHost, startHost } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab } from '../support/lab.js';
import {
  countSessions,
  endOf,
  ETCD_PEERS,
  etcdctl,
  holdersOf,
  longestGap,
  PASSPHRASE,
  performedChanges,
  plannedChanges,
  READYZ,
  runVerb,
  sessionsOn,
  vipOf,
  writer,
  type JsonRun,
} from '../support/main-job.js';
import { overlaysOf, writtenBetween, type Overlays } from '../support/overlays.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const HOSTS = [...MEMBERS, ...CONTROL_PLANES];

describeOnLab('the main job on bare hosts', 'job', { etcd: 3, controlPlanes: 2, crashPauses: 'kubelet' }, (lab) => {
  let vip: string;
  let bare: Overlays;
  let afterPlan: Overlays;
  let firstPlan: JsonRun;
  let firstApply: JsonRun;

  beforeAll(async () => {
    vip = await vipOf(lab);
    await countSessions(lab, HOSTS);
    bare = await overlaysOf(lab, HOSTS);
    firstPlan = await runVerb(lab, 'plan', '--detailed-exitcode');
    afterPlan = await overlaysOf(lab, HOSTS);
    firstApply = await runVerb(lab, 'apply');
    if (firstApply.status !== 0) throw new Error(endOf(firstApply));
  });

  test('the first plan has changes, and writes nothing on any host', () => {
    expect(firstPlan.status).toBe(2);
    expect(writtenBetween(bare, afterPlan)).toEqual([]);
  });

  test('the check for written files finds what apply wrote', async () => {
    const all = writtenBetween(bare, await overlaysOf(lab, HOSTS));
    expect(all).toEqual(
      expect.arrayContaining(['etcd-1 /etc/haproxy/haproxy.cfg', 'cp-1 /etc/kubernetes/manifests/kube-apiserver.yaml']),
    );
  });

  test('what apply performed is what the plan listed, item by item', () => {
    const planned = plannedChanges(firstPlan);
    expect(planned.length).toBeGreaterThan(50);
    // No apiserver runs yet; once one does, it says that there is no kubeadm-config.
    const [undecided] = planned.filter((line) => line.endsWith(': unknown'));
    expect(undecided).toMatch(/ \/ cp-1 \/ config-map:kube-system\/kubeadm-config: unknown$/);
    expect([...performedChanges(firstApply)].sort()).toEqual(planned.filter((line) => line !== undecided).sort());
    expect(plannedChanges(firstApply)).toEqual(planned);
  });

  test('three healthy members are reached through the virtual IP with full verification', async () => {
    const health = await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health --cluster'));
    expect(health.stdout + health.stderr).toMatch(/(is healthy.*\n.*){3}/);
    // It is a check that can fail: without the CA, the same endpoint is refused.
    const unverified = await lab.ssh(
      'etcd-1',
      `ETCDCTL_API=3 etcdctl --endpoints=https://${vip}:2379 --command-timeout=2s endpoint health`,
    );
    expect(unverified.status).not.toBe(0);
  });

  test('one host holds the virtual IP, and HAProxy is up on all three', async () => {
    expect(await holdersOf(lab, MEMBERS, vip)).toHaveLength(1);
    for (const host of MEMBERS) {
      const { stdout } = await lab.ssh(
        host,
        'systemctl is-active haproxy keepalived etcd; systemctl is-enabled haproxy keepalived etcd',
      );
      expect(stdout.trim().split('\n')).toEqual(['active', 'active', 'active', 'enabled', 'enabled', 'enabled']);
    }
  });

  test('both API servers are ready and connected to the virtual IP only', async () => {
    for (const host of CONTROL_PLANES) {
      expect((await lab.ssh(host, READYZ)).stdout).toBe('ok');
      expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
    }
  });

  test('a second plan is empty, an apply changes nothing, and each costs one exec a host', async () => {
    const before = await overlaysOf(lab, HOSTS);
    const sessions = await Promise.all(HOSTS.map(async (host) => sessionsOn(lab, host)));
    const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
    const apply = await runVerb(lab, 'apply');
    const counted = await Promise.all(HOSTS.map(async (host) => sessionsOn(lab, host)));
    expect([plan.status, apply.status]).toEqual([0, 0]);
    expect(plannedChanges(plan)).toEqual([]);
    expect(performedChanges(apply)).toEqual([]);
    expect(writtenBetween(before, await overlaysOf(lab, HOSTS))).toEqual([]);
    // The plan's exec, the apply's, and the one that counts.
    expect(counted.map((count, index) => count - (sessions[index] ?? 0))).toEqual(HOSTS.map(() => 3));
  });

  test('a saved plan is applied exactly, or refused with what drifted', async () => {
    const file = `${lab.files.inventory}.plan`;
    await lab.ssh('etcd-2', 'echo "# drift" >> /etc/haproxy/haproxy.cfg');
    expect((await runVerb(lab, 'plan', '-o', file)).status).toBe(0);
    await lab.ssh('etcd-3', 'echo "# more drift" >> /etc/haproxy/haproxy.cfg');
    const refused = await runVerb(lab, 'apply', '--plan', file);
    expect(refused.status).toBe(EXIT.stale);
    expect(refused.stdout).toContain('etcd-3 file:/etc/haproxy/haproxy.cfg');
    expect(performedChanges(refused)).toEqual([]);
    expect((await runVerb(lab, 'plan', '-o', file)).status).toBe(0);
    const applied = await runVerb(lab, 'apply', '--plan', file);
    expect(applied.status).toBe(0);
    expect(performedChanges(applied)).toEqual(plannedChanges(applied));
    expect(performedChanges(applied)).toHaveLength(4);
  });

  test('a sudo user with a password gets the same result as root', async () => {
    const plan = await runVerb(lab, 'plan', lab.files.becomeInventory, '--detailed-exitcode');
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
  });

  test('no passphrase and no private key in any output', () => {
    const shown = [firstPlan, firstApply].map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(shown).not.toContain(PASSPHRASE);
    expect(shown).not.toContain('PRIVATE KEY');
    // The search works: what is shown is in it.
    expect(shown).toContain('/etc/etcd/pki/server.crt');
  });

  describe('when things go down', () => {
    async function settled(): Promise<void> {
      const isHealthy = async (): Promise<boolean> =>
        (await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health --cluster'))).status === 0 &&
        (await Promise.all(CONTROL_PLANES.map(async (host) => lab.ssh(host, READYZ)))).every(
          ({ stdout }) => stdout === 'ok',
        );
      expect(await waitUntil(isHealthy, 120_000, 500)).toBe(true);
    }

    let runs = 0;

    async function gapWhile(client: string, fault: () => Promise<void>): Promise<number> {
      runs += 1;
      const run = `writer-${runs}`;
      const writing = lab.ssh(client, writer(vip, run));
      const hasBegun = async (): Promise<boolean> => (await lab.ssh(client, `test -e /tmp/${run}.begun`)).status === 0;
      expect(await waitUntil(hasBegun, 120_000, 100)).toBe(true);
      await fault();
      await lab.ssh(client, `touch /tmp/${run}.stop`);
      return longestGap((await writing).stdout);
    }

    async function holderAndClient(): Promise<{ holder: string; client: string }> {
      const [holder = ''] = await holdersOf(lab, MEMBERS, vip);
      return { holder, client: MEMBERS.find((host) => host !== holder) ?? '' };
    }

    test('HAProxy on the holder: the virtual IP moves and a client through it goes on', async () => {
      const { holder, client } = await holderAndClient();
      const gap = await gapWhile(client, async () => {
        await lab.ssh(holder, 'systemctl stop haproxy');
        expect(await waitUntil(async () => !(await holdersOf(lab, MEMBERS, vip)).includes(holder), 120_000, 100)).toBe(
          true,
        );
      });
      console.log(`HAProxy stopped on the holder: a client was without the virtual IP for ${gap.toFixed(1)} s`);
      await lab.ssh(holder, 'systemctl start haproxy');
      expect(gap).toBeGreaterThan(0.1);
      expect(gap).toBeLessThan(20);
      await settled();
    });

    test('power of the holder: the same', async () => {
      const { holder, client } = await holderAndClient();
      const machine = await lab.host(holder);
      const gap = await gapWhile(client, async () => powerCut(machine));
      console.log(`power cut of the holder: a client was without the virtual IP for ${gap.toFixed(1)} s`);
      expect(gap).toBeLessThan(20);
      await startHost(machine);
      await settled();
    });

    test('a host reboots: all comes back, and the plan stays empty', async () => {
      await rebootHost(await lab.host('etcd-2'));
      await settled();
      const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
      expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    });
  });
});
