import { expect, test } from '@jest/globals';
import { checkClocks, judgeClock } from '../../../src/checks/clock.js';
import { clock } from '../../../src/facts/clock.js';
import { asLine, contextOf } from '../../support/check-context.js';

test.each([
  ['in step', { sent: 0, host: 50, received: 100 }, 'ok clock h: 0.00 s ahead (± 0.05 s)'],
  ['a second and a half ahead', { sent: 0, host: 1550, received: 100 }, 'warn clock h: 1.50 s ahead (± 0.05 s)'],
  ['ten minutes behind', { sent: 600_000, host: 50, received: 600_100 }, 'fail clock h: 600.00 s behind (± 0.05 s)'],
  // The answer took eight seconds: nobody can say when in them the clock was read.
  ['within the time of a slow answer', { sent: 0, host: 7900, received: 8000 }, 'ok clock h: 3.90 s ahead (± 4.00 s)'],
  [
    'beyond the time of a slow answer',
    { sent: 0, host: 9500, received: 8000 },
    'warn clock h: 5.50 s ahead (± 4.00 s)',
  ],
  ['just within the limit', { sent: 0, host: 1000, received: 0 }, 'ok clock h: 1.00 s ahead (± 0.00 s)'],
  ['just within the limit of failing', { sent: 0, host: 5000, received: 0 }, 'warn clock h: 5.00 s ahead (± 0.00 s)'],
  ['at five seconds', { sent: 0, host: 5001, received: 0 }, 'fail clock h: 5.00 s ahead (± 0.00 s)'],
])('a clock %s', (_, reading, expected) => {
  expect(asLine(judgeClock('h', reading))).toBe(expected);
});

test('the control machine looks at its own clock before and after', async () => {
  const times = [1000, 1200];
  const { probe } = contextOf({ 'etcd-1': { clock: { now: 4100 } } });
  const [item] = await checkClocks({ probe, now: () => times.shift() ?? 0 }, ['etcd-1']);
  expect(item).toEqual({
    check: 'clock',
    host: 'etcd-1',
    verdict: 'warn',
    evidence: '3.00 s ahead (± 0.10 s)',
    next: 'ssh etcd-1 timedatectl',
  });
});

test("reads date's answer, and refuses anything else", () => {
  expect(clock.parse('1795228800.250000000\n', ['now']).get('now')).toBe(1795228800250);
  expect(() => clock.parse('1795228800.%N\n', ['now'])).toThrow('unexpected time');
});
