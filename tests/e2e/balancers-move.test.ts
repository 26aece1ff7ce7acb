import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { endOf, holdersOf, plannedChanges, runVerb, vipOf } from '../support/main-job.js';
import { apiWay, lostWrites, startWriters } from '../support/writers.js';

jest.setTimeout(300_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** The lab's inventory with these hosts as its balancers. */
async function balancedBy(lab: TestLab, hosts: readonly string[]): Promise<string> {
  const text = await readFile(lab.files.inventory, 'utf8');
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${hosts.join('-')}.yaml`);
  const group = `    etcd_lb:\n      hosts: {${hosts.map((host) => `${host}: `).join(', ')}}\n`;
  await writeFile(file, text.replace('  children:\n', `  children:\n${group}`));
  return file;
}

describeOnLab('balancers on other hosts', 'lbmove', { etcd: 3, controlPlanes: 1 }, (lab) => {
  let vip: string;
  let way: Way;

  beforeAll(async () => {
    vip = await vipOf(lab);
    const first = await runVerb(lab, 'apply', await balancedBy(lab, ['etcd-1', 'etcd-2']));
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', ['cp-1']);
  }, 300_000);

  test('a former balancer is named; what the hints say moves them, and no client notices', async () => {
    const next = await balancedBy(lab, ['etcd-3', 'cp-1']);
    const writers = await startWriters(lab, 'move', [way]);
    const refused = await runVerb(lab, 'plan', next);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/etcd-[12] is no load balancer in this inventory/);
    expect(endOf(await runVerb(lab, 'bypass', next, 'on'))).toMatch(/^status 0/);
    for (const host of ['etcd-1', 'etcd-2']) await lab.ssh(host, 'systemctl disable --now keepalived');
    expect(endOf(await runVerb(lab, 'apply', next))).toMatch(/^status 0/);
    const done = await writers.stop();
    expect(done.flatMap(({ failed }) => failed)).toEqual([]);
    expect(done[0]?.acknowledged.length).toBeGreaterThan(50);
    expect(await lostWrites(lab, 'move', [way], done)).toEqual([]);
    expect(await holdersOf(lab, [...MEMBERS, 'cp-1'], vip)).toHaveLength(1);
    expect(await holdersOf(lab, ['etcd-1', 'etcd-2'], vip)).toEqual([]);
    expect(plannedChanges(await runVerb(lab, 'plan', next))).toEqual([]);
  });
});
