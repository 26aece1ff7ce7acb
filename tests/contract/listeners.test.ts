import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { listeners } from '../../src/facts/listeners.js';
import { scratch } from '../support/scratch.js';

const NAMED = 'LISTEN 0 4096 10.0.0.100:2379 0.0.0.0:* users:(("haproxy",pid=9,fd=5))';
const NAMELESS = 'LISTEN 0 4096 10.0.0.100:2379 0.0.0.0:*';
const KERNEL = 'LISTEN 0 64 0.0.0.0:2049 0.0.0.0:*';

/** Asks with an `ss` that prints these, one after the other, and then the last of them. @returns what was found, and how often it ran */
function ask(...answers: readonly string[]): { readonly found: unknown; readonly times: number } {
  const cases = answers.slice(0, -1).map((answer, index) => `${index + 1}) printf '%s\\n' '${answer}' ;;`);
  const ss = `ss() { echo >> ran; case $(wc -l < ran) in ${cases.join(' ')} *) printf '%s\\n' '${answers.at(-1) ?? ''}' ;; esac; }`;
  const script = `: >ran; ${ss}; sleep() { :; }\n${listeners.script(['2379', '6443'])}\ncat ran >&2`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: scratch(), encoding: 'utf8' });
  return { found: listeners.parse(stdout, ['2379']).get('2379'), times: stderr.length };
}

const at = (process: string): unknown => [{ address: '10.0.0.100', port: 2379, process }];

test.each([
  ['one that has a process is asked for once', [NAMED], at('haproxy'), 1],
  ['one without is asked for again: its program is being reloaded', [NAMELESS, NAMED], at('haproxy'), 2],
  ['one that stays without has none', [NAMELESS], at(''), 5],
  ['of other ports nobody minds', [`${KERNEL}\n${NAMED}`], at('haproxy'), 1],
  ['nobody listens', [''], [], 1],
])('%s', (_, answers, found, times) => {
  expect(ask(...answers)).toEqual({ found, times });
});
