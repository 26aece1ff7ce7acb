import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { createLiveReporter } from '../../../src/report/live.js';
import { tickingClock } from '../../support/clock.js';
import { expectGolden } from '../../support/golden.js';
import {
  DRILL_RUN,
  FAILING_RUN,
  manyHostsRun,
  PLANNING_RUN,
  ROLLING_RUN,
  UNREACHABLE_RUN,
} from '../../support/sample-runs.js';
import { BARE_HOSTS, ROLLING_RESTART } from '../../support/sample-plans.js';
import { createFakeTerminal, type FakeTerminal } from '../../support/terminal.js';

// Listr looks at the width of process.stdout itself, whatever it draws on.
const widthOfThisProcess = Object.getOwnPropertyDescriptor(process.stdout, 'columns');

beforeAll(() => {
  Object.defineProperty(process.stdout, 'columns', { value: 80, configurable: true });
});

afterAll(() => {
  if (widthOfThisProcess) Object.defineProperty(process.stdout, 'columns', widthOfThisProcess);
  else Reflect.deleteProperty(process.stdout, 'columns');
});

async function report(events: readonly Event[], columns = 80): Promise<FakeTerminal> {
  const terminal = createFakeTerminal(columns);
  const reporter = createLiveReporter({
    stdout: terminal.stdout,
    size: () => ({ columns, rows: 24 }),
    now: tickingClock(0),
    colour: false,
  });
  for (const event of events) reporter.sink(event);
  await reporter.close();
  return terminal;
}

function screen(terminal: FakeTerminal): string {
  return terminal.lines().join('\n');
}

describe('the live reporter leaves behind', () => {
  test.each([
    ['planning', PLANNING_RUN],
    ['rolling', ROLLING_RUN],
    ['failing', FAILING_RUN],
    ['unreachable', UNREACHABLE_RUN],
    ['drill', DRILL_RUN],
    ['twenty-hosts', manyHostsRun(20)],
  ])('%s as in fixtures/runs', async (name, events) => {
    expectGolden(`fixtures/runs/${name}.live.txt`, screen(await report(events)));
  });
});

/** Looks that a gate makes while it waits: they come between all other events, and end after some of them. */
function withLooks(events: readonly Event[], hosts: readonly string[], phase: number): readonly Event[] {
  return events.flatMap((event, index): readonly Event[] => {
    const host = hosts[index % hosts.length] ?? '';
    if ((index + phase) % 3 === 0) return [{ type: 'host-looking', host }, event];
    return (index + phase) % 3 === 1 ? [event, { type: 'host-looked', host }] : [event];
  });
}

/** `apply` on control planes: a change on each waits for a gate, as an installation for apt's locks does. */
function waitingRun(hosts: readonly string[]): readonly Event[] {
  const at = (host: string) => ({ play: 'p', host, address: 'package:haproxy', summary: 'install haproxy' });
  const [first = ''] = hosts;
  return [
    { type: 'play-started', play: 'p', hosts },
    { type: 'batch-started', play: 'p', hosts },
    ...hosts.map((host): Event => ({ type: 'change-started', ...at(host) })),
    { type: 'gate-waiting', gate: 'apt-unlocked', hosts: [first], reason: `apt on ${first} holds a lock` },
    { type: 'gate-waiting', gate: 'apt-unlocked', hosts: [first], reason: `dpkg on ${first} holds a lock` },
    ...hosts.slice(1).map((host): Event => ({ type: 'change-done', ...at(host), elapsedMs: 900 })),
    { type: 'gate-opened', gate: 'apt-unlocked', hosts: [first], waitedMs: 2000 },
    { type: 'change-done', ...at(first), elapsedMs: 2900 },
    { type: 'gate-waiting', gate: 'apiserver-ready', hosts, reason: 'not yet' },
    { type: 'gate-opened', gate: 'apiserver-ready', hosts, waitedMs: 700 },
    { type: 'run-finished', result: { changed: hosts.length, unchanged: 0, failed: 0, elapsedMs: 5000 } },
  ];
}

describe('the live reporter', () => {
  const cases = [2, 20].flatMap((count) => [0, 1, 2].map((phase) => ({ count, phase })));

  test.each(cases)(
    'never shows a failure, nor a host twice, on a green run whose gates look: $count hosts, $phase',
    async ({ count, phase }) => {
      const hosts = Array.from({ length: count }, (_, index) => `cp-${index + 1}`);
      const begin: Event = { type: 'run-started', command: 'apply', inventory: 'i', hosts };
      const planned: Event = { type: 'planned', plan: BARE_HOSTS };
      const terminal = await report([begin, planned, ...withLooks(waitingRun(hosts), hosts, phase)]);
      expect(terminal.raw()).not.toMatch(/✖|interrupted/);
      expect(screen(terminal)).not.toMatch(/looking/);
      if (count === 2) expect(screen(terminal)).not.toMatch(/✔ cp-\d+ in 0\.0 s/);
      if (count === 2)
        for (const host of hosts)
          expect(terminal.lines().filter((line) => line.startsWith(`✔ ${host}`))).toHaveLength(1);
    },
  );

  test.each([3, 20])(
    'says of a host that could not be asked why, not that it was interrupted, with %i hosts',
    async (count) => {
      const hosts = Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
      const away = [{ host: 'etcd-2', because: "etcd-2: can't connect: nothing listens on port 22" }];
      const text = screen(
        await report([
          { type: 'run-started', command: 'plan', inventory: 'i', hosts },
          ...hosts.map((host): Event => ({ type: 'host-looking', host })),
          ...hosts.filter((host) => host !== 'etcd-2').map((host): Event => ({ type: 'host-looked', host })),
          { type: 'planned', plan: { ...BARE_HOSTS, away } },
        ]),
      );
      expect(text).toMatch(/etcd-2\s+✖ can't connect: nothing listens on port 22/);
      expect(text).not.toContain('interrupted');
    },
  );

  test.each([3, 20])('shows what a failed command printed, with %i hosts', async (count) => {
    const [started, ...rest] = FAILING_RUN;
    const hosts = Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
    const text = screen(await report([{ ...started, hosts } as Event, ...rest]));
    expect(text).toContain('play etcd stopped; no later host was touched');
    expect(text).toContain('bind: address already in use');
    expect(text).toContain('put /etc/default/etcd back');
    expect(text).toContain('install etcd-server: interrupted');
    expect(text).not.toContain('owned');
  });

  test.each([3, 20])('a run that is interrupted leaves nothing moving, with %i hosts', async (count) => {
    const text = screen(await report(manyHostsRun(count).slice(0, -2)));
    expect(text).toContain('reload haproxy: interrupted');
    expect(text).not.toContain('Done');
  });

  test.each([3, 20])(
    'says how far the whole run is, and for how long something is waited for, with %i hosts',
    async (count) => {
      const terminal = createFakeTerminal(100);
      const size = () => ({ columns: 100, rows: 24 });
      const reporter = createLiveReporter({ stdout: terminal.stdout, size, now: () => new Date(), colour: false });
      const hosts = Array.from({ length: count }, (_, index) => `cp-${index + 1}`);
      const run: readonly Event[] = [
        { type: 'run-started', command: 'apply', inventory: 'i', hosts },
        { type: 'planned', plan: ROLLING_RESTART },
        { type: 'play-started', play: 'etcd', hosts },
        ...ROLLING_RUN.filter((event) => event.type === 'change-done').slice(0, 2),
        { type: 'gate-waiting', gate: 'etcd-healthy', hosts, reason: 'etcd-2 has no leader' },
      ];
      run.forEach(reporter.sink);
      const isThere = (text: RegExp): boolean => terminal.lines().some((line) => text.test(line));
      const [whole, waiting] = [
        /apply: 2 of 6 changes, 1 of 3 hosts done, [\d.]+ s$/,
        /gate etcd-healthy +waiting: etcd-2 has no leader \([\d.]+ s\)$/,
      ];
      while (!isThere(whole) || !isThere(waiting)) await new Promise((resolve) => setTimeout(resolve, 20));
      reporter.sink({ type: 'gate-opened', gate: 'etcd-healthy', hosts, waitedMs: 1000 });
      await reporter.close();
      expect(screen(terminal)).not.toMatch(/changes, \d+ of/);
    },
  );

  test('leaves room on a low terminal: two rows of many, and how many more there are', async () => {
    const terminal = createFakeTerminal(100);
    const size = () => ({ columns: 100, rows: 8 });
    const reporter = createLiveReporter({ stdout: terminal.stdout, size, now: () => new Date(), colour: false });
    manyHostsRun(20)
      .filter(({ type }) => type !== 'change-done' && type !== 'run-finished')
      .forEach(reporter.sink);
    const moving = (): readonly string[] => terminal.lines().filter((line) => /reload haproxy|more$/.test(line));
    while (moving().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(moving()).toEqual(['  node-01  reload haproxy', '  node-02  reload haproxy', '  … and 18 more']);
    await reporter.close();
  });

  test('survives a narrow terminal', async () => {
    const terminal = await report(manyHostsRun(30), 20);
    const moving = terminal.lines().filter((line) => line.includes('…'));
    for (const line of moving) expect(line.length).toBeLessThan(20);
    expect(screen(terminal)).toContain('30 changed');
  });

  /** What moves on a terminal of 120 columns that is reached through another object, as in a run: until a line of it matches. */
  async function moving(events: readonly Event[], awaited: RegExp): Promise<readonly string[]> {
    const width = Object.getOwnPropertyDescriptor(process.stdout, 'columns') ?? {};
    Object.defineProperty(process.stdout, 'columns', { value: 120, configurable: true });
    try {
      const terminal = createFakeTerminal(120);
      const stdout = Object.create(terminal.stdout) as NodeJS.WriteStream;
      const size = () => ({ columns: 120, rows: 24 });
      const reporter = createLiveReporter({ stdout, size, now: () => new Date(), colour: false });
      events.forEach(reporter.sink);
      while (!terminal.lines().some((line) => awaited.test(line)))
        await new Promise((resolve) => setTimeout(resolve, 20));
      const lines = terminal.lines();
      await reporter.close();
      return lines;
    } finally {
      Object.defineProperty(process.stdout, 'columns', width);
    }
  }

  const begun = (hosts: readonly string[], summary: string): readonly Event[] => [
    { type: 'run-started', command: 'apply', inventory: 'i', hosts },
    { type: 'planned', plan: ROLLING_RESTART },
    { type: 'play-started', play: 'etcd', hosts },
    { type: 'batch-started', play: 'etcd', hosts },
    ...hosts.map((host): Event => ({ type: 'change-started', play: 'etcd', host, address: 'a', summary })),
  ];

  test.each([3, 20])(
    'a line that is too long is cut at the end of the terminal, and its time stays, with %i hosts',
    async (count) => {
      const hosts = Array.from({ length: count }, (_, index) => `cp-${index + 1}`);
      const lines = await moving(begun(hosts, `${'a word of its own '.repeat(9)}end`), /cp-2 .*\d s\)/);
      const ofHost = lines.filter((line) => /cp-2  a word/.test(line));
      expect(ofHost).toEqual([expect.stringMatching(/cp-2 {2}a word of its own .*… \([\d.]+ s\)$/)]);
      expect(ofHost[0]?.length).toBeGreaterThan(110);
      expect(lines.filter((line) => /^\w+ of its own|^its own/.test(line))).toEqual([]);
    },
  );

  test.each([3, 20])('a host that waits for a gate says what that waits for, with %i hosts', async (count) => {
    const hosts = Array.from({ length: count }, (_, index) => `cp-${index + 1}`);
    const reason = 'cp-2: no kube-apiserver runs; after crashes the kubelet waits';
    const waiting: Event = { type: 'gate-waiting', gate: 'apiserver-ready', hosts: ['cp-2'], reason };
    const summary = 'set --etcd-servers of kube-apiserver: the kubelet restarts it, by an annotation of its manifest';
    const lines = await moving([...begun(hosts, summary), waiting], /apiserver-ready/);
    expect(lines.join('\n')).toMatch(
      /cp-2 {2}gate apiserver-ready: no kube-apiserver runs; after crashes the kubelet waits/,
    );
  });

  test('many hosts are counted, and not drawn each, also where a warning comes before it is known how many there are', async () => {
    const hosts = Array.from({ length: 60 }, (_, index) => `node-${index + 1}`);
    const warning: Event = { type: 'notice', message: 'inventory.yaml:3:1: warning: in no group' };
    const lines = await moving([warning, ...begun(hosts, 'reload haproxy')], /and \d+ more/);
    expect(lines).toContain('· inventory.yaml:3:1: warning: in no group');
    expect(lines.filter((line) => line.includes('reload haproxy'))).toHaveLength(11);
    expect(lines).toContain('  … and 49 more');
  });

  test('settled means that nothing moves, and the plan stands', async () => {
    const terminal = createFakeTerminal();
    const size = () => ({ columns: 80, rows: 24 });
    const reporter = createLiveReporter({ stdout: terminal.stdout, size, now: tickingClock(0), colour: false });
    PLANNING_RUN.slice(0, -1).forEach(reporter.sink);
    await reporter.settled();
    expect(terminal.lines()).toContain('Plan: 9 changes on 3 of 5 hosts, 5 known after apply, 3 unchanged');
    const written = terminal.raw();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(terminal.raw()).toBe(written);
    await reporter.close();
  });
});
