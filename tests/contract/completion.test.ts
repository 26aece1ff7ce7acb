import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { provision } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// A real bash, with the script as the README says, in a directory of a user.

let directory: string;
let script: string;

beforeAll(() => {
  directory = temporaryDirectory('completion');
  mkdirSync(join(directory, 'bin'));
  const [node = '', main = ''] = provision();
  writeFileSync(join(directory, 'bin/provision'), `#!/bin/sh\nexec '${node}' '${resolve(main)}' "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(directory, 'inventory.yaml'), 'etcd: { hosts: { etcd-1: {}, etcd-2: {} } }\n');
  script = inBash('provision completion bash');
});

function inBash(commands: string): string {
  const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: directory };
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', commands], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return stdout;
}

/** What bash would offer for a line, at its end. */
function offered(line: string): readonly string[] {
  const words = line.split(' ');
  const state = [
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    `COMP_LINE='${line}'`,
    `COMP_POINT=${line.length}`,
  ];
  const commands = [
    'source <(provision completion bash)',
    ...state,
    '_provision_completion',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ];
  return inBash(commands.join('\n')).trim().split('\n');
}

describe('in bash', () => {
  test('the script is one that may be sourced again', () => {
    expect(script).toContain('complete -o default -F _provision_completion provision');
    expect(inBash('for i in 1 2; do source <(provision completion bash); done; complete -p provision')).toContain(
      '_provision_completion provision',
    );
  });

  test('verbs, options, and hosts of the inventory on the line are offered', () => {
    expect(offered('provision pl')).toEqual(['plan']);
    expect(offered('provision plan inventory.yaml --lim')).toEqual(['--limit']);
    expect(offered('provision plan inventory.yaml --limit etcd-')).toEqual(['etcd-1', 'etcd-2']);
  });
});
