import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { drainNode, SET_MARK, uncordonMarked } from '../../src/shell/drain-node.js';
import type { Command } from '../../src/model/remote.js';
import { scratch } from '../support/scratch.js';

/** A script in a real shell, with a `kubectl` that notes its arguments and answers with `node`. */
function run(
  { script }: Command,
  { node, drain = 0 }: { readonly node: string; readonly drain?: number },
): { readonly status: number | null; readonly told: readonly string[] } {
  const log = join(scratch(), 'told');
  rmSync(log, { force: true });
  const stub = `kubectl() { [ "$2" = --help ] || printf '%s\\n' "$*" >>told; case "$*" in *' get node '*) printf '%s' ${JSON.stringify(node)} ;; *' drain '*) return ${drain} ;; esac; }`;
  const { status } = spawnSync('sh', ['-c', `${stub}\n${script}`], { cwd: scratch(), encoding: 'utf8' });
  const told = readFileSync(log, 'utf8').trimEnd().split('\n');
  return { status, told: told.map((line) => line.replace(/^--kubeconfig \S+ --cache-dir \S+ /, '')) };
}

const DRAIN = 'drain w-1 --ignore-daemonsets --delete-local-data --timeout=20s';
const MARK =
  'patch node w-1 --field-manager=provision --type merge -p {"metadata":{"annotations":{"provision/cordoned":"TOKEN"}},"spec":{"unschedulable":true}}';
const UNMARK =
  'patch node w-1 --type merge -p {"metadata":{"annotations":{"provision/cordoned":null}},"spec":{"unschedulable":null}}';
/** Nothing, where another drain has marked the node since. */
const UNMARK_OWN =
  'patch node w-1 --type json -p [{"op":"test","path":"/metadata/annotations/provision~1cordoned","value":"TOKEN"},{"op":"remove","path":"/metadata/annotations/provision~1cordoned"},{"op":"remove","path":"/spec/unschedulable"}]';

describe('a drain', () => {
  const marked = () => drainNode({ name: 'w-1', timeoutS: 20, cordon: 'marked' });
  const plain = () => drainNode({ name: 'w-1', timeoutS: 20, cordon: 'plain' });

  test.each([
    ['of a node that takes pods: cordoned with its mark', marked, 'w-1  ', 0, [MARK, DRAIN]],
    ['of one that others have cordoned: no mark', marked, 'w-1 true ', 0, [DRAIN]],
    ['of one that a killed run has cordoned: its own mark', marked, 'w-1 true marked', 0, [MARK, DRAIN]],
    ['of one that was uncordoned by hand since', marked, 'w-1  marked', 0, [MARK, DRAIN]],
    ['that fails: uncordoned, and its mark goes', marked, 'w-1  ', 1, [MARK, DRAIN, UNMARK_OWN]],
    ['that fails after a killed run', marked, 'w-1 true marked', 1, [MARK, DRAIN, UNMARK_OWN]],
    ['that fails, of one that others have cordoned: stays so', marked, 'w-1 true ', 1, [DRAIN]],
    ['for good', plain, 'w-1 ', 0, [DRAIN]],
    ['for good that fails', plain, 'w-1 ', 1, [DRAIN, 'uncordon w-1']],
    ['for good that fails, of one that others have cordoned', plain, 'w-1 true', 1, [DRAIN]],
    ['of a node that is gone', marked, '', 0, []],
  ])('%s', (_, command, node, drain, expected) => {
    const { status, told } = run(command(), { node, drain });
    expect(status).toBe(drain);
    const tokens = new Set(told.flatMap((line) => line.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? []));
    expect(tokens.size).toBe(expected.includes(MARK) ? 1 : 0);
    expect(told.slice(1).map((line) => line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'TOKEN'))).toEqual(expected);
  });

  test('each with a mark of its own', () => {
    const first = run(marked(), { node: 'w-1  ' }).told[1];
    expect(run(marked(), { node: 'w-1  ' }).told[1]).not.toBe(first);
  });
});

test.each([
  ['has cordoned', 'marked', [UNMARK]],
  ['has not cordoned', '', []],
])('what this program %s', (_, mark, expected) => {
  const { status, told } = run(uncordonMarked('w-1'), { node: mark });
  expect(status).toBe(0);
  expect(told).toEqual([`get node w-1 -o go-template=${SET_MARK}{{if $mark}}marked{{end}}`, ...expected]);
});
