import { describe, expect, test } from '@jest/globals';
import { maskSecretLines } from '../../../src/resources/mask-secret-lines.js';

const PLANTED = 'hunter2-planted';

describe('maskSecretLines', () => {
  const cases: readonly [name: string, before: string, wanted: string, expected: string][] = [
    ['the same line', `a\n  auth_pass ${PLANTED}\nb`, 'a\n  auth_pass [redacted]\nc', 'a\n  auth_pass [redacted]\nb'],
    ['other spaces', `auth_pass\t${PLANTED}`, '    auth_pass [redacted]', 'auth_pass [redacted]'],
    ['quotes after it', `P="${PLANTED}"`, 'P="[redacted]"', 'P="[redacted]"'],
    ['no quotes before', `P=${PLANTED}`, 'P="[redacted]"', 'P [redacted]'],
    ['another user', `stats auth root:${PLANTED}`, 'stats auth admin:[redacted]', 'stats [redacted]'],
    ['commented out', `  # auth_pass ${PLANTED}`, '  auth_pass [redacted]', '  # auth_pass [redacted]'],
    ['a line of its own, indented otherwise', `  ${PLANTED}`, '[redacted]', '  [redacted]'],
    ['a line of its own', `user: a\n${PLANTED}\n`, 'user: a\n[redacted]\n', 'user: a\n[redacted]\n'],
    [
      'a block below its key',
      `k: |\n  ${PLANTED}\n  more\n`,
      'k: |\n  [redacted]\n',
      'k: |\n  [redacted]\n  [redacted]\n',
    ],
    ['two in one line', `url ${PLANTED}@${PLANTED} x`, 'url [redacted]@[redacted] x', 'url [redacted]@[redacted] x'],
  ];

  test.each(cases)('%s', (_name, before, wanted, expected) => {
    expect(before).toContain(PLANTED);
    expect(maskSecretLines(before, wanted)).toBe(expected);
    expect(maskSecretLines(before, wanted)).not.toContain(PLANTED);
  });

  test('lines that hold no secret stay', () => {
    const before = 'virtual_router_id 51\npriority 100\nauthor me\n';
    expect(maskSecretLines(before, 'priority 101\nauth_pass [redacted]\n')).toBe(before);
  });

  test('a line that the wanted text shows stays, though it begins alike', () => {
    const text = 'stats enable\nstats auth admin:[redacted]\n';
    expect(maskSecretLines('stats enable\n', text)).toBe('stats enable\n');
  });

  test('without a secret in the wanted text nothing is masked', () => {
    expect(maskSecretLines(PLANTED, 'a')).toBe(PLANTED);
  });
});
