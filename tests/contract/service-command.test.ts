import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { serviceCommand, type ServiceVerb } from '../../src/shell/service-command.js';
import { run } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What the stand-ins answer. */
interface Systemd {
  /** Calls of systemctl, each with SYSTEMCTL_SKIP_SYSV where it was set, that end with a status. */
  readonly fails?: Readonly<Record<string, number>>;
}

/** Runs the command with stand-ins for systemctl and journalctl. @returns its status, what ran, in order, and what it said */
async function ask(
  verb: ServiceVerb,
  { fails = {} }: Systemd = {},
): Promise<{ readonly status: number; readonly ran: readonly string[]; readonly stderr: string }> {
  const directory = temporaryDirectory('service-command');
  const cases = Object.entries(fails).map(([call, status]) => `'${call}') exit ${status} ;;`);
  const programs = {
    systemctl: [
      'call="${SYSTEMCTL_SKIP_SYSV:+no-sysv }$*"',
      `echo "$call" >>${directory}/log`,
      `case $call in ${cases.join(' ')} esac`,
    ],
    journalctl: [`echo "journalctl $*" >>${directory}/log`, 'echo the last lines'],
  };
  for (const [name, lines] of Object.entries(programs)) {
    await writeFile(join(directory, name), ['#!/bin/sh', ...lines, ''].join('\n'));
    await chmod(join(directory, name), 0o755);
  }
  const path = `PATH=${directory}:${process.env['PATH'] ?? ''}`;
  const { status, stderr } = await run(['env', path, 'sh', '-c', serviceCommand(verb, 'x').script]);
  return { status, stderr, ran: (await readFile(join(directory, 'log'), 'utf8')).trim().split('\n') };
}

test.each<[ServiceVerb, readonly string[]]>([
  ['start', ['reset-failed x.service', 'daemon-reload', 'start --quiet x.service']],
  ['restart', ['reset-failed x.service', 'daemon-reload', 'restart --quiet x.service']],
  ['reload', ['daemon-reload', 'reload --quiet x.service']],
  ['stop', ['stop --quiet x.service']],
  ['disable', ['disable --quiet x.service']],
  ['mask', ['mask --runtime --quiet x.service']],
  ['unmask', ['unmask --runtime --quiet x.service']],
])('what runs anew runs by the units as they are on disk: %s', async (verb, ran) => {
  expect(await ask(verb)).toEqual({ status: 0, ran, stderr: '' });
});

test('a start that was refused before is asked for all the same', async () => {
  const { status, ran } = await ask('start', { fails: { 'reset-failed x.service': 1 } });
  expect({ status, last: ran.at(-1) }).toEqual({ status: 0, last: 'start --quiet x.service' });
});

describe('a service is enabled', () => {
  test('without the links of SysV where it has a unit', async () => {
    expect((await ask('enable')).ran).toEqual(['no-sysv enable --quiet x.service']);
  });

  test('with them where it has nothing else', async () => {
    const { status, ran } = await ask('enable', { fails: { 'no-sysv enable --quiet x.service': 1 } });
    expect({ status, ran }).toEqual({
      status: 0,
      ran: ['no-sysv enable --quiet x.service', 'enable --quiet x.service'],
    });
  });
});

test.each<[ServiceVerb, string]>([
  ['restart', 'restart --quiet x.service'],
  ['enable', 'enable --quiet x.service'],
  ['stop', 'stop --quiet x.service'],
])('what systemd refuses ends with its status, and the last lines of the journal: %s', async (verb, call) => {
  const { status, ran, stderr } = await ask(verb, { fails: { [call]: 5, [`no-sysv ${call}`]: 1 } });
  expect({ status, last: ran.at(-1) }).toEqual({
    status: 5,
    last: 'journalctl --no-pager -o cat -n 15 -u x.service',
  });
  expect(stderr).toContain('the last lines');
});
