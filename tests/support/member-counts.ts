import { readFile, writeFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import type { Way } from './cluster-client.js';
import type { TestLab } from './lab.js';
import { endOf, etcdctl, plannedChanges, runVerb, vipOf, type JsonRun } from './main-job.js';
import { lostWrites, startWriters, tell, type Written } from './writers.js';

// For labs of five hosts whose inventory says how many of them are members.

/**
 * The lab's inventory, with only the first so many hosts in the group etcd; one of them is the load balancer.
 * @param firewall `guarded`: hosts let in each other and the writers only
 */
export async function ofSize(lab: TestLab, size: number, firewall: 'guarded' | 'open' = 'guarded'): Promise<string> {
  const vip = await vipOf(lab);
  const own = await lab.onControlSide(['sh', '-c', `ip -o route get ${vip} | sed 's/.* src \\([^ ]*\\).*/\\1/'`]);
  const guard = `    etcd_firewall: true\n    etcd_firewall_allow: [${own.stdout.trim()}]\n`;
  const read = await readFile(lab.files.inventory, 'utf8');
  const whole = firewall === 'open' ? read : read.replace('  vars:\n', `  vars:\n${guard}`);
  const text = whole.replace('  children:\n', '  children:\n    etcd_lb:\n      hosts:\n        etcd-1:\n');
  const gone = [1, 2, 3, 4, 5].slice(size);
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `members-${size}-${firewall}.yaml`);
  await writeFile(
    file,
    gone.reduce((all, number) => all.replace(new RegExp(` {8}etcd-${number}:.*\\n(?: {10}.*\\n)*`), ''), text),
  );
  return file;
}

/** That inventory with the lines that a refusal prints for the members that it does not name any more. */
export async function withPrintedLines(lab: TestLab, size: number): Promise<string> {
  const file = await ofSize(lab, size);
  const { stdout } = await runVerb(lab, 'plan', file);
  const text = stdout.replaceAll('\\n', '\n').replaceAll('\\"', '"');
  const [lines = ''] = /^etcd_former:\n {2}hosts:\n(?: {4}etcd-\d: .*\n)+/m.exec(text) ?? [];
  const former = file.replace(/\.yaml$/, '-former.yaml');
  await writeFile(former, `${await readFile(file, 'utf8')}${lines}`);
  return former;
}

/** The backends that the load balancer leads to. */
async function backends(lab: TestLab): Promise<readonly string[]> {
  const { stdout } = await lab.ssh('etcd-1', "sed -n 's/^ *server \\(etcd-[0-9]\\) .*/\\1/p' /etc/haproxy/haproxy.cfg");
  return stdout.trim().split('\n').toSorted();
}

/** Makes a member the leader. */
export async function lead(lab: TestLab, host: string): Promise<void> {
  const ctl = (words: string): string => etcdctl('https://127.0.0.1:2379', words);
  const { stdout } = await lab.ssh('etcd-1', ctl('member list'));
  const [id = ''] =
    stdout
      .split('\n')
      .find((line) => line.includes(`, ${host}, `))
      ?.split(', ') ?? [];
  const leads = "endpoint status -w simple | awk -F ', ' '{ print $5 }'";
  for (const name of named(5))
    if ((await lab.ssh(name, ctl(leads))).stdout.trim() === 'true' && name !== host)
      await lab.ssh(name, ctl(`move-leader ${id}`));
  expect((await lab.ssh(host, ctl(leads))).stdout.trim()).toBe('true');
}

/** Members as etcd lists them: `etcd-1 started voter`. */
export async function listed(lab: TestLab): Promise<readonly string[]> {
  const { stdout } = await lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'member list'));
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(', '))
    .map(([, state = '', name = '', , , learner = '']) => `${name} ${state}${learner === 'true' ? ' learner' : ''}`)
    .toSorted();
}

/** When etcd was started on a host, by its own clock; another value after a restart. */
export async function startedAt(lab: TestLab, host: string): Promise<string> {
  return (await lab.ssh(host, 'systemctl show -P ActiveEnterTimestampMonotonic etcd')).stdout.trim();
}

/** `etcd-1` and so on. */
export function named(size: number): readonly string[] {
  return [1, 2, 3, 4, 5].slice(0, size).map((number) => `etcd-${number}`);
}

/** So many members and backends, nothing left to plan, and `verify` finds nothing wrong. */
export async function expectMembers(
  lab: TestLab,
  size: number,
  firewall: 'guarded' | 'open' = 'guarded',
): Promise<void> {
  expect(await listed(lab)).toEqual(named(size).map((name) => `${name} started`));
  expect(await backends(lab)).toEqual(named(size));
  expect(plannedChanges(await runVerb(lab, 'plan', await ofSize(lab, size, firewall)))).toEqual([]);
  const verified = await lab.provision('verify', await ofSize(lab, size, firewall));
  expect(endOf(verified)).toMatch(/^status 0/);
}

/** Does something while clients write on all ways in: none fails, and nothing that was acknowledged is lost, on the ways that are there afterwards. */
export async function whileWriting<T>(
  lab: TestLab,
  ways: readonly Way[],
  name: string,
  work: () => Promise<T>,
  afterwards: readonly Way[] = ways,
): Promise<T> {
  const writers = await startWriters(lab, name, ways);
  const begun = Date.now();
  let written: readonly Written[] = [];
  const ended = await work().finally(async () => {
    written = await writers.stop();
  });
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  console.log([`${name} in ${seconds} s`, ...written.map(tell)].join('\n'));
  expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
  expect(await lostWrites(lab, name, afterwards, written)).toEqual([]);
  return ended;
}

/** A run of this program {@link whileWriting}. */
export async function withWriters(
  lab: TestLab,
  ways: readonly Way[],
  name: string,
  work: () => Promise<JsonRun>,
  afterwards: readonly Way[] = ways,
): Promise<JsonRun> {
  const checked = async (): Promise<JsonRun> => {
    const ended = await work();
    if (ended.status !== 0) throw new Error(endOf(ended));
    return ended;
  };
  return whileWriting(lab, ways, name, checked, afterwards);
}
