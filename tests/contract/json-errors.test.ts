import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { provision } from '../support/lab.js';

function run(words: readonly string[]) {
  const [program = '', ...args] = provision(...words);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

// Whoever asks for JSON reads stdout, also when there is nothing but an error.
describe.each<[string, readonly string[]]>([
  ['verify', ['verify', '/nowhere/inventory.yaml', '--format', 'json']],
  ['certs list', ['certs', 'list', '--format=json', '/nowhere/inventory.yaml']],
  ['show', ['show', '--format', 'json', '/nowhere/a.plan']],
])('%s', (_, words) => {
  test('as JSON prints its error as JSON, and as text in words', () => {
    const { status, stdout, stderr } = run(words);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      formatVersion: 1,
      failed: { failures: [{ message: expect.stringContaining('/nowhere/') as unknown }] },
    });
    const text = run(words.filter((word) => !/json|--format/.test(word)));
    expect({ ...text, stderr: '' }).toEqual({ status: 1, stdout: '', stderr: '' });
    expect(text.stderr).toMatch(/^error: .*\/nowhere\//);
  });
});

test('provision alone, without a terminal, is one line with the next one, and no page of help', () => {
  const { status, stdout, stderr } = run([]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe(
    'error: no verb was given, and there is no terminal to ask for one on\n  → see the verbs: provision --help\n',
  );
});
