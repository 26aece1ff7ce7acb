import { expect, test } from '@jest/globals';
import { whileLocked } from '../../../src/commands/lock-cluster.js';
import type { Session } from '../../../src/commands/session.js';
import { outputOf, type Transport } from '../../../src/model/remote.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { noDownload } from '../../support/local-transport.js';

const MEMBERS = ['m1', 'm2', 'm3'];

/** The hosts that are locked, in the order in which they are. @param about the playbook says something about etcd */
async function lockedFor(
  acted: readonly string[],
  about: 'etcd' | 'something else',
  gone: readonly string[] = [],
): Promise<readonly string[]> {
  const locked: string[] = [];
  const connect = (host: string): Promise<Transport> =>
    Promise.resolve({
      host,
      run({ summary }) {
        if (summary === 'take the lock') locked.push(host);
        return Promise.resolve(outputOf(0, ''));
      },
      download: noDownload,
      close: () => Promise.resolve(),
    });
  const world = fakeWorld(fakeHosts([...MEMBERS, 'web']), {
    connector: { connect, close: () => Promise.resolve() },
    hosts: [...MEMBERS, 'web'],
  });
  const cluster = { members: about === 'etcd' ? MEMBERS.map((host) => ({ host })) : [] };
  const session = { cluster, memberHosts: MEMBERS, world, without: () => '' } as unknown as Session;
  await whileLocked({ inventory: 'inventory.yaml', session, acted, seen: [], gone }, () => Promise.resolve());
  return locked;
}

test.each<[string, ...Parameters<typeof lockedFor>, string]>([
  ['an etcd is changed', ['m2'], 'etcd', [], 'm1 m2 m3'],
  ['what is beside etcd is changed', ['web'], 'etcd', [], 'm1 m2 m3 web'],
  ['a member is gone', ['m2'], 'etcd', ['m3'], 'm1 m2'],
  ['a playbook of one’s own changes a member', ['m2', 'web'], 'something else', [], 'm1 m2 m3 web'],
  ['a playbook of one’s own changes no member', ['web'], 'something else', [], 'web'],
  ['a play stands for the control machine', ['localhost', 'web'], 'something else', [], 'web'],
])('where %s, its members are locked with it', async (_, acted, about, gone, locked) => {
  expect(await lockedFor(acted, about, gone)).toEqual(locked.split(' '));
});
