import { describe, expect, test } from '@jest/globals';
import { operatingSystem, SYSTEM, type OperatingSystem } from '../../../src/facts/operating-system.js';
import { supportedSystem } from '../../../src/resources/supported-system.js';
import { fakeProbe } from '../../support/fake-probe.js';

/** The lines of /etc/os-release that the question gives back, as their systems have them. */
const FILES = {
  bookworm: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
  trixie: 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n',
  bullseye: 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian\n',
  sid: 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n',
  noble: 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
  mint: 'ID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\nVERSION_ID="22"\n',
  rocky: 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n',
  // Debian's number, of another system.
  other: "ID='other'\nVERSION_ID='12'\nPRETTY_NAME='Other 12'\n",
  likeness: 'ID=rocky\nID_LIKE=notdebian\nVERSION_ID=12\nPRETTY_NAME=Rocky\n',
  none: '',
};
type File = keyof typeof FILES;

function read(file: File): OperatingSystem | undefined {
  return operatingSystem.parse(FILES[file], [SYSTEM]).get(SYSTEM);
}

function plan(file: File, allowsUntriedSystems = false): Promise<unknown> {
  const probe = fakeProbe({ 'operating-system': { [SYSTEM]: read(file) } });
  return supportedSystem({ allowsUntriedSystems }).plan(probe);
}

describe('the system of a host', () => {
  test('is read from os-release, quoted or not', () => {
    expect(read('noble')).toEqual({ id: 'ubuntu', version: '24.04', like: ['debian'], name: 'Ubuntu 24.04.1 LTS' });
    expect(read('mint')?.like).toEqual(['ubuntu', 'debian']);
    expect(read('other')).toEqual({ id: 'other', version: '12', like: [], name: 'Other 12' });
    expect(read('none')).toEqual({ id: '', version: '', like: [], name: '' });
  });

  test.each<File>(['bookworm', 'trixie'])('%s is one that roles were tried on', async (file) => {
    expect(await plan(file)).toEqual({ kind: 'unchanged' });
  });

  test.each<readonly [File, string]>([
    ['bullseye', 'Debian GNU/Linux 11 (bullseye)'],
    ['sid', 'Debian GNU/Linux forky/sid'],
    ['noble', 'Ubuntu 24.04.1 LTS'],
    ['mint', 'Linux Mint 22'],
  ])('%s is refused by name, with the way to try it all the same', async (file, name) => {
    await expect(plan(file)).rejects.toMatchObject({
      code: 'system-unsupported',
      message: `this host runs ${name}, and roles that install packages were tried on Debian 12 and 13 only`,
      hint: expect.stringContaining('set allow_unsupported_distribution_setup: true'),
    });
    expect(await plan(file, true)).toEqual({ kind: 'unchanged' });
  });

  test.each<readonly [File, string]>([
    ['rocky', 'Rocky Linux 9.4 (Blue Onyx)'],
    ['other', 'Other 12'],
    ['likeness', 'Rocky'],
    ['none', 'a system without a name in /etc/os-release'],
  ])('%s, which is not made from Debian, is refused whatever is allowed', async (file, name) => {
    for (const allows of [false, true])
      await expect(plan(file, allows)).rejects.toMatchObject({
        code: 'system-unsupported',
        message: expect.stringContaining(`runs ${name}, `),
        hint: 'use a host with Debian 12 or 13',
      });
  });
});
