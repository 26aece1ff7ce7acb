import { describe, expect, test } from '@jest/globals';
import { clearLeftLocks, locksSeen, tellLocks } from '../../../src/engine/left-lock.js';
import { breakLocks, findLocks } from '../../../src/engine/break-locks.js';
import { breakLock, findLock, refuseLocked, takeLock, type LockRequest } from '../../../src/engine/lock.js';
import { foundLock, type LockHolder } from '../../../src/engine/lock-holder.js';
import { RemoteError } from '../../../src/model/errors.js';
import type { Event } from '../../../src/model/events.js';
import { outputOf, type Connector, type Output, type Probe } from '../../../src/model/remote.js';
import { awaitIdleScript, BUSY_MARK, STILL_BUSY } from '../../../src/shell/busy.js';
import { lockMark, NOT_ROOT, readLockScript, releaseLockScript, takeLockScript } from '../../../src/shell/lock.js';
import { noDownload } from '../../support/local-transport.js';

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

const textOf = (holder: LockHolder): string => JSON.stringify(holder);
const markOf = (holder: LockHolder): string => lockMark(textOf(holder));

/**
 * Hosts that know the scripts of the lock, and nothing else; those in `away` can't be reached. Each answer takes a turn
 * of the event loop, so that two operators meet.
 * @param locks host → what is there, as it is read
 */
function lockHosts(locks: Map<string, string>, away: readonly string[] = []): Connector {
  const holders = [ANNA, BEN];
  function answer(host: string, script: string): string {
    const held = locks.get(host) ?? '';
    if (script === readLockScript()) return held;
    if (script === releaseLockScript(held) && held !== '') locks.delete(host);
    const taker = holders.find(
      (each) => script === takeLockScript(textOf(each), '') || script === takeLockScript(textOf(each), held),
    );
    if (taker === undefined) return locks.get(host) ?? '';
    const may = held === '' || held === markOf(taker) || script === takeLockScript(textOf(taker), held);
    if (may) locks.set(host, markOf(taker));
    return may ? '' : held;
  }
  return {
    async connect(host) {
      await new Promise((resolve) => setImmediate(resolve));
      if (away.includes(host)) throw new RemoteError({ code: 'unreachable', host, message: `${host}: unreachable` });
      return {
        host,
        close: () => Promise.resolve(),
        download: noDownload,
        async run({ script }) {
          const stdout = answer(host, script);
          await new Promise((resolve) => setImmediate(resolve));
          return outputOf(0, Buffer.from(stdout), '');
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

function request(
  connector: Connector,
  more: Partial<LockRequest> = {},
): LockRequest & { readonly events: readonly Event[] } {
  const events: Event[] = [];
  return {
    acted: [],
    members: HOSTS,
    holder: ANNA,
    isGone: () => false,
    interrupted: () => false,
    connector,
    emit: (event) => void events.push(event),
    unlockCommand: 'provision unlock inventory.yaml',
    without: (hosts) => `provision apply inventory.yaml --limit 'all:!${hosts.join(':!')}'`,
    events,
    ...more,
  };
}

/** A host on which something still runs for so many looks, as it says; and how often the lock was asked for, and waited for. */
function busyHost(
  looks: number,
  says: string,
): { readonly connector: Connector; readonly asked: () => readonly number[] } {
  let [taken, waited] = [0, 0];
  const transport = {
    host: 'a',
    run: ({ script }: { readonly script: string }) => {
      if (script === awaitIdleScript()) waited++;
      if (script !== takeLockScript(textOf(ANNA), '')) return Promise.resolve(outputOf(0, ''));
      return Promise.resolve(taken++ < looks ? outputOf(STILL_BUSY, '', `${BUSY_MARK}${says}`) : outputOf(0, ''));
    },
    download: noDownload,
    close: () => Promise.resolve(),
  };
  return {
    connector: { connect: () => Promise.resolve(transport), close: () => Promise.resolve() },
    asked: () => [taken, waited],
  };
}

describe('what an earlier run has left running on a host', () => {
  test.each([0, 1, 5, 60])('is waited for, and said once: %i looks', async (looks) => {
    const { connector, asked } = busyHost(looks, 'pid 7: restart etcd\n');
    const its = request(connector, { members: ['a'] });
    await takeLock(its);
    expect(asked()).toEqual([looks + 1, looks]);
    const message = 'waits, for ten minutes at most, until what was begun here before ends: pid 7: restart etcd';
    expect(its.events).toEqual(looks === 0 ? [] : [{ type: 'notice', host: 'a', message }]);
  });

  test('is not waited for without end', async () => {
    const { connector, asked } = busyHost(Infinity, ' \n');
    await expect(takeLock(request(connector, { members: ['a'] }))).rejects.toMatchObject({
      code: 'still-busy',
      message: 'a: what an earlier run has begun still runs there (it does not say what); nothing was changed',
    });
    expect(asked()).toEqual([61, 60]);
  });

  test('is not waited for by who was asked to stop', async () => {
    const { connector, asked } = busyHost(Infinity, 'pid 7: restart etcd');
    const stopping = request(connector, { members: ['a'], interrupted: () => asked()[1] === 1 });
    await expect(takeLock(stopping)).rejects.toMatchObject({
      code: 'interrupted',
      message: 'stopped on request before: a locking it',
    });
    expect(asked()).toEqual([2, 1]);
  });
});

const isBen = ({ user }: LockHolder): boolean => user === 'ben';

test('a user who is not root gets the reason from the host', async () => {
  const connector: Connector = {
    connect: (host) =>
      Promise.resolve({
        host,
        run: () => Promise.resolve(outputOf(NOT_ROOT, '', 'no')),
        download: noDownload,
        close: () => Promise.resolve(),
      }),
    close: () => Promise.resolve(),
  };
  await expect(takeLock(request(connector))).rejects.toMatchObject({
    code: 'lock-needs-root',
    message: 'a: only root can lock a host, and a host is changed only while it is locked; nothing was changed',
    cause: expect.objectContaining({ status: NOT_ROOT }) as unknown,
  });
});

describe('the lock of a run', () => {
  test('stands on every member and every host that is changed while it is held, and on none afterwards', async () => {
    const locks = new Map<string, string>();
    const lock = await takeLock(request(lockHosts(locks), { acted: ['lb', 'a'] }));
    expect([...locks]).toEqual(['a', 'b', 'c', 'lb'].map((host) => [host, markOf(ANNA)]));
    await lock.release();
    expect(locks.size).toBe(0);
  });

  test('refuses a second operator with holder, host, time and the way to break it, and takes nothing', async () => {
    const locks = new Map([['b', markOf(BEN)]]);
    await expect(takeLock(request(lockHosts(locks)))).rejects.toMatchObject({
      code: 'locked',
      message:
        'b: locked by ben@desk-2 (pid 7) since 2026-11-21T01:02:03.000Z, with /srv/inventory.yaml; nothing was changed',
      hint: expect.stringContaining('provision unlock inventory.yaml') as unknown,
    });
    expect([...locks.keys()]).toEqual(['b']);
  });

  test('is taken over from a process that has provably ended, with a notice', async () => {
    const locks = new Map(HOSTS.map((host) => [host, markOf(BEN)]));
    const asked = request(lockHosts(locks), { isGone: isBen });
    await takeLock(asked);
    expect([...locks.values()]).toEqual(HOSTS.map(() => markOf(ANNA)));
    expect(asked.events).toHaveLength(3);
    expect(asked.events[0]).toMatchObject({
      type: 'notice',
      host: 'a',
      message: expect.stringMatching(/ben@desk-2/) as unknown,
    });
  });

  // Every set of hosts that may be away: more than half must be there.
  test.each([1, 2, 3, 4, 5, 6])('of %i members holds with more than half of them, and with no fewer', async (count) => {
    const members = Array.from({ length: count }, (_, index) => `m${index}`);
    for (let set = 0; set < 2 ** count; set += 1) {
      const away = members.filter((_, index) => (set >> index) % 2 === 1);
      const locks = new Map<string, string>();
      const asked = request(lockHosts(locks, away), { members });
      const kept = count - away.length;
      if (kept > count / 2) {
        const lock = await takeLock(asked);
        expect(locks.size).toBe(kept);
        expect(asked.events.map((event) => event.type === 'notice' && event.host)).toEqual(away);
        await lock.release();
      } else await expect(takeLock(asked)).rejects.toMatchObject({ code: 'lock-unsure' });
      expect(locks.size).toBe(0);
    }
  });

  test.each([1, 2, 3, 4, 5, 6])('goes to just one of two operators at once, with %i members', async (count) => {
    const members = Array.from({ length: count }, (_, index) => `m${index}`);
    const locks = new Map<string, string>();
    const connector = lockHosts(locks);
    const both = [ANNA, BEN].map((holder) => takeLock(request(connector, { members, holder })));
    const ends = await Promise.allSettled(both);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(new Set(locks.values()).size).toBe(1);
    expect(locks.size).toBe(count);
  });

  test('goes to just one of two whose playbooks or inventories differ, but share a host', async () => {
    const locks = new Map<string, string>();
    const connector = lockHosts(locks);
    const anna = takeLock(request(connector, { members: [], acted: ['x', 'shared'] }));
    const ben = takeLock(request(connector, { members: [], acted: ['shared', 'a', 'b'], holder: BEN }));
    const ends = await Promise.allSettled([anna, ben]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(new Set(locks.values()).size).toBe(1);
  });

  test('lets two work at once that share no host', async () => {
    const connector = lockHosts(new Map());
    await takeLock(request(connector, { members: [], acted: ['a'] }));
    await takeLock(request(connector, { members: [], acted: ['b'], holder: BEN }));
  });

  test('is not held where a host that is to be changed is away', async () => {
    const locks = new Map<string, string>();
    await expect(takeLock(request(lockHosts(locks, ['c']), { acted: ['c', 'a'] }))).rejects.toMatchObject({
      code: 'lock-unsure',
      message: expect.stringContaining('c: unreachable') as unknown,
      hint: "make c reachable; or to skip it: provision apply inventory.yaml --limit 'all:!c'",
    });
    expect(locks.size).toBe(0);
  });

  test('of just the host that is away offers no run without it, which would do nothing', async () => {
    await expect(takeLock(request(lockHosts(new Map(), ['c']), { acted: ['c'] }))).rejects.toMatchObject({
      code: 'lock-unsure',
      hint: 'make c reachable',
    });
  });

  test('names everything that is away, and how to leave all of it out', async () => {
    const away = lockHosts(new Map(), ['b', 'c', 'm1']);
    await expect(
      takeLock(request(away, { acted: ['a', 'b', 'c'], members: ['m1', 'm2', 'm3'] })),
    ).rejects.toMatchObject({
      code: 'lock-unsure',
      message: 'hosts to be changed could not be locked, nothing was changed: b: unreachable; c: unreachable',
      hint: "make b, c reachable; or to skip them: provision apply inventory.yaml --limit 'all:!b:!c'",
    });
    const members = { members: ['a', 'b', 'c'] };
    await expect(takeLock(request(lockHosts(new Map(), ['b', 'c']), members))).rejects.toMatchObject({
      message: "only 1 of 3 etcd members' hosts can keep the lock (a, b, c): nothing was changed",
    });
  });

  // Up to fifty hosts one after the other; of more, as many at once as it takes to be through in fifty rounds.
  test.each([
    [1, 1],
    [49, 1],
    [50, 1],
    [51, 2],
    [100, 2],
    [101, 3],
    [1001, 21],
  ])('is taken on %i hosts with at most %i at once, on each of them, and released', async (count, most) => {
    const acted = Array.from({ length: count }, (_, index) => `h${index}`);
    const locks = new Map<string, string>();
    const real = lockHosts(locks);
    let [at, mostAtOnce, rounds] = [0, 0, 0];
    const taking = { is: true };
    const connector: Connector = {
      ...real,
      async connect(host) {
        const transport = await real.connect(host);
        return {
          ...transport,
          async run(command) {
            if (!taking.is) return transport.run(command);
            if (at === 0) rounds += 1;
            at += 1;
            mostAtOnce = Math.max(mostAtOnce, at);
            const output = await transport.run(command);
            at -= 1;
            return output;
          },
        };
      },
    };
    const lock = await takeLock(request(connector, { members: [], acted }));
    taking.is = false;
    expect([...locks.keys()].toSorted()).toEqual(acted.toSorted());
    expect(mostAtOnce).toBe(most);
    expect(rounds).toBeLessThanOrEqual(50);
    await lock.release();
    expect(locks.size).toBe(0);
  });

  test.each<[string, number, string]>([
    ['who is not root', NOT_ROOT, 'lock-needs-root'],
    ['any other failure', 1, 'command-failed'],
  ])('tells %s by its own name, and leaves nothing locked', async (_, status, code) => {
    const locks = new Map<string, string>();
    const real = lockHosts(locks);
    const connector: Connector = {
      ...real,
      async connect(host) {
        const transport = await real.connect(host);
        const run = (): Promise<Output> => Promise.resolve(outputOf(status, '', 'no'));
        return host === 'c' && locks.size > 0 ? { ...transport, run } : transport;
      },
    };
    await expect(takeLock(request(connector))).rejects.toMatchObject({ code });
    expect(locks.size).toBe(0);
  });

  test('is read without the line’s end that a shell may print', async () => {
    const connector: Connector = {
      connect: (host) =>
        Promise.resolve({
          host,
          download: noDownload,
          close: () => Promise.resolve(),
          run: ({ script }) =>
            Promise.resolve(
              outputOf(0, script === readLockScript() || script === releaseLockScript('x') ? '\n' : `${markOf(BEN)}\n`),
            ),
        }),
      close: () => Promise.resolve(),
    };
    expect(await findLock('a', connector)).toBeUndefined();
    expect(await breakLock({ host: 'a', mark: 'x', holder: undefined }, connector)).toBeUndefined();
    await expect(takeLock(request(connector))).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringMatching(/^a: locked by ben/) as unknown,
    });
  });

  test('that is left on a host which went away is reported, with what to do', async () => {
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

  test('is released also where the answer to taking it was lost', async () => {
    const locks = new Map<string, string>();
    const real = lockHosts(locks);
    let cut = true;
    const connector: Connector = {
      ...real,
      async connect(host) {
        const transport = await real.connect(host);
        if (host !== 'b') return transport;
        return {
          ...transport,
          async run(command) {
            const output = await transport.run(command);
            if (!cut) return output;
            cut = false;
            throw new RemoteError({ code: 'connection-lost', host, message: 'b: connection lost' });
          },
        };
      },
    };
    const lock = await takeLock(request(connector));
    expect(locks.get('b')).toBe(markOf(ANNA));
    await lock.release();
    expect(locks.size).toBe(0);
  });

  test('is refused before anything is asked, where the look has seen one that may be alive', () => {
    const unlockCommand = 'provision unlock inventory.yaml';
    const seen = [foundLock('a', markOf(BEN))];
    expect(() => {
      refuseLocked(seen, { isGone: () => false, unlockCommand });
    }).toThrow(/^a: locked by ben@desk-2/);
    refuseLocked(seen, { isGone: isBen, unlockCommand });
    const three = [foundLock('a', markOf(BEN)), foundLock('b', markOf(ANNA)), foundLock('c', markOf(ANNA))];
    expect(() => {
      refuseLocked(three, { isGone: isBen, unlockCommand });
    }).toThrow(/^b: locked by anna/);
    expect(() => {
      refuseLocked([foundLock('a', '?')], { isGone: () => true, unlockCommand });
    }).toThrow(/an unknown holder/);
  });

  test('is broken only if it is still the one that was found', async () => {
    const locks = new Map([['a', markOf(BEN)]]);
    const connector = lockHosts(locks);
    const found = await findLock('a', connector);
    if (found === undefined) throw new Error('no lock was found');
    expect(found.holder).toEqual(BEN);
    locks.set('a', markOf(ANNA));
    expect(await breakLock(found, connector)).toMatchObject({ holder: ANNA });
    expect(locks.get('a')).toBe(markOf(ANNA));
    locks.set('a', markOf(BEN));
    expect(await breakLock(found, connector)).toBeUndefined();
    expect(locks.size).toBe(0);
    expect(await findLock('a', connector)).toBeUndefined();
  });
});

describe('locks that a look has seen', () => {
  test('are those of every host that answers', async () => {
    const marks: Readonly<Record<string, string | undefined>> = { a: markOf(BEN), b: undefined, d: markOf(ANNA) };
    const probe = (host: string): Probe => ({
      host,
      ask: <V>() => (host === 'c' ? Promise.reject(new Error('away')) : Promise.resolve(marks[host] as V)),
      on: probe,
    });
    expect(
      (await locksSeen(['a', 'b', 'c', 'd'], { probe, lost: () => new Map() })).map(({ host, holder }) => [
        host,
        holder,
      ]),
    ).toEqual([
      ['a', BEN],
      ['d', ANNA],
    ]);
  });

  test('are each told, with how to break them', () => {
    const asked = request(lockHosts(new Map()));
    tellLocks([foundLock('a', markOf(BEN)), foundLock('b', '?')], { ...asked, isGone: () => false });
    expect(asked.events).toEqual([
      {
        type: 'notice',
        host: 'a',
        message:
          'a run is in progress, or was abandoned: locked by ben@desk-2 (pid 7) since 2026-11-21T01:02:03.000Z, with /srv/inventory.yaml; if you are sure that this run has ended: provision unlock inventory.yaml',
      },
      { type: 'notice', host: 'b', message: expect.stringMatching(/ locked by an unknown holder/) as unknown },
    ]);
  });

  test('of a run that has provably ended are named as such', () => {
    const asked = request(lockHosts(new Map()), { isGone: isBen });
    tellLocks([foundLock('a', markOf(BEN))], asked);
    expect(asked.events).toEqual([
      {
        type: 'notice',
        host: 'a',
        message: expect.stringMatching(
          /^a run was abandoned: ben@desk-2 .* has ended; its lock is left; apply again: it takes the lock over$/,
        ) as unknown,
      },
    ]);
  });
});

describe('unlock', () => {
  test('finds a stale lock everywhere, breaks all of it, and names who could not be asked', async () => {
    const locks = new Map([...HOSTS, 'lb'].map((host) => [host, markOf(BEN)]));
    const connector = lockHosts(locks, ['c']);
    const { locks: found, silent } = await findLocks([...HOSTS, 'lb', 'free'], connector);
    expect(silent).toEqual(['c: unreachable']);
    expect(await breakLocks(found.toReversed(), connector)).toEqual({ unlocked: ['a', 'b', 'lb'], standing: [] });
    expect([...locks.keys()]).toEqual(['c']);
  });

  test('never says that a lock is gone which stands', async () => {
    const locks = new Map(HOSTS.map((host) => [host, markOf(BEN)]));
    const away: string[] = [];
    const connector = lockHosts(locks, away);
    const { locks: found } = await findLocks(HOSTS, connector);
    locks.set('a', markOf(ANNA));
    away.push('b');
    expect(await breakLocks(found, connector)).toEqual({
      unlocked: ['c'],
      standing: expect.arrayContaining(['b: unreachable', expect.stringMatching(/^a: .*anna@desk-1/)]) as unknown,
    });
  });
});

describe('a lock that a run without changes finds', () => {
  const found = (holder: LockHolder) => HOSTS.map((host) => foundLock(host, markOf(holder)));

  test('is removed, with a notice, when its holder has provably ended', async () => {
    const locks = new Map(HOSTS.map((host) => [host, markOf(BEN)]));
    const asked = request(lockHosts(locks), { isGone: isBen });
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
    const locks = new Map([...HOSTS, 'd'].map((host) => [host, markOf(BEN)]));
    const asked = request(lockHosts(locks));
    await clearLeftLocks([...found(BEN), foundLock('d', lockMark('of another version'))], asked);
    expect(locks.size).toBe(4);
    expect(asked.events.map((event) => event.type === 'notice' && event.message)).toEqual([
      ...HOSTS.map(
        () => expect.stringMatching(/^locked by ben@desk-2 .*: provision unlock inventory.yaml$/) as unknown,
      ),
      expect.stringMatching(/^locked by an unknown holder/),
    ]);
  });

  test('stays when it was taken anew since', async () => {
    const locks = new Map([['a', markOf(ANNA)]]);
    await clearLeftLocks(found(BEN).slice(0, 1), request(lockHosts(locks), { isGone: () => true }));
    expect(locks.get('a')).toBe(markOf(ANNA));
  });
});
