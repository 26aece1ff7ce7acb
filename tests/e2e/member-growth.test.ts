import { beforeAll, expect, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, ETCD_PEERS, must, runVerb, vipOf } from '../support/main-job.js';
import { expectMembers, ofSize, startedAt, withWriters } from '../support/member-counts.js';
import { STORED_ENDPOINTS, storeConfiguration } from '../support/stored-endpoints.js';
import { ownWays } from '../support/writers.js';

describeOnLab('members join under an API server', 'growth', { etcd: 5, controlPlanes: 1 }, (lab) => {
  let ways: readonly Way[];

  beforeAll(async () => {
    // The lab's control plane is made for all of its hosts of etcd, and the first cluster has one member.
    const files = '/etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/kubeadm.yaml';
    const others = 's#,https://[^,]*:2379##g; /^ *- https:.*1[2-5]:2379$/d';
    const script = `for file in ${files}; do sed '${others}' $file >/root/edited && cat /root/edited >$file; done`;
    await must(lab.ssh('cp-1', script));
    const applied = await runVerb(lab, 'apply', await ofSize(lab, 1, 'open'));
    if (applied.status !== 0) throw new Error(endOf(applied));
    await storeConfiguration(lab);
    // etcd-1 is a member throughout.
    ways = await ownWays(lab, [11], []);
  });

  /** The API server uses so many members directly, and kubeadm's configuration has the virtual IP. */
  async function bypassed(inventory: string, size: number): Promise<void> {
    const on = await runVerb(lab, 'bypass', inventory, 'on');
    expect(endOf(on)).toMatch(/^status 0/);
    const vip = await vipOf(lab);
    const direct = Array.from(
      { length: size },
      (_, index) => `https://${vip.replace(/\d+$/, String(11 + index))}:2379`,
    );
    const { stdout } = await lab.ssh(
      'cp-1',
      `tr '\\0' '\\n' </proc/$(pgrep -x kube-apiserver)/cmdline | grep '^--etcd-servers='`,
    );
    expect(stdout.trim()).toBe(`--etcd-servers=${direct.join()}`);
    expect((await lab.ssh('cp-1', STORED_ENDPOINTS)).stdout).toBe(`https://${vip}:2379\n`);
  }

  /** Members have joined while the load balancer was bypassed: that is reported, the bypass follows, and it ends with an `apply` of all. */
  async function followed(inventory: string): Promise<void> {
    const told = await lab.provision('verify', inventory);
    expect(told.stdout).toMatch(/bypassed, and without https:\S+14:2379, https:\S+15:2379/);
    expect(told.stdout).toContain(`provision bypass ${inventory} on`);
    await bypassed(inventory, 5);
    const whole = await runVerb(lab, 'apply', inventory);
    expect(endOf(whole)).toMatch(/^status 0/);
    expect(await must(lab.ssh('cp-1', ETCD_PEERS))).toBe(`${await vipOf(lab)}:2379\n`);
  }

  test('1 → 2 → 3, and 5 while the load balancer is bypassed: no client sees it, and the bypass follows', async () => {
    const before = await startedAt(lab, 'etcd-1');
    const two = await ofSize(lab, 2, 'open');
    const plan = await lab.provision('plan', two);
    expect(plan.stdout).toContain('etcd has 2 members: 2 must run, so it survives the loss of 0, no more than 1 would');
    expect(plan.stdout).toContain('of two members both must agree: until etcd-2 has started, writes wait');
    await withWriters(lab, ways, 'two', async () => runVerb(lab, 'apply', two));
    await expectMembers(lab, 2, 'open');

    const three = await ofSize(lab, 3, 'open');
    await withWriters(lab, ways, 'three', async () => runVerb(lab, 'apply', three));
    await bypassed(three, 3);
    const five = await ofSize(lab, 5, 'open');
    await withWriters(lab, ways, 'five', async () => runVerb(lab, 'apply', five, '--playbook', 'etcd'));
    await followed(five);
    await expectMembers(lab, 5, 'open');
    expect(await startedAt(lab, 'etcd-1')).toBe(before);
  });
});
