import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  holdersOf,
  inventoryWith,
  performedChanges,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { apiWay, lostWrites, startWriters, tell, type Written } from '../support/writers.js';

jest.setTimeout(240_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const PEERS =
  "ss -Htnp state established | grep kube-apiserver | awk '{print $4}' | grep -E ':(2379|12379)$' | sort -u";

describeOnLab('another virtual IP, and another port', 'vipchange', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let old: string;
  let next: string;
  let way: Way;
  let planned: JsonRun;
  let applied: JsonRun;
  let done: readonly Written[];

  async function applyWhileWriting(run: string, inventory: string): Promise<void> {
    planned = await runVerb(lab, 'plan', inventory);
    const writers = await startWriters(lab, run, [way]);
    applied = await runVerb(lab, 'apply', inventory);
    done = await writers.stop();
    console.log([`${run}:`, ...done.map(tell)].join('\n  '));
  }

  async function expectNobodyNoticed(run: string): Promise<void> {
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(performedChanges(applied)).toEqual(plannedChanges(planned));
    expect(done.flatMap(({ failed }) => failed)).toEqual([]);
    expect(done[0]?.acknowledged.length).toBeGreaterThan(50);
    expect(await lostWrites(lab, run, [way], done)).toEqual([]);
  }

  beforeAll(async () => {
    old = await vipOf(lab);
    next = old.replace(/\d+$/, '99');
    const first = await runVerb(lab, 'apply');
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', CONTROL_PLANES);
  }, 300_000);

  test('the API servers leave the old address one by one, before it goes, and no client notices', async () => {
    const inventory = await inventoryWith(lab, 'address', []).then(async (file) => {
      await lab.onControlSide(['sed', '-i', `s/etcd_lb_ip: .*/etcd_lb_ip: ${next}/`, file]);
      return file;
    });
    // Without the balancers: the members' new certificates do not name the old address, so nobody may use it by then.
    const alone = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'etcd'));
    expect(alone.slice(0, 2).map((line) => line.split(' / ').slice(0, 2).join(' / '))).toEqual([
      'Move off an old virtual IP / cp-1',
      'Move off an old virtual IP / cp-2',
    ]);
    await applyWhileWriting('address', inventory);
    await expectNobodyNoticed('address');
    const moves = performedChanges(applied).filter((line) => line.includes('static-pod:'));
    expect(moves.map((line) => line.split(' / ').slice(0, 2).join(' / '))).toEqual([
      'Move off an old virtual IP / cp-1',
      'Move off an old virtual IP / cp-2',
      'Repoint the API servers / cp-1',
      'Repoint the API servers / cp-2',
    ]);
    expect(await holdersOf(lab, MEMBERS, old)).toEqual([]);
    expect(await holdersOf(lab, MEMBERS, next)).toHaveLength(1);
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, PEERS)).stdout).toBe(`${next}:2379\n`);
    const again = await runVerb(lab, 'plan', inventory);
    expect(plannedChanges(again)).toEqual([]);
  });

  test('the same for the port', async () => {
    const inventory = await inventoryWith(lab, 'port', ['etcd_lb_port: 12379']);
    await lab.onControlSide(['sed', '-i', `s/etcd_lb_ip: .*/etcd_lb_ip: ${next}/`, inventory]);
    await applyWhileWriting('port', inventory);
    await expectNobodyNoticed('port');
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, PEERS)).stdout).toBe(`${next}:12379\n`);
  });
});
