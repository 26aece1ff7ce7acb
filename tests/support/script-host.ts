import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/** What a script came to on a {@link ScriptHost}. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What its stand-ins were called with, in order. */
  readonly calls: readonly string[];
}

/** A host that is a directory: scripts run in a real shell, on files and programs of this test alone. */
export interface ScriptHost {
  /** Where a path of the host is on this machine. */
  at(path: string): string;
  /** Makes a file, and the directories above it. */
  put(path: string, text: string): void;
  /** What a file holds; `undefined` where there is none. */
  text(path: string): string | undefined;
  /** Puts a stand-in for a program there, which writes down its words and then does this. */
  program(name: string, lines?: string): void;
  /** Runs a script. @param input its stdin */
  run(script: string, input?: string): Ended;
}

/**
 * Makes a host.
 * @param name for its directory
 * @param moved the directories of the host that its scripts use: in a script they are replaced by those of the test
 */
export function scriptHost(name: string, moved: readonly string[] = []): ScriptHost {
  const root = temporaryDirectory(name);
  const calls = join(root, 'calls');
  mkdirSync(join(root, 'bin'));
  const at = (path: string): string => join(root, path);
  const read = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  return {
    at,
    put(path, text) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    },
    text: (path) => read(at(path)),
    program(program, lines = '') {
      const text = `#!/bin/sh\ncalled() { printf '%s\\n' "$*" >>'${calls}'; }\ncalled ${program} "$@"\n${lines}\n`;
      writeFileSync(at(`bin/${program}`), text, { mode: 0o755 });
    },
    run(script, input = '') {
      rmSync(calls, { force: true });
      const here = moved.reduce((text, path) => text.replaceAll(path, at(path)), script);
      const env = { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}`, LC_ALL: 'C' };
      const { status, stdout, stderr } = spawnSync('sh', ['-c', here], { input, encoding: 'utf8', env, cwd: root });
      const own = (text: string): string => text.replaceAll(root, '');
      const called = read(calls)?.trimEnd();
      return {
        status,
        stdout: own(stdout),
        stderr: own(stderr),
        calls: called === undefined ? [] : own(called).split('\n'),
      };
    },
  };
}
