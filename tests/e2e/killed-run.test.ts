import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { cutNetwork, powerCut, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { endOf, etcdctl, performedChanges, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import {
  everyPoint,
  killAt,
  killOneAfterTheOther,
  pointsOfThisCommit,
  sweepPage,
  type Killed,
  type KillPoint,
} from '../support/kill-points.js';
import { disturbedApply, type DisturbedRun } from '../support/stopped-run.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
/** `all`: no run makes more than two changes before it is killed (CONTRIBUTING.md). */
const SWEEP = process.env['PROVISION_SWEEP'] === 'all';
const isStart =
  (address: RegExp) =>
  (event: EventJson): boolean =>
    event.type === 'change-started' && address.test(event.address);

/** On bare hosts nobody uses the load balancers yet: they are set up side by side, with at least six changes each. */
const TOGETHER = 'Load balancer';

/** Two kills while the members are set up, with some thirty changes in all, and one in the middle of the load balancers. */
function pointsOnBareHosts(): readonly KillPoint[] {
  const [first, second] = pointsOfThisCommit(13);
  const [, , third] = pointsOfThisCommit(18);
  return [first, second, third && { ...third, play: TOGETHER }].flatMap((point) => point ?? []);
}

/** Read from the inventory, as a person would. */
async function vipOf(lab: TestLab): Promise<string> {
  const found = /etcd_lb_ip: (\S+)/.exec(await readFile(lab.files.inventory, 'utf8'));
  if (found?.[1] === undefined) throw new Error(`${lab.files.inventory} names no etcd_lb_ip`);
  return found[1];
}

async function healthThroughVip(lab: TestLab): Promise<boolean> {
  const health = etcdctl(`https://${await vipOf(lab)}:2379`, '--command-timeout=3s endpoint health --cluster');
  return (await lab.ssh('etcd-1', health)).status === 0;
}

async function expectFinished(lab: TestLab): Promise<void> {
  expect(await waitUntil(() => healthThroughVip(lab), 60_000, 500)).toBe(true);
  const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
  expect(plannedChanges(plan)).toEqual([]);
  expect(plan.status).toBe(0);
  const looked = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, LEFTOVERS)));
  expect(looked.map(({ stdout }) => stdout)).toEqual(MEMBERS.map(() => ''));
}

/** What killed runs may leave: half-written files, the lock, masks, the permission to bootstrap. */
const LEFTOVERS = [
  "find /etc /var/lib/etcd -name '.*.??????' ! -name '.placeholder*'",
  'ls -d /run/provision/lock /run/systemd/system/*.service /etc/systemd/system/etcd.service.d/*bootstrap* 2>/dev/null',
  'dpkg --audit',
].join('\n');

/** A command that runs until this test lets it end. */
const SLOW = `
- hosts: etcd-1
  become: true
  tasks:
    - name: slow
      command:
        cmd: sh -c 'cd /root; echo begun >>acts; until [ -e /run/go ]; do sleep 0.1; done; echo ended >>acts; touch acted'
        creates: /root/acted
`;

const DRIFT = "echo '# drift' >> /etc/haproxy/haproxy.cfg";
const HAS_DRIFT = "grep -q '# drift' /etc/haproxy/haproxy.cfg";

async function driftEverywhere(lab: TestLab): Promise<void> {
  await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, DRIFT)));
}

async function drifting(lab: TestLab): Promise<readonly string[]> {
  const looked = await Promise.all(MEMBERS.map(async (host) => lab.ssh(host, HAS_DRIFT)));
  return MEMBERS.filter((_, index) => looked[index]?.status === 0);
}

function noticesOf({ events }: JsonRun): readonly string[] {
  return events.flatMap((event) => (event.type === 'notice' ? [`${event.host ?? ''}: ${event.message}`] : []));
}

async function expectNextRunFinishes(lab: TestLab): Promise<void> {
  const next = await runVerb(lab, 'apply');
  if (next.status !== 0) throw new Error(endOf(next));
  await expectFinished(lab);
}

function hostOfFirstChange({ events }: DisturbedRun): string {
  const first = events.find((event) => event.type === 'change-started');
  if (first === undefined) throw new Error('no change was begun');
  return first.host;
}

describeOnLab('an interrupted run', 'killed', { etcd: 3 }, (lab) => {
  let killed: readonly Killed[];

  beforeAll(async () => {
    killed = await killOneAfterTheOther(lab, SWEEP ? everyPoint() : pointsOnBareHosts());
    const last = killed.at(-1)?.run;
    if (last?.status === 137) {
      const finish = await runVerb(lab, 'apply');
      if (finish.status !== 0) throw new Error(endOf(finish));
    } else if (last?.status !== 0) throw new Error(last === undefined ? 'nothing ran' : endOf(last));
    await expectFinished(lab);
    if (SWEEP)
      await writeFile(
        'docs/killed-run-sweep.md',
        sweepPage('A run killed after each single change', 'one job on three bare hosts', killed),
      );
  }, 60 * 60_000);

  test('by kill -9 leaves its lock, and the next one takes it over', () => {
    expect(killed.filter(({ run: { status } }) => status === 137).length).toBeGreaterThanOrEqual(SWEEP ? 50 : 1);
    const [, second] = killed;
    const notices = second?.run.events.filter(
      (event) => event.type === 'notice' && event.message.startsWith('took over'),
    );
    if (second !== undefined) expect(notices).toHaveLength(MEMBERS.length);
  });

  (SWEEP ? test.skip : test)('by kill -9 where hosts are set up side by side heals as well', () => {
    const run = killed[2]?.run;
    if (run === undefined) throw new Error('a run before came to its end');
    const play = run.events
      .flatMap((event) => (event.type === 'planned' ? event.plan.plays : []))
      .find(({ name }) => name === TOGETHER);
    expect(play?.batches.map(({ hosts }) => hosts.map(({ host }) => host))).toEqual([MEMBERS]);
    const last = run.events.findLast(({ type }) => type === 'change-started' || type === 'change-done');
    expect([run.status, last]).toEqual([137, expect.objectContaining({ play: TOGETHER })]);
  });

  test('by kill -9 after its very last change leaves nothing but its lock, which the next one removes', async () => {
    await lab.ssh('etcd-3', DRIFT);
    // The file, and the reload of its service.
    const { run: cut } = await killAt(lab, { type: 'change-done', nth: 2 });
    expect([cut.status, performedChanges(cut).length]).toEqual([137, 2]);
    expect((await lab.ssh('etcd-1', 'readlink /run/provision/lock')).status).toBe(0);
    const next = await runVerb(lab, 'apply');
    expect([next.status, performedChanges(next)]).toEqual([0, []]);
    expect(noticesOf(next).map((notice) => notice.split(' ').slice(0, 3).join(' '))).toEqual(
      MEMBERS.map((host) => `${host}: removed the`),
    );
    await expectFinished(lab);
  });

  test('by kill -9 while a command runs: the next one waits for that command, sees what it did, and does it no second time', async () => {
    const playbook = join(dirname(lab.files.inventory), 'slow.yaml');
    const other = join(dirname(lab.files.inventory), 'other.yaml');
    let beside: JsonRun | undefined;
    await writeFile(playbook, SLOW);
    const cut = await disturbedApply(
      lab,
      isStart(/slow/),
      async (kill) => {
        const hasBegun = async (): Promise<boolean> => (await lab.ssh('etcd-1', 'test -e /root/acts')).status === 0;
        expect(await waitUntil(hasBegun, 30_000, 100)).toBe(true);
        // It changes another member, and could stop that one while this one is stopped.
        await writeFile(other, SLOW.replace('etcd-1', 'etcd-2'));
        beside = await runVerb(lab, 'apply', '--playbook', other);
        kill('SIGKILL');
      },
      ['--playbook', playbook],
    );
    if (cut.status !== 137) throw new Error(endOf(cut));
    expect(beside?.status).toBe(EXIT.locked);
    expect((await lab.ssh('etcd-2', 'test -e /root/acts')).status).not.toBe(0);
    const waits = (event: EventJson): boolean => event.type === 'notice' && /^waits, .*slow/.test(event.message);
    const next = await disturbedApply(lab, waits, async () => lab.ssh('etcd-1', 'touch /run/go'), [
      '--playbook',
      playbook,
    ]);
    expect([next.status, performedChanges(next)]).toEqual([0, []]);
    expect((await lab.ssh('etcd-1', 'cat /root/acts')).stdout).toBe('begun\nended\n');
    expect(noticesOf(next).some((notice) => /^etcd-1: .*slow.*: already so/.test(notice))).toBe(true);
  });

  test('by Ctrl-C finishes the change in progress, releases the lock, and says where it stopped', async () => {
    await driftEverywhere(lab);
    const stopped = await disturbedApply(lab, isStart(/haproxy.cfg/), (kill) => {
      kill('SIGINT');
    });
    expect(stopped.status).toBe(130);
    expect(performedChanges(stopped)).toHaveLength(1);
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'run-failed',
      failures: [{ message: expect.stringMatching(/stopped on request before: etcd-\d service:haproxy/) as unknown }],
      hint: expect.stringContaining('run the same command again') as unknown,
    });
    expect(await drifting(lab)).toHaveLength(2);
    expect((await lab.ssh('etcd-1', 'readlink /run/provision/lock')).status).not.toBe(0);
    await expectNextRunFinishes(lab);
  });

  test('by a second Ctrl-C ends at once, and says what it leaves', async () => {
    await driftEverywhere(lab);
    const stopped = await disturbedApply(lab, isStart(/service:haproxy/), (kill) => {
      kill('SIGINT');
      // Signals of one kind that wait for a process are delivered as one; SIGTERM asks for the same.
      kill('SIGTERM');
    });
    expect(stopped.status).toBe(130);
    expect(stopped.events.at(-1)).toMatchObject({
      type: 'run-failed',
      message: expect.stringContaining('the lock remains') as unknown,
      failures: [{ host: hostOfFirstChange(stopped), message: expect.stringContaining('haproxy') as unknown }],
    });
    expect((await lab.ssh('etcd-1', 'readlink /run/provision/lock')).status).toBe(0);
    await expectNextRunFinishes(lab);
  });

  test('by the power of its host fails in bounded time, touches no later host, and the next run finishes', async () => {
    await driftEverywhere(lab);
    const at = isStart(/haproxy.cfg/);
    let cut = '';
    const failed = await disturbedApply(
      lab,
      (event) => at(event) && 'host' in event && (cut = event.host ?? '') !== '',
      async () => powerCut(await lab.host(cut)),
    );
    await expectFailedOn(cut, failed);
    await startHost(await lab.host(cut));
    expect(await waitUntil(() => healthThroughVip(lab), 120_000, 500)).toBe(true);
    expect((await drifting(lab)).length).toBeGreaterThanOrEqual(2);
    await expectNextRunFinishes(lab);
  });

  test('by the network of its host: the same', async () => {
    await driftEverywhere(lab);
    const at = isStart(/service:haproxy/);
    let cut = '';
    const failed = await disturbedApply(
      lab,
      (event) => at(event) && 'host' in event && (cut = event.host ?? '') !== '',
      async () => cutNetwork(await lab.host(cut)),
    );
    await restoreNetwork(await lab.host(cut));
    await expectFailedOn(cut, failed);
    expect((await drifting(lab)).length).toBeGreaterThanOrEqual(2);
    await expectNextRunFinishes(lab);
  });

  async function expectFailedOn(host: string, failed: DisturbedRun): Promise<void> {
    expect(failed.status).toBe(EXIT.unreachable);
    expect(failed.endedAfterMs).toBeLessThan(600_000);
    expect(failed.events.at(-1)).toMatchObject({ type: 'run-failed', failures: [{ host }] });
    const changed = failed.events.flatMap((event) => (event.type === 'change-started' ? [event.host] : []));
    expect(new Set(changed)).toEqual(new Set([host]));
    await Promise.resolve();
  }

  test('keeps a second operator out while it runs', async () => {
    await driftEverywhere(lab);
    let second: Promise<JsonRun> | undefined;
    const first = await disturbedApply(lab, isStart(/haproxy.cfg/), async (kill) => {
      // Held still, so that it can't end before the second one asks for the lock.
      kill('SIGSTOP');
      second = runVerb(lab, 'apply');
      await second;
      kill('SIGCONT');
    });
    const refused = await second;
    expect([first.status, refused?.status]).toEqual([EXIT.done, EXIT.locked]);
    expect(refused?.stdout).toMatch(/locked by \w+@\S+ \(pid \d+\) since .*provision unlock/);
    await expectFinished(lab);
  });

  test('of another machine is not taken over, but unlocked on purpose', async () => {
    const lock = JSON.stringify({
      user: 'eve',
      machine: 'gone',
      pid: 1,
      process: 'x 1 1',
      since: 'then',
      inventory: 'i',
    });
    await lab.ssh('etcd-2', `mkdir -p -m 700 /run/provision && ln -s '${lock}' /run/provision/lock`);
    const empty = await runVerb(lab, 'apply');
    expect([empty.status, noticesOf(empty)]).toEqual([
      0,
      [expect.stringMatching(/^etcd-2: locked by eve@gone .*: provision unlock/)],
    ]);
    await driftEverywhere(lab);
    expect((await runVerb(lab, 'apply')).status).toBe(EXIT.locked);
    expect((await drifting(lab)).length).toBe(3);
    const unlocked = await lab.provision('unlock', lab.files.inventory, '--yes');
    expect([unlocked.status, unlocked.stdout]).toEqual([
      0,
      'etcd-2: locked by eve@gone (pid 1) since then, with i\nunlocked etcd-2\n',
    ]);
    await expectNextRunFinishes(lab);
  });
});
