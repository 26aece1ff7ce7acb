import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../support/lab.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { firstMissing, partOf, readSteps, unreadCommands, workThrough } from '../../support/page.js';

const TEXT = `
# A page

\`\`\`yaml title="a.yaml"
x: ADDRESS
\`\`\`

\`\`\`console
$ export NAME=value  # for later
$ cat a.yaml; \\
    echo $NAME
x: …
value
\`\`\`

<!-- by hand: lose it -->

1. In a list, and on a host:

   <!-- ends with 1 -->

   \`\`\`console
   $ false
   root@etcd-3:~# df -h
   \`\`\`

\`\`\`yaml
only: shown
\`\`\`

<!-- in the inventory -->

\`\`\`yaml
a_variable: ADDRESS
\`\`\`
`;

test('the steps of a page are its files, its commands with what they print, and what is done by hand', () => {
  expect(readSteps(TEXT)).toEqual([
    { kind: 'file', name: 'a.yaml', text: 'x: ADDRESS\n' },
    { kind: 'command', line: 'export NAME=value', expected: [], status: 0 },
    { kind: 'command', line: 'cat a.yaml; echo $NAME', expected: ['x: …', 'value'], status: 0 },
    { kind: 'by hand', what: 'lose it' },
    { kind: 'command', line: 'false', expected: [], status: 1 },
    { kind: 'command', line: 'df -h', expected: [], status: 0, host: 'etcd-3' },
    { kind: 'inventory', text: 'a_variable: ADDRESS\n' },
  ]);
});

describe('worked through', () => {
  const place = (lost: string[] = []) => ({
    work: temporaryDirectory('page'),
    run,
    here: (text: string) => text.replaceAll('ADDRESS', '192.0.2.1'),
    byHand: { 'lose it': async () => void lost.push('lost') },
    sshConfig: '/dev/null',
  });

  test('each command knows what those before have set, and each name is that of the place', async () => {
    const lost: string[] = [];
    const at = place(lost);
    writeFileSync(join(at.work, 'inventory.yaml'), 'all: {vars: {other: 1}}\n');
    await workThrough(
      readSteps(TEXT).filter((step) => !('host' in step)),
      at,
    );
    expect(lost).toEqual(['lost']);
    expect(readFileSync(join(at.work, 'a.yaml'), 'utf8')).toBe('x: 192.0.2.1\n');
    expect(readFileSync(join(at.work, 'inventory.yaml'), 'utf8')).toMatch(/other: 1\n +a_variable: 192.0.2.1\n/);
  });

  test.each([
    ['prints something else', '```console\n$ echo one\ntwo\n```', /\$ echo one\ndid not print: two\none/],
    ['fails', '```console\n$ exit 3\n```', /ended with 3, not 0/],
    ['succeeds, and should not', '<!-- ends with 3 -->\n```console\n$ true\n```', /ended with 0, not 3/],
    ['is nothing that anyone can do', '<!-- by hand: fly -->', /nobody knows how to: fly/],
  ])('a step that %s ends it', async (_, text, why) => {
    const at = place();
    await expect(workThrough(readSteps(`${text}\n\n\`\`\`console\n$ touch later\n\`\`\``), at)).rejects.toThrow(why);
    expect(existsSync(join(at.work, 'later'))).toBe(false);
  });
});

test('commands in a block that is not read are found, and those of one that is are not', () => {
  expect(unreadCommands('```\nprovision apply\n```\n```\nx: 1\n```')).toEqual(['provision apply']);
  expect(unreadCommands('```console\n$ provision apply\n```')).toEqual([]);
});

test('lines are found in their order, and … is anything', () => {
  const output = 'Plan: 3 changes on 2 hosts\nfirst\nsecond\n';
  expect(firstMissing(output, ['Plan: … changes …', '…', 'second'])).toBeUndefined();
  expect(firstMissing(output, ['second', 'first'])).toBe('first');
  expect(firstMissing(output, ['Plan: … hosts … changes'])).toBe('Plan: … hosts … changes');
  expect(firstMissing(output, ['third'])).toBe('third');
});

test('a part of a page is from one heading to another, and a heading that is not there is an error', () => {
  const page = 'a\n\n## One\n\nb\n\n## Two (2)\n\nc\n';
  expect(partOf(page, {})).toBe(page);
  expect(partOf(page, { before: 'One' })).toBe('a\n\n');
  expect(partOf(page, { from: 'One', before: 'Two (2)' })).toBe('## One\n\nb\n\n');
  expect(partOf(page, { from: 'Two (2)' })).toBe('## Two (2)\n\nc\n');
  expect(() => partOf(page, { from: 'Tw' })).toThrow('no heading of the page is: Tw');
});
