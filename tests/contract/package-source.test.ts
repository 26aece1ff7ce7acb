import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { requireSource } from '../../src/shell/apt.js';
import { scratch } from '../support/scratch.js';

const SOURCE = { file: '/etc/apt/sources.list.d/x.sources', uri: 'https://own.example/v1/' };
const SPECS = ['kubelet=1.30.4-*', 'kubectl=1.30.4-*'];

/** As apt names what it would download (apt-get(8), --print-uris). */
const line = (base: string, file: string): string => `'${base}${file}' ${file} 100 SHA256:aa`;
const OWN = ['kubelet_1.30.4-1.1_amd64.deb', 'kubectl_1.30.4-1.1_amd64.deb'].map((file) => line(SOURCE.uri, file));
const OTHER = line('https://other.example/', 'kubelet_1.30.4-9~other_amd64.deb');

interface Host {
  readonly uris: readonly string[];
  /** Whether apt knows the versions before its lists are read again. */
  readonly known?: boolean;
  readonly state?: string;
}

function run({ uris, known = true, state = '' }: Host): {
  readonly status: number | null;
  readonly said: string;
  updates: number;
} {
  const bin = join(scratch(), 'bin');
  mkdirSync(bin, { recursive: true });
  const log = join(scratch(), 'updated');
  writeFileSync(log, '');
  const programs = {
    'apt-get': `case "$*" in *' update') echo u >>${log} ;; *) ${known ? '' : `[ -s ${log} ] || exit 100; `}cat <<'END'\n${uris.join('\n')}\nEND\n;; esac`,
    'dpkg-query': `printf '%s' '${state}'`,
    mktemp: `mkdir -p ${scratch()}/none && rm -rf ${scratch()}/none/* && echo ${scratch()}/none`,
  };
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const script = ['set -eu', ...requireSource(SPECS, SOURCE), 'echo installs', `wc -l <${log}`].join('\n');
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: scratch(), encoding: 'utf8', env });
  return { status, said: stdout + stderr, updates: Number(/\d+/.exec(stdout)?.[0] ?? -1) };
}

test('packages of the repository are installed, with what they need from elsewhere', () => {
  const needed = line('https://deb.example/', 'conntrack_1.4.7-1_amd64.deb');
  expect(run({ uris: [...OWN, needed] })).toMatchObject({ status: 0, updates: 0 });
});

test('lists that do not have the version are read again, those of the repository alone', () => {
  expect(run({ uris: OWN, known: false })).toMatchObject({ status: 0, updates: 1 });
});

test.each([
  [
    'another repository has what counts as newer',
    [OTHER, OWN[1] ?? ''],
    'apt would take kubelet from https://other.example/kubelet_1.30.4-9~other_amd64.deb, which is not https://own.example/v1/',
  ],
  [
    'a repository whose name begins so',
    [line('https://own.example/v1.evil/', 'kubelet_1_amd64.deb'), OWN[1] ?? ''],
    'apt would take kubelet from https://own.example/v1.evil/',
  ],
  ['one of them comes from nowhere', [OWN[0] ?? ''], 'apt would take kubectl from nowhere'],
  [
    'a package of a longer name is another one',
    [OWN[0] ?? '', line(SOURCE.uri, 'kubectl-extra_1_amd64.deb')],
    'apt would take kubectl from nowhere',
  ],
])('nothing is installed where %s', (_, uris, message) => {
  const { status, said } = run({ uris });
  expect(status).toBe(1);
  expect(said).toContain(message);
  expect(said).not.toContain('installs');
});

test.each([
  ['iU ', 0],
  ['iF ', 0],
  ['rc ', 1],
  ['iHR', 1],
])('what an earlier run has unpacked needs no download: %j', (state, status) => {
  expect(run({ uris: [OWN[0] ?? ''], state }).status).toBe(status);
});
