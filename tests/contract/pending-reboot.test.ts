import { spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { pendingReboot, REBOOT } from '../../src/facts/pending-reboot.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let root = '';

beforeEach(() => {
  root = temporaryDirectory('reboot');
  for (const name of ['boot', 'run', 'bin', 'proc']) mkdirSync(join(root, name));
});

/** Asks in a real shell; `/boot`, `/run` and when the host has booted are those of this test. */
function ask({ bootedS, isContainer = false }: { readonly bootedS: number; readonly isContainer?: boolean }): unknown {
  writeFileSync(join(root, 'proc/stat'), `cpu 1 2 3\nbtime ${bootedS}\nprocesses 9\n`);
  const programs = { uname: 'echo 6.1.0-25-amd64', 'systemd-detect-virt': `exit ${isContainer ? 0 : 1}` };
  for (const [name, lines] of Object.entries(programs))
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  const script = pendingReboot.script([REBOOT]).replaceAll(/(?<![\w.])\/(boot|run|proc)\//g, `${root}/$1/`);
  const { stdout, stderr } = spawnSync('sh', ['-euc', script], {
    encoding: 'utf8',
    env: { PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}` },
  });
  expect(stderr).toBe('');
  return pendingReboot.parse(stdout, [REBOOT]).get(REBOOT);
}

function install(...versions: readonly string[]): void {
  for (const version of versions) {
    const file = join(root, `boot/vmlinuz-${version}`);
    writeFileSync(file, '');
    // As a package has it: the day on which it was built.
    utimesSync(file, 1, 1);
  }
}

const NOW = Math.floor(Date.now() / 1000);
const [LATER, EARLIER] = [{ bootedS: NOW + 3600 }, { bootedS: NOW - 3600 }];

test('a kernel that was installed since the boot is a reason, one that was there before is none', () => {
  install('6.1.0-9-amd64', '6.1.0-25-amd64', '6.1.0-26-amd64');
  expect(ask(EARLIER)).toBe('kernel 6.1.0-25-amd64 runs, and 6.1.0-26-amd64 was installed since');
  expect(ask(LATER)).toBeUndefined();
  expect(ask({ ...EARLIER, isContainer: true })).toBeUndefined();
});

test('the kernel that runs may have been installed again', () => {
  install('6.1.0-9-amd64', '6.1.0-25-amd64');
  expect(ask(EARLIER)).toBe('kernel 6.1.0-25-amd64 runs, and was installed again since');
});

test('a host without a kernel of its own, and what a package has said', () => {
  expect(ask(EARLIER)).toBeUndefined();
  writeFileSync(join(root, 'run/reboot-required'), '');
  expect(ask(LATER)).toBe('/run/reboot-required is there');
  writeFileSync(join(root, 'run/reboot-required.pkgs'), 'libc6\nopenssl\nlibc6\n');
  expect(ask(LATER)).toBe('/run/reboot-required is there, for libc6 openssl');
});
