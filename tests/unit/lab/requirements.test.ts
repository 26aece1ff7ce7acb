import { describe, expect, test } from '@jest/globals';
import { requirementsError, whatIsMissing } from '../../../src/lab/requirements.js';
import type { Machine } from '../../../src/lab/requirements.js';

const FIT: Machine = {
  platform: 'linux',
  uid: 0,
  missingPrograms: [],
  hasKeyring: true,
  hasOverlayfs: true,
  hasMirror: true,
};

describe('whatIsMissing', () => {
  test('a fit machine is missing nothing', () => {
    expect(whatIsMissing(FIT)).toEqual({ problems: [], packages: [] });
  });

  test('says everything at once, and each package once', () => {
    const missing = whatIsMissing({
      platform: 'darwin',
      uid: 501,
      missingPrograms: ['ssh', 'ssh-keygen', 'systemd-nspawn', 'debootstrap'],
      hasKeyring: false,
      hasOverlayfs: false,
      hasMirror: false,
    });
    expect(missing.packages).toEqual(['debian-archive-keyring', 'debootstrap', 'openssh-client', 'systemd-container']);
    expect(missing.problems).toHaveLength(9);
  });

  test.each<[Partial<Machine>, string]>([
    [{ uid: 1000 }, 'root'],
    [{ platform: 'win32' }, 'Linux; this is win32'],
    [{ hasOverlayfs: false }, 'overlay'],
    [{ hasMirror: false }, 'PROVISION_LAB_MIRROR'],
    [{ hasKeyring: false }, 'debian-archive-keyring'],
    [{ missingPrograms: ['ip'] }, 'iproute2'],
  ])('%p is a problem that says %p', (change, words) => {
    const { problems } = whatIsMissing({ ...FIT, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
  });
});

describe('requirementsError', () => {
  test('the hint is the line to type', () => {
    const error = requirementsError(whatIsMissing({ ...FIT, missingPrograms: ['debootstrap', 'ip'] }));
    expect(error.message).toBe(
      'this machine cannot run a lab; missing:\n' +
        '  - program debootstrap (package debootstrap)\n' +
        '  - program ip (package iproute2)',
    );
    expect(error.hint).toContain('apt-get install debootstrap iproute2 ');
  });

  test('what no package fixes gets no such line', () => {
    expect(requirementsError(whatIsMissing({ ...FIT, uid: 1000 })).hint).toBeUndefined();
  });
});
