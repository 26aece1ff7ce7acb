import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { packages } from '../../src/resources/packages.js';
import type { PackageState } from '../../src/facts/packages.js';
import { fakeProbe } from '../support/fake-probe.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const MISSING: PackageState = { installed: undefined, candidate: '1.1', held: false };

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('packages');
  for (const name of ['apt-get', 'systemctl', 'dpkg', 'ls']) {
    // Each program only says that it ran, and ends as the test wants it to; none may ask anybody anything.
    const script = `#!/bin/sh\n[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 90\necho "${name} $*" >>${directory}/log\n[ ! -e ${directory}/fails-${name} ] || { rm ${directory}/fails-${name}; exit 100; }\n${name === 'ls' ? `cat ${directory}/updates 2>/dev/null || :` : ''}\n`;
    await writeFile(join(directory, name), script);
    await chmod(join(directory, name), 0o755);
  }
});

/** Runs the script that installs, with stand-ins for apt and systemd. @returns its status, and what ran, in order */
async function install(
  state: PackageState,
  keepStopped: readonly string[] = [],
  keepDisabled: readonly string[] = [],
): Promise<{ readonly status: number; readonly ran: readonly string[] }> {
  const outcome = await packages({ names: ['x'], keepStopped, keepDisabled }).plan(
    fakeProbe({ packages: { x: state } }),
  );
  const action = outcome.kind === 'change' ? outcome.change.actions[1] : undefined;
  if (action?.kind !== 'run') throw new Error('no command was planned');
  const { status } = await run([
    'env',
    `PATH=${directory}:${process.env['PATH'] ?? ''}`,
    'sh',
    '-c',
    action.command.script,
  ]);
  const log = await readFile(join(directory, 'log'), 'utf8');
  return { status, ran: log.trim().split('\n') };
}

const APT = 'apt-get -q -o DPkg::Lock::Timeout=600';
const INSTALL = `${APT} -y --no-install-recommends -o Dpkg::Options::=--force-confold install x=1.1`;

test('what is known is installed at its version: the lock is waited for, and configuration is kept', async () => {
  expect(await install(MISSING)).toEqual({ status: 0, ran: [INSTALL] });
});

test('what apt does not know yet needs its lists first', async () => {
  const { ran } = await install({ ...MISSING, candidate: undefined });
  expect(ran).toEqual([`${APT} update`, INSTALL.replace('x=1.1', 'x')]);
});

test('nothing is started meanwhile, and what was masked is unmasked, also after a failure', async () => {
  const mask = 'systemctl mask --runtime --quiet x.service y.service';
  const unmask = 'systemctl unmask --runtime --quiet x.service y.service';
  expect((await install(MISSING, ['x', 'y'])).ran).toEqual([mask, INSTALL, unmask]);
  await rm(join(directory, 'log'));
  await writeFile(join(directory, 'fails-apt-get'), '');
  const failed = await install(MISSING, ['x', 'y']);
  expect(failed.status).not.toBe(0);
  expect([failed.ran[0], failed.ran.at(-1)]).toEqual([mask, unmask]);
});

test('an interrupted dpkg is finished, and the installation tried again', async () => {
  await writeFile(join(directory, 'fails-apt-get'), '');
  await writeFile(join(directory, 'updates'), '0001\n');
  expect(await install(MISSING)).toEqual({
    status: 0,
    ran: [INSTALL, 'ls /var/lib/dpkg/updates', 'dpkg --force-confold --configure -a', INSTALL],
  });
});

test('an installation that fails for another reason fails, and nothing is configured', async () => {
  await writeFile(join(directory, 'fails-apt-get'), '');
  const { status, ran } = await install(MISSING);
  expect(status).not.toBe(0);
  expect(ran).toEqual([INSTALL, 'ls /var/lib/dpkg/updates']);
});

test('and it fails also where the unit of the package is not wanted: what is disabled then hides nothing', async () => {
  const good = await install(MISSING, [], ['x']);
  expect(good).toEqual({
    status: 0,
    ran: [
      'systemctl mask --runtime --quiet x.service',
      INSTALL,
      'systemctl disable --quiet x.service',
      'systemctl unmask --runtime --quiet x.service',
    ],
  });
  await rm(join(directory, 'log'));
  await writeFile(join(directory, 'fails-apt-get'), '');
  const { status, ran } = await install(MISSING, [], ['x']);
  expect(status).not.toBe(0);
  expect(ran).not.toContain('systemctl disable --quiet x.service');
});
