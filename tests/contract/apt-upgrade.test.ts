import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aptUpgrade, UPGRADE, type AptUpgrade } from '../../src/facts/apt-upgrade.js';
import { updatePackageLists, upgradePackages } from '../../src/shell/apt-upgrade.js';
import { scratch } from '../support/scratch.js';

/** As apt 2.6.1 says it. */
const SAID = `Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following NEW packages will be installed:
  linux-image-6.1.0-26-amd64
The following packages have been kept back:
  kubeadm kubectl
  kubelet
The following packages will be upgraded:
  libc6 openssl
2 upgraded, 1 newly installed, 0 to remove and 3 not upgraded.
Inst libc6 [2.36-9] (2.36-9+deb12u8 Debian:12.7/stable [amd64]) [libc6:amd64 on libc-bin:amd64]
Conf libc6 (2.36-9+deb12u8 Debian:12.7/stable [amd64])
Inst openssl [3.0.13-1~deb12u1] (3.0.14-1~deb12u2 Debian-Security:12/stable-security [amd64])
Inst linux-image-6.1.0-26-amd64 (6.1.112-1 Debian-Security:12/stable-security [amd64])
Conf openssl (3.0.14-1~deb12u2 Debian-Security:12/stable-security [amd64])
`;

const UPGRADES = [
  { name: 'libc6', from: '2.36-9', to: '2.36-9+deb12u8' },
  { name: 'openssl', from: '3.0.13-1~deb12u1', to: '3.0.14-1~deb12u2' },
  { name: 'linux-image-6.1.0-26-amd64', from: undefined, to: '6.1.112-1' },
];

interface Stubs {
  readonly said?: string;
  readonly status?: number;
  /** Three letters of each package (dpkg-query(1)). */
  readonly states?: string;
  /** When the lists were read, as seconds; it is 1000 now. */
  readonly stamp?: string;
}

/** Runs a script in a real shell, with programs that answer so. */
function sh(script: string, { said = SAID, status = 0, states = 'ii ', stamp = '' }: Stubs = {}) {
  const programs = {
    'apt-get': `case " $* " in *' -s '*) cat <<'END'\n${said}END\nexit ${status} ;; *) echo "really: $*" ;; esac`,
    'dpkg-query': `printf '${states}\\n'`,
    ls: ':',
    stat: `printf '${stamp.trimEnd()}'`,
    date: 'echo 1000',
  };
  const bin = join(scratch(), 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, lines] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  return spawnSync('sh', ['-c', script], { cwd: scratch(), encoding: 'utf8', env });
}

function ask(stubs: Stubs = {}): AptUpgrade | undefined {
  return aptUpgrade.parse(sh(aptUpgrade.script([UPGRADE]), stubs).stdout, [UPGRADE]).get(UPGRADE);
}

describe('what apt would upgrade', () => {
  test('is read from its own simulation, with what stays', () => {
    expect(ask()).toEqual({
      ...{ listsAgeS: undefined, upgrades: UPGRADES, keptBack: ['kubeadm', 'kubectl', 'kubelet'] },
      ...{ isCutOff: false, halfInstalled: [], problem: undefined },
    });
    expect(ask({ said: 'Reading package lists...\n' })).toMatchObject({ upgrades: [], keptBack: [] });
  });

  test.each([
    ['', undefined],
    ['900\n', 100],
    ['1060\n', 0],
    // A clock was wrong then.
    ['1061\n', undefined],
    ['2000\n', undefined],
  ])('the age of its lists is that of the last success: %j', (stamp, age) => {
    expect(ask({ stamp })?.listsAgeS).toBe(age);
  });

  test('no other stamp counts: apt writes it also where a source could not be read', () => {
    expect(aptUpgrade.script([UPGRADE])).toContain('stat -c %Y /var/lib/provision/package-lists 2>');
    expect(aptUpgrade.script([UPGRADE])).not.toContain('/var/lib/apt/periodic');
    expect(updatePackageLists().script).toMatch(/ update\nmkdir -p .*\ntouch \/var\/lib\/provision\/package-lists$/);
  });

  test.each([
    ['ii ', false],
    ['iU ', true],
    ['iF ', true],
    ['iHR', true],
    ['it ', true],
    ['rc ', false],
    ['hi ', false],
  ])('packages in the state %j', (states, isCutOff) => {
    expect(ask({ states })?.isCutOff).toBe(isCutOff);
  });

  test.each([
    ['ii  openssl', []],
    ['iU  openssl', []],
    ['iHR openssl', ['openssl']],
    ['ii  zlib\\niHR libc6:amd64\\niFR openssl', ['libc6:amd64', 'openssl']],
  ])('packages that only a new installation helps: %j', (states, names) => {
    expect(ask({ states })?.halfInstalled).toEqual(names);
  });

  test('that apt can not say it is no answer; what was cut off is the reason, where it was', () => {
    const broken = { said: 'E: Unmet dependencies. Try apt --fix-broken install.\nE: more\n', status: 100 };
    expect(ask(broken)).toMatchObject({
      upgrades: [],
      problem: 'E: Unmet dependencies. Try apt --fix-broken install.',
    });
    expect(ask({ ...broken, states: 'iU ' })).toMatchObject({ isCutOff: true, problem: undefined });
  });
});

describe('an upgrade', () => {
  const [libc, openssl, kernel] = UPGRADES;
  test.each([
    ['of what was shown', [kernel, libc, openssl], 0],
    ['where apt would do less', UPGRADES.slice(0, 2), 1],
    ['where apt would do more', [...UPGRADES, { name: 'zlib', from: '1', to: '2' }], 1],
    ['where a version is another one', [kernel, libc, { name: 'openssl', from: '1', to: '3.0.15' }], 1],
  ])('%s', (_, upgrades, status) => {
    const given = upgrades.flatMap((each) => (each === undefined ? [] : [each]));
    const found = sh(upgradePackages(given).script);
    expect(found.status).toBe(status);
    expect(found.stdout.includes('really: ')).toBe(status === 0);
    expect(found.stderr.includes('apt would upgrade something else by now')).toBe(status === 1);
  });
});
