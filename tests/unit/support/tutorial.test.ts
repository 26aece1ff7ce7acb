import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../support/lab.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { firstMissing, readTutorial, workThrough } from '../../support/tutorial.js';

const TEXT = `
# A tutorial

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

\`\`\`yaml
only: shown
\`\`\`
`;

test('the steps of a tutorial are its files, its commands with what they print, and what is done by hand', () => {
  expect(readTutorial(TEXT)).toEqual([
    { kind: 'file', name: 'a.yaml', text: 'x: ADDRESS\n' },
    { kind: 'command', line: 'export NAME=value', expected: [] },
    { kind: 'command', line: 'cat a.yaml; echo $NAME', expected: ['x: …', 'value'] },
    { kind: 'by hand', what: 'lose it' },
  ]);
});

describe('worked through', () => {
  const place = (lost: string[] = []) => ({
    work: temporaryDirectory('tutorial'),
    run,
    here: (text: string) => text.replaceAll('ADDRESS', '192.0.2.1'),
    byHand: { 'lose it': async () => void lost.push('lost') },
    sshConfig: '/dev/null',
  });

  test('each command knows what those before have set, and each name is that of the place', async () => {
    const lost: string[] = [];
    const at = place(lost);
    await workThrough(readTutorial(TEXT), at);
    expect(lost).toEqual(['lost']);
    expect(readFileSync(join(at.work, 'a.yaml'), 'utf8')).toBe('x: 192.0.2.1\n');
  });

  test.each([
    ['prints something else', '```console\n$ echo one\ntwo\n```', /\$ echo one\ndid not print: two\none/],
    ['fails', '```console\n$ exit 3\n```', /ended with 3/],
    ['is nothing that anyone can do', '<!-- by hand: fly -->', /nobody knows how to: fly/],
  ])('a step that %s ends it', async (_, text, why) => {
    const at = place();
    await expect(workThrough(readTutorial(`${text}\n\n\`\`\`console\n$ touch later\n\`\`\``), at)).rejects.toThrow(why);
    expect(existsSync(join(at.work, 'later'))).toBe(false);
  });
});

test('lines are found in their order, and … is anything', () => {
  const output = 'Plan: 3 changes on 2 hosts\nfirst\nsecond\n';
  expect(firstMissing(output, ['Plan: … changes …', '…', 'second'])).toBeUndefined();
  expect(firstMissing(output, ['second', 'first'])).toBe('first');
  expect(firstMissing(output, ['Plan: … hosts … changes'])).toBe('Plan: … hosts … changes');
  expect(firstMissing(output, ['third'])).toBe('third');
});
