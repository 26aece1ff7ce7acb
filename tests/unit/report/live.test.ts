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

describe('the live reporter', () => {
  test.each([3, 20])('shows what a failed command printed, with %i hosts', async (count) => {
    const [started, ...rest] = FAILING_RUN;
    const hosts = Array.from({ length: count }, (_, index) => `etcd-${index + 1}`);
    const text = screen(await report([{ ...started, hosts } as Event, ...rest]));
    expect(text).toContain('play etcd stopped; no later host was touched');
    expect(text).toContain('bind: address already in use');
    expect(text).toContain('put /etc/default/etcd back');
    expect(text).toContain('install etcd-server: broken off');
    expect(text).not.toContain('owned');
  });

  test.each([3, 20])('a run that is broken off leaves nothing moving, with %i hosts', async (count) => {
    const text = screen(await report(manyHostsRun(count).slice(0, -2)));
    expect(text).toContain('reload haproxy: broken off');
    expect(text).not.toContain('Done');
  });

  test('survives a narrow terminal', async () => {
    const terminal = await report(manyHostsRun(30), 20);
    const moving = terminal.lines().filter((line) => line.includes('…'));
    for (const line of moving) expect(line.length).toBeLessThan(20);
    expect(screen(terminal)).toContain('30 changed');
  });

  test('settled means that nothing moves, and the plan stands', async () => {
    const terminal = createFakeTerminal();
    const size = () => ({ columns: 80, rows: 24 });
    const reporter = createLiveReporter({ stdout: terminal.stdout, size, now: tickingClock(0), colour: false });
    PLANNING_RUN.slice(0, -1).forEach(reporter.sink);
    await reporter.settled();
    expect(terminal.lines()).toContain("Plan: 9 changes on 3 of 5 hosts, 5 can't be known yet, 3 unchanged");
    const written = terminal.raw();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(terminal.raw()).toBe(written);
    await reporter.close();
  });
});
