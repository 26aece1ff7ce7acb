import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { proveAptSource, requireSource } from '../../src/shell/apt.js';
import { scratch } from '../support/scratch.js';

const SOURCE = { file: '/etc/apt/sources.list.d/x.sources', uri: 'https://own.example/v1/' };
const SPECS = ['kubelet=1.30.4-*', 'kubectl=1.30.4-*'];

/** As apt names what it would download (apt-get(8), --print-uris). */
const line = (base: string, file: string): string => `'${base}${file}' ${file} 100 SHA256:aa`;
const OWN = ['kubelet_1.30.4-1.1_amd64.deb', 'kubectl_1.30.4-1.1_amd64.deb'].map((file) => line(SOURCE.uri, file));
const OTHER = line('https://other.example/', 'kubelet_1.30.4-9~other_amd64.deb');

/** Ends apt where its lists are read with other options than those of one file of sources, which are strict and impatient. */
const ONLY_OF = (file: string): string =>
  `case " $* " in *" -o Dir::Etc::sourcelist=${file} -o Dir::Etc::sourceparts=/dev/null -o APT::Get::List-Cleanup=false ${[
    'APT::Update::Error-Mode=any',
    'Acquire::AllowInsecureRepositories=false',
    'Acquire::AllowWeakRepositories=false',
    'Acquire::AllowDowngradeToInsecureRepositories=false',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
  ]
    .map((option) => `-o ${option}`)
    .join(' ')} update "*) ;; *) exit 9 ;; esac;`;

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
    'apt-get': `case "$*" in *' update') ${ONLY_OF(SOURCE.file)} echo u >>${log} ;; *) case "$*" in *"-o Dir::Cache::archives=${scratch()}/none install ${SPECS.join(' ')}") ;; *) exit 9 ;; esac; ${known ? '' : `[ -s ${log} ] || exit 100; `}cat <<'END'\n${uris.join('\n')}\nEND\n;; esac`,
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

describe('a file of sources is proved', () => {
  /** By an apt that says this of it, and ends so. */
  function prove(said: string, status: number): { readonly status: number | null; readonly stdout: string } {
    const [bin, own] = ['proof', 'own'].map((name) => join(scratch(), name));
    for (const directory of [bin, own]) mkdirSync(directory ?? '', { recursive: true });
    const programs = {
      'apt-get': `${ONLY_OF(`${own ?? ''}/new.sources`)} grep -q planted ${own ?? ''}/new.sources || exit 9; printf '%s\\n' "$SAID" >&2; exit ${status}`,
      mktemp: `mkdir -p ${own ?? ''} && echo ${own ?? ''}`,
    };
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(bin ?? '', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    writeFileSync(join(scratch(), 'a.sources'), 'planted');
    const script = proveAptSource(SOURCE.uri, ['AB', 'CD']);
    const env = { PATH: `${bin ?? ''}:${process.env['PATH'] ?? ''}`, SAID: said };
    const ended = spawnSync('sh', ['-c', script, 'sh', 'a.sources'], { cwd: scratch(), encoding: 'utf8', env });
    expect(existsSync(own ?? '')).toBe(false);
    return { status: ended.status, stdout: ended.stdout };
  }

  test('by the lists that apt reads with it, and with no other file', () => {
    expect(prove('Get:1 x', 0)).toEqual({ status: 0, stdout: '' });
  });

  test.each(['NO_PUBKEY 77', 'BADSIG 77', "E: The repository 'x' is not signed.", "W: it couldn't be verified"])(
    'by its keys: %s',
    (line) => {
      expect(prove(`Get:1 x\n${line}`, 100)).toEqual({
        status: 1,
        stdout: `${/^[EW]:/.test(line) ? `${line}\n` : ''}https://own.example/v1/ is not signed by AB or CD (kube_cluster_packages_key): apt does not trust it, and nothing is installed from it\n`,
      });
    },
  );

  test('and what is wrong otherwise is shown, its last lines', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `Err:${index} https://own.example/v1`);
    expect(prove([...lines, 'noise'].join('\n'), 100)).toEqual({
      status: 1,
      stdout: `${lines.slice(1).join('\n')}\napt can't read the lists of https://own.example/v1/: nothing is installed from it\n`,
    });
  });
});
