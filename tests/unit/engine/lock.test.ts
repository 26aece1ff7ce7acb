import { describe, expect, test } from '@jest/globals';
import { clearLeftLocks } from '../../../src/engine/left-lock.js';
import { breakLock, findLock, takeLock, type LockHolder } from '../../../src/engine/lock.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { outputOf, type Connector } from '../../../src/model/remote.js';
import { readLockScript, releaseLockScript, takeLockScript } from '../../../src/shell/lock.js';

const HOSTS = ['a', 'b', 'c'];
const ANNA: LockHolder = {
  user: 'anna',
  machine: 'desk-1',
  pid: 7,
  process: 'boot-1 7 100',
  since: '2026-11-21T01:02:03.000Z',
  inventory: '/srv/inventory.yaml',
};
const BEN: LockHolder = { ...ANNA, user: 'ben', machine: 'desk-2', process: 'boot-2 9 200' };

/** Hosts that know the scripts of the lock, and nothing else; those in `away` can't be reached. */
function lockHosts(locks: Map<string, string>, away: readonly string[] = []): Connector {
  const known = (script: string): string[] =>
    [...new Set([ANNA, BEN].map((holder) => JSON.stringify(holder)))].filter((text) => script.includes(text));
  return {
    connect(host) {
      if (away.includes(host))
        return Promise.reject(new RemoteError({ code: 'unreachable', host, message: `${host}: unreachable` }));
      return Promise.resolve({
        host,
        close: () => Promise.resolve(),
        run({ script }) {
          const held = locks.get(host) ?? '';
          let stdout = '';
          if (script === readLockScript()) stdout = held;
          else {
            const [text = ''] = known(script).filter(
              (each) => script.includes(`ln -sfT '${each}'`) || script === releaseLockScript(each),
            );
            if (script === releaseLockScript(text)) {
              if (held === text) locks.delete(host);
            } else if (held === '' || script === takeLockScript(text, held)) locks.set(host, text);
            else stdout = held;
          }
          return Promise.resolve(outputOf(0, stdout));
        },
      });
    },
    close: () => Promise.resolve(),
  };
}

function request(connector: Connector, holder = ANNA, isGone: (holder: LockHolder) => boolean = () => false) {
  const events: Event[] = [];
  const emit = (event: Event): void => void events.push(event);
  return { hosts: HOSTS, holder, isGone, connector, emit, unlockCommand: 'provision unlock inventory.yaml', events };
}

describe('the lock of a cluster', () => {
  test('stands on every host while it is held, and on none afterwards', async () => {
    const locks = new Map<string, string>();
    const lock = await takeLock(request(lockHosts(locks)));
    expect([...locks]).toEqual(HOSTS.map((host) => [host, JSON.stringify(ANNA)]));
    await lock.release();
    expect(locks.size).toBe(0);
  });

  test('refuses a second operator with holder, host, time and the way to break it, and takes nothing', async () => {
    const locks = new Map([['b', JSON.stringify(BEN)]]);
    await expect(takeLock(request(lockHosts(locks)))).rejects.toMatchObject({
      code: 'locked',
      message:
        'b: locked by ben@desk-2 (pid 7) since 2026-11-21T01:02:03.000Z, with /srv/inventory.yaml; nothing was changed',
      hint: expect.stringContaining('provision unlock inventory.yaml') as unknown,
    });
    expect([...locks.keys()]).toEqual(['b']);
  });

  test('is taken over from a process that has provably ended, with a notice', async () => {
    const locks = new Map(HOSTS.map((host) => [host, JSON.stringify(BEN)]));
    const asked = request(lockHosts(locks), ANNA, ({ user }) => user === 'ben');
    await takeLock(asked);
    expect([...locks.values()]).toEqual(HOSTS.map(() => JSON.stringify(ANNA)));
    expect(asked.events).toHaveLength(3);
    expect(asked.events[0]).toMatchObject({
      type: 'notice',
      host: 'a',
      message: expect.stringMatching(/ben@desk-2/) as unknown,
    });
  });

  test('holds without one host of three, and not without two', async () => {
    const locks = new Map<string, string>();
    const one = request(lockHosts(locks, ['a']));
    await (await takeLock(one)).release();
    expect(one.events).toMatchObject([{ type: 'notice', host: 'a' }]);
    await expect(takeLock(request(lockHosts(locks, ['a', 'c'])))).rejects.toMatchObject({ code: 'lock-unsure' });
    expect(locks.size).toBe(0);
  });

  test('that is left on a host which went away is told, with what to do', async () => {
    const locks = new Map<string, string>();
    const away: string[] = [];
    const asked = request(lockHosts(locks, away));
    const lock = await takeLock(asked);
    away.push('b');
    await lock.release();
    expect([...locks.keys()]).toEqual(['b']);
    expect(asked.events).toMatchObject([
      { host: 'b', message: expect.stringMatching(/left here.*provision unlock/) as unknown },
    ]);
  });

  test('is broken only if it is still the one that was found', async () => {
    const locks = new Map([['a', JSON.stringify(BEN)]]);
    const connector = lockHosts(locks);
    const found = await findLock('a', connector);
    if (found === undefined) throw new Error('no lock was found');
    expect(found.holder).toEqual(BEN);
    locks.set('a', JSON.stringify(ANNA));
    await breakLock(found, connector);
    expect(locks.get('a')).toBe(JSON.stringify(ANNA));
    locks.set('a', JSON.stringify(BEN));
    await breakLock(found, connector);
    expect(locks.size).toBe(0);
    expect(await findLock('a', connector)).toBeUndefined();
  });
});

describe('a lock that a run without changes finds', () => {
  const found = (holder: LockHolder) => HOSTS.map((host) => ({ host, text: JSON.stringify(holder), holder }));

  test('is removed, with a notice, when its holder has provably ended', async () => {
    const locks = new Map(HOSTS.map((host) => [host, JSON.stringify(BEN)]));
    const asked = request(lockHosts(locks), ANNA, ({ user }) => user === 'ben');
    await clearLeftLocks(found(BEN), asked);
    expect(locks.size).toBe(0);
    expect(asked.events).toHaveLength(3);
    expect(asked.events[0]).toMatchObject({
      type: 'notice',
      host: 'a',
      message: expect.stringMatching(/^removed the lock that ben@desk-2 .* has ended$/) as unknown,
    });
  });

  test('stands when its holder lives, or nobody can tell; the notice says how to break it', async () => {
    const locks = new Map([...HOSTS, 'd'].map((host) => [host, JSON.stringify(BEN)]));
    const asked = request(lockHosts(locks));
    await clearLeftLocks([...found(BEN), { host: 'd', text: 'of another version', holder: undefined }], asked);
    expect(locks.size).toBe(4);
    expect(asked.events.map((event) => event.type === 'notice' && event.message)).toEqual([
      ...HOSTS.map(
        () => expect.stringMatching(/^locked by ben@desk-2 .*: provision unlock inventory.yaml$/) as unknown,
      ),
      expect.stringMatching(/^locked by someone unknown/),
    ]);
  });

  test('stays when it was taken anew since', async () => {
    const locks = new Map([['a', JSON.stringify(ANNA)]]);
    await clearLeftLocks(
      found(BEN).slice(0, 1),
      request(lockHosts(locks), ANNA, () => true),
    );
    expect(locks.get('a')).toBe(JSON.stringify(ANNA));
  });
});
