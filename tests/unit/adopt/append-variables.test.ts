import { describe, expect, test } from '@jest/globals';
import { appendVariables } from '../../../src/adopt/append-variables.js';
import type { NewVariable } from '../../../src/adopt/decide-variables.js';

const UNIT: NewVariable = { name: 'etcd_unit', value: 'etcd3', found: ['systemd unit on etcd-1', 'and on etcd-2'] };

const LINES = '# systemd unit on etcd-1\n# and on etcd-2\netcd_unit: etcd3\n';

describe('variables are added', () => {
  test.each([
    ['to a new file', '', `---\n${LINES}`],
    ['below what is there, comments included', '# ours\na: 1 # one\n', `# ours\na: 1 # one\n\n${LINES}`],
    ['where the last line has no end', 'a: 1', `a: 1\n\n${LINES}`],
    ['to comments alone', '---\n# nothing yet\n', `---\n# nothing yet\n\n${LINES}`],
    ['below a block of text', 'a: |\n  x\n', `a: |\n  x\n\n${LINES}`],
    [
      'beside a vault value',
      'a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n',
      `a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n\n${LINES}`,
    ],
    ['at the indent of the others', '  a: 1\n', `  a: 1\n\n${LINES.replace(/^/gm, '  ').trimEnd()}\n`],
  ])('%s', (_, before, after) => {
    expect(appendVariables(before, [UNIT])).toBe(after);
  });

  test.each([
    ['1234', "etcd_member_name: '1234'"],
    ['yes', "etcd_member_name: 'yes'"],
    ['a#b', "etcd_member_name: 'a#b'"],
    ['{{ x }}', "etcd_member_name: !unsafe '{{ x }}'"],
  ])('so that the text %s stays a text', (value, line) => {
    const text = appendVariables('', [{ name: 'etcd_member_name', value, found: [] }]);
    expect(text.replaceAll('"', "'")).toContain(line);
  });
});

test.each([
  ['variables in braces', '{a: 1}\n', /one per line/],
  ['a list', '- a\n', /one per line/],
  ['a file that goes on after its end', 'a: 1\n...\n', /./],
  ['a syntax error', 'a: [\n', /./],
])('refuses %s', (_, before, message) => {
  expect(() => appendVariables(before, [UNIT])).toThrow(message);
});
