import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/model/events.js';
import { createReporter, wantsColour, type ReporterOptions } from '../../../src/report/create-reporter.js';
import { BARE_HOSTS } from '../../support/sample-plans.js';
import { manyHostsRun } from '../../support/sample-runs.js';
import { createFakeTerminal } from '../../support/terminal.js';

const EVENTS: readonly Event[] = [...manyHostsRun(20), { type: 'planned', plan: BARE_HOSTS }];

async function report(options: Partial<ReporterOptions>): Promise<string> {
  const terminal = createFakeTerminal();
  const reporter = await createReporter({
    format: 'auto',
    stdout: terminal.stdout,
    isTTY: true,
    size: () => ({ columns: 80, rows: 24 }),
    env: {},
    now: () => new Date(0),
    ...options,
  });
  EVENTS.forEach(reporter.sink);
  await reporter.close();
  return terminal.raw();
}

const ESCAPE = '\u001b[';
const PLAIN_LINE = /^\d\d:\d\d:\d\d apply inventory\/hosts.yml: 20 hosts$/m;

describe('createReporter', () => {
  test('a terminal gets the live display, with colours', async () => {
    const text = await report({});
    expect(text).toContain(`${ESCAPE}1m`);
    expect(text).not.toMatch(PLAIN_LINE);
  });

  test.each([
    ['a pipe', { isTTY: false }],
    ['a dumb terminal', { env: { TERM: 'dumb' } }],
    ['a CI log', { env: { CI: 'true' } }],
    ['--format text', { format: 'text' as const }],
  ])('%s gets plain lines', async (_name, options) => {
    const text = await report(options);
    expect(text).toMatch(PLAIN_LINE);
    expect(text).not.toContain('\u001b');
  });

  test('NO_COLOR leaves the live display without colours', async () => {
    const text = await report({ env: { NO_COLOR: '1' } });
    expect(text).not.toContain(`${ESCAPE}1m`);
    expect(text).not.toMatch(PLAIN_LINE);
  });

  test('--format json gives one object a line, on a terminal too', async () => {
    const lines = (await report({ format: 'json' })).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Event).type)).toEqual(EVENTS.map(({ type }) => type));
  });

  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s with %j wants colour: %s', (isTTY, env, expected) => {
    expect(wantsColour({ isTTY, env })).toBe(expected);
  });
});
