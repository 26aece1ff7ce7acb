import { describe, expect, test } from '@jest/globals';
import { fileLocks } from '../../../src/facts/file-locks.js';
import { aptUnlocked } from '../../../src/gates/apt-unlocked.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';

const LISTS = '/var/lib/apt/lists/lock';

/** What apt and dpkg lock, as their sources say; not taken from what is tested. */
const APT_LOCKS = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock', LISTS, '/var/cache/apt/archives/lock'];

function host(locks: Readonly<Record<string, string>>): FakeAnswers {
  return { 'file-locks': Object.fromEntries(APT_LOCKS.map((path) => [path, locks[path]])) };
}

describe('apt-unlocked', () => {
  const gate = aptUnlocked();

  test('is open while nobody holds a lock', async () => {
    expect(await gate.check(gateInput(fakeProbes({ a: host({}) }), { batch: ['a'] }))).toMatchObject({ open: true });
  });

  test.each(APT_LOCKS)('is shut by %s, and says who holds it', async (path) => {
    const probes = fakeProbes({ a: host({}), b: host({ [path]: 'unattended-upgr (pid 812)' }) });
    expect(await gate.check(gateInput(probes, { batch: ['b'] }))).toMatchObject({
      open: false,
      reason: `unattended-upgr (pid 812) on b holds ${path}`,
    });
    // Another host's lock is none of its business.
    expect(await gate.check(gateInput(probes, { batch: ['a'] }))).toMatchObject({ open: true });
  });
});

test('the holders of locks are read by path', () => {
  const found = fileLocks.parse(`L 812 ${LISTS} apt-get\n`, [LISTS, '/free']);
  expect([...found]).toEqual([
    [LISTS, 'apt-get (pid 812)'],
    ['/free', undefined],
  ]);
});
