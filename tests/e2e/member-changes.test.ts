import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { EventJson } from '../../src/report/event-schema.js';
import type { Way } from '../support/cluster-client.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { powerCut } from '../../src/lab/faults.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, etcdctl, passphraseFile, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';
import { lostWrites, ownWays, startWriters, tell, type Written } from '../support/writers.js';

jest.setTimeout(900_000);

describeOnLab('the inventory says who is a member', 'members', { etcd: 5 }, (lab) => {
  let ways: readonly Way[];

  /** The lab's inventory, with only the first so many hosts in the group etcd; one of them is the load balancer. */
  async function ofSize(size: number): Promise<string> {
    const whole = await readFile(lab.files.inventory, 'utf8');
    const text = whole.replace('  children:\n', '  children:\n    etcd_lb:\n      hosts:\n        etcd-1:\n');
    const gone = [1, 2, 3, 4, 5].slice(size);
    const file = lab.files.inventory.replace(/inventory\.yaml$/, `members-${size}.yaml`);
    await writeFile(
      file,
      gone.reduce((all, number) => all.replace(new RegExp(` {8}etcd-${number}:.*\\n(?: {10}.*\\n)*`), ''), text),
    );
    return file;
  }

  /** That inventory with the lines that a refusal prints for the members that it does not name any more. */
  async function withPrintedLines(size: number): Promise<string> {
    const file = await ofSize(size);
    const { stdout } = await runVerb(lab, 'plan', file);
    const text = stdout.replaceAll('\\n', '\n').replaceAll('\\"', '"');
    const [lines = ''] = /^etcd_former:\n {2}hosts:\n(?: {4}etcd-\d: .*\n)+/m.exec(text) ?? [];
    const former = file.replace(/\.yaml$/, '-former.yaml');
    await writeFile(former, `${await readFile(file, 'utf8')}${lines}`);
    return former;
  }

  /** The backends that the load balancer leads to. */
  async function backends(): Promise<readonly string[]> {
    const { stdout } = await lab.ssh(
      'etcd-1',
      "sed -n 's/^ *server \\(etcd-[0-9]\\) .*/\\1/p' /etc/haproxy/haproxy.cfg",
    );
    return stdout.trim().split('\n').toSorted();
  }

  /** Makes a member the leader. */
  async function lead(host: string): Promise<void> {
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
  async function listed(): Promise<readonly string[]> {
    const { stdout } = await lab.ssh('etcd-1', etcdctl('https://127.0.0.1:2379', 'member list'));
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(', '))
      .map(([, state = '', name = '', , , learner = '']) => `${name} ${state}${learner === 'true' ? ' learner' : ''}`)
      .toSorted();
  }

  async function isActive(host: string): Promise<string> {
    return (await lab.ssh(host, 'systemctl is-active etcd')).stdout.trim();
  }

  async function startedAt(host: string): Promise<string> {
    return (await lab.ssh(host, 'systemctl show -P ActiveEnterTimestampMonotonic etcd')).stdout.trim();
  }

  const named = (size: number): readonly string[] => [1, 2, 3, 4, 5].slice(0, size).map((number) => `etcd-${number}`);

  async function expectMembers(size: number): Promise<void> {
    expect(await listed()).toEqual(named(size).map((name) => `${name} started`));
    expect(await backends()).toEqual(named(size));
    expect(plannedChanges(await runVerb(lab, 'plan', await ofSize(size)))).toEqual([]);
    const verified = await lab.provision('verify', await ofSize(size));
    expect(endOf(verified)).toMatch(/^status 0/);
  }

  /** Runs with writers on the members that are there throughout, and on the virtual IP. */
  async function withWriters(name: string, work: () => Promise<JsonRun>): Promise<JsonRun> {
    const writers = await startWriters(lab, name, ways);
    const begun = Date.now();
    let written: readonly Written[] = [];
    const ended = await work().finally(async () => {
      written = await writers.stop();
    });
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    if (ended.status !== 0) throw new Error(endOf(ended));
    console.log([`${name} in ${seconds} s`, ...written.map(tell)].join('\n'));
    expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map((way) => [way.name, []]));
    expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    return ended;
  }

  beforeAll(async () => {
    const applied = await runVerb(lab, 'apply', await ofSize(1));
    if (applied.status !== 0) throw new Error(endOf(applied));
    // etcd-1 is a member throughout.
    ways = await ownWays(lab, [11], []);
  }, 600_000);

  test('1 → 3 → 5 → 3 → 2: no client sees it, no member that runs is restarted, and a run that is killed is finished by the next', async () => {
    const before = await startedAt('etcd-1');
    const three = await ofSize(3);
    const grown = await withWriters('three', async () => runVerb(lab, 'apply', three));
    const notes = grown.events.flatMap((event) => (event.type === 'gate-opened' ? [event.note ?? ''] : []));
    expect(notes.filter((note) => note.includes('has caught up: raft index'))).toHaveLength(2);
    await expectMembers(3);

    const five = await ofSize(5);
    const [at = ''] = partOfThisCommit(11)(['add', 'start', 'promote'], 1);
    const isAt = (event: EventJson): boolean => event.type === 'change-done' && event.address === `member-${at}:etcd-4`;
    const words = ['apply', five, '--yes', '--passphrase-file', await passphraseFile(lab)];
    await withWriters('five', async () => {
      const killed = await disturbedRun(lab, words, isAt, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(endOf(killed));
      console.log(`killed after: ${at}`);
      const left = await lab.provision('verify', five);
      // A learner is left, or a host that is not listed yet.
      expect(left.stdout).toContain('provision apply ');
      return runVerb(lab, 'apply', five);
    });
    await expectMembers(5);
    expect(await startedAt('etcd-1')).toBe(before);

    await lead('etcd-5');
    const former = await withPrintedLines(3);
    const [leftAt = ''] = partOfThisCommit(12)(['stop', 'remove', 'aside'], 1);
    const isLeftAt = (event: EventJson): boolean =>
      event.type === 'change-done' && event.address === `member-${leftAt}:etcd-4`;
    const shrink = ['apply', former, '--yes', '--passphrase-file', await passphraseFile(lab)];
    await withWriters('back', async () => {
      const killed = await disturbedRun(lab, shrink, isLeftAt, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(endOf(killed));
      console.log(`killed after: ${leftAt}`);
      // Who leads leaves last.
      expect(await isActive('etcd-4')).toBe('inactive');
      expect(await isActive('etcd-5')).toBe('active');
      return runVerb(lab, 'apply', former);
    });
    expect(plannedChanges(await runVerb(lab, 'plan', former))).toEqual([]);
    await expectMembers(3);
    expect(await startedAt('etcd-1')).toBe(before);
    for (const host of ['etcd-4', 'etcd-5']) {
      const { stdout } = await lab.ssh(
        host,
        'systemctl is-active etcd; systemctl is-enabled etcd; ls /var/lib/etcd/*/ | sed s/[0-9TZ]*$//',
      );
      expect(stdout.trim().split('\n')).toEqual(['inactive', 'disabled', 'member.removed-']);
    }

    // A host that is lost leaves without being reached, once someone leaves it out; right after it went, while the leader
    // still sends to it.
    const lost = await withPrintedLines(2);
    await lead('etcd-2');
    await withWriters('lost', async () => {
      await powerCut(await lab.host('etcd-3'));
      const planned = await runVerb(lab, 'plan', lost);
      expect([planned.status, planned.stdout]).toEqual([4, expect.stringContaining("--limit 'all:!etcd-3'")]);
      return runVerb(lab, 'apply', lost, '--limit', 'all:!etcd-3');
    });
    expect(await listed()).toEqual(named(2).map((name) => `${name} started`));
  });
});
