import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { inControlNamespace } from '../../src/lab/network.js';
import { waitUntil } from '../../src/lab/process.js';
import { provision, type TestLab } from './lab.js';

/** Longest wait for one text on the screen: a machine may be busy with other labs. */
const SEEN_MS = 120_000;

/** A person before `init`. */
export interface PersonAtWizard {
  /** The file of the host keys that this person trusts. */
  readonly known: string;
  readonly ended: Promise<readonly unknown[]>;
  /** Everything so far. */
  readonly output: () => string;
  /** Waits for a text that was not there before the last key, then types. */
  does(seen: string | RegExp, typed: string): Promise<void>;
  /** Ends what is typed. */
  readonly end: () => void;
  /** A person who gives up leaves nothing behind. */
  readonly leave: () => void;
}

/** `init` on a terminal of its own (`script` makes one), with the SSH settings of a person who has never met the hosts. */
export function startInit(lab: TestLab, directory: string): PersonAtWizard {
  const known = join(directory, 'known_hosts');
  const settings = `Host *\n  StrictHostKeyChecking ask\n  UserKnownHostsFile ${known}\nInclude ${lab.files.sshConfig}\n`;
  writeFileSync(join(directory, 'ssh_config'), settings);
  const ssh = `#!/bin/sh\nexec /usr/bin/ssh -F ${join(directory, 'ssh_config')} "$@"\n`;
  writeFileSync(join(directory, 'ssh'), ssh, { mode: 0o755 });
  const command = `stty cols 100 rows 40; exec ${provision('init', join(directory, 'inventory.yaml')).join(' ')}`;
  const env = ['env', `PATH=${directory}:${process.env['PATH'] ?? ''}`, 'TERM=xterm', 'SSH_AUTH_SOCK='];
  const [program = '', ...args] = inControlNamespace(lab.name, [...env, 'script', '-qefc', command, '/dev/null']);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  let from = 0;
  return {
    known,
    ended,
    output: () => stripVTControlCharacters(output),
    async does(seen: string | RegExp, typed: string): Promise<void> {
      const isThere = (): boolean => stripVTControlCharacters(output.slice(from)).search(seen) >= 0;
      if (!(await waitUntil(async () => isThere(), SEEN_MS, 50)))
        throw new Error(`never saw ${String(seen)}, but:\n${stripVTControlCharacters(output.slice(-3000))}`);
      from = output.length;
      child.stdin.write(typed);
    },
    end: () => child.stdin.end(),
    leave: () => child.kill(),
  };
}
