import { expect, test } from '@jest/globals';
import { perform, type Undo } from '../../../src/engine/perform.js';
import type { Action } from '../../../src/model/action.js';
import type { World } from '../../../src/engine/world.js';
import { outputOf, type Command, type StdinFile, type Transport } from '../../../src/model/remote.js';
import { makeDirectoryScript, removeDirectoryScript } from '../../../src/shell/make-directory.js';
import { removeFileScript, restoreFileScript } from '../../../src/shell/write-file.js';
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
      run({ alone, ...command }) {
        expect(alone).toBe(true);
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

const OWNED = { owner: 'root', group: 'root', mode: '0755' } as const;

test('a directory is made, and taken away, with the copy of this action as its note', async () => {
  const action = { kind: 'make-directory', path: '/etc/x', ...OWNED } as const;
  const { ran, undos } = await performed(action);
  expect(ran.map(([, { script }]) => script)).toEqual([makeDirectoryScript(action, 'copy')]);
  const script = removeDirectoryScript({ path: '/etc/x', name: 'copy' });
  expect(undos).toEqual([{ restores: 'directories', command: { summary: 'remove directory /etc/x', script } }]);
});

test('a file is removed, and restored from the copy of this action', async () => {
  const { ran, undos } = await performed({ kind: 'remove-file', path: '/etc/x' });
  expect(ran.map(([, { script }]) => script)).toEqual([removeFileScript('/etc/x', 'copy')]);
  const script = restoreFileScript({ path: '/etc/x', name: 'copy', when: 'kept' });
  expect(undos).toEqual([{ restores: 'files', command: { summary: 'restore /etc/x', script } }]);
});

test('what is not done on a host by a command is done by who does that', async () => {
  const asked: unknown[] = [];
  const note =
    (what: string) =>
    (...given: readonly unknown[]): Promise<void> => {
      asked.push([what, ...given]);
      return Promise.resolve();
    };
  const { signer, ...world } = fakeWorld(fakeHosts([]));
  const of: World = {
    ...world,
    signer: {
      ...signer,
      createAuthority: note('create'),
      moveAuthority: note('move'),
      keepSecret: note('keep'),
    },
    saveSnapshot: note('save'),
    connector: {
      ...world.connector,
      connect: () => Promise.reject(new Error('the host is asked')),
    },
  };
  const profile = { commonName: 'ca', days: 1, keyType: 'ecdsa-p256' } as const;
  const once = (action: Action): Promise<void> => perform(action, 'a', of, { copy: 'copy', undos: [] });
  await once({ kind: 'create-authority', profile });
  await once({ kind: 'move-authority', to: 'trust-both', profile });
  await once({ kind: 'keep-secret', name: 'keepalived-auth-pass' });
  await once({ kind: 'save-snapshot', per: 'run' });
  expect(asked).toEqual([
    ['create', profile],
    ['move', 'trust-both', profile],
    ['keep', 'keepalived-auth-pass'],
    ['save', 'run'],
  ]);
  await expect(once({ kind: 'reboot-host' })).rejects.toThrow('the host is asked');
});
