import { expect, test } from '@jest/globals';
import { perform, type Undo } from '../../../src/engine/perform.js';
import type { Action } from '../../../src/model/action.js';
import { outputOf, type Command, type StdinFile, type Transport } from '../../../src/model/remote.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { noDownload } from '../../support/local-transport.js';

const RELEASE = { version: '3.5.16', sha256: 'ab', source: '/srv/etcd.tar.gz', fetch: 'control' } as const;
const FILE: StdinFile = { bytes: 1, sha256: 'ab', read: () => (async function* () {})() };

/** Performs an action on host a. @returns what ran, where, and what it leaves to be rolled back */
async function performed(action: Action): Promise<{
  readonly ran: readonly (readonly [string, Command])[];
  readonly undos: readonly Undo[];
  readonly opened: readonly unknown[];
}> {
  const ran: (readonly [string, Command])[] = [];
  const opened: unknown[] = [];
  const undos: Undo[] = [];
  const connect = (host: string): Promise<Transport> =>
    Promise.resolve({
      host,
      run(command) {
        ran.push([host, command]);
        return Promise.resolve(outputOf(0, ''));
      },
      download: noDownload,
      close: () => Promise.resolve(),
    });
  const world = fakeWorld(fakeHosts([]), {
    connector: { connect, close: () => Promise.resolve() },
    openRelease(release) {
      opened.push(release);
      return Promise.resolve(FILE);
    },
  });
  await perform(action, 'a', world, { copy: 'copy', undos });
  return { ran, undos, opened };
}

const command = { summary: 's', script: 'x', timeoutMs: 7 };

test('a command on another host runs there, and there alone', async () => {
  expect(await performed({ kind: 'run-on', on: 'b', command, lasting: 'it stays' })).toEqual({
    ran: [['b', command]],
    undos: [],
    opened: [],
  });
});

test('a release is opened here, and feeds the command of its host', async () => {
  expect(await performed({ kind: 'send-release', release: RELEASE, command })).toEqual({
    ran: [['a', { ...command, stdin: FILE }]],
    undos: [],
    opened: [RELEASE],
  });
});
