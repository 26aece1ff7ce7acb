import { describe, expect, test } from '@jest/globals';
import { perform, type Record as Kept } from '../../../src/engine/perform.js';
import { runOrFail } from '../../../src/engine/run-or-fail.js';
import type { Action } from '../../../src/model/action.js';
import { plainContent } from '../../../src/model/content.js';
import { outputOf, type Command, type Output, type Transport } from '../../../src/model/remote.js';
import { noDownload } from '../../support/local-transport.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';
import { fakeHosts, fakeWorld, opensAt } from '../../support/fake-world.js';

function transportOf(output: Output, ran: Command[] = []): Transport {
  return {
    host: 'a',
    run: (command) => (ran.push(command), Promise.resolve(output)),
    download: noDownload,
    close: () => Promise.resolve(),
  };
}

const restart: Command = { summary: 'restart etcd', script: 'systemctl restart etcd' };
const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('');

describe('a command that fails', () => {
  test.each<[string, Output, string, string]>([
    ['its status and what it complained of', outputOf(1, 'said\n', 'no\n\n'), 'ended with status 1', 'no'],
    ['what it said, where it did not complain', outputOf(2, 'said\nit\n', ' \n'), 'ended with status 2', 'said\nit'],
    ['that its time was up', outputOf(124, '', 'killed'), 'timed out', 'killed'],
    ['any other status by its number', outputOf(125, '', 'x'), 'ended with status 125', 'x'],
    [
      'the last twenty lines',
      outputOf(1, '', numbered(25)),
      'ended with status 1',
      numbered(25).trim().split('\n').slice(5).join('\n'),
    ],
    ['all of twenty lines', outputOf(1, '', numbered(20)), 'ended with status 1', numbered(20).trim()],
  ])('tells %s', async (_, output, how, last) => {
    await expect(runOrFail(restart, transportOf(output))).rejects.toMatchObject({
      code: 'command-failed',
      host: 'a',
      command: 'restart etcd',
      status: output.status,
      message: `a: restart etcd: ${how}`,
      output: last,
    });
  });
});

describe('an action', () => {
  const owned = { owner: 'root', group: 'root', mode: '0644' };
  const file: Action = { kind: 'write-file', path: '/etc/x', content: plainContent('text\n'), ...owned };

  /** What was run, and what is kept to take it back, for a host that answers so. */
  async function performOn(action: Action, status: number) {
    const ran: Command[] = [];
    const record: Kept = { copy: 'copy-1', undos: [] };
    const world = fakeWorld(fakeHosts(['a']), {
      connector: {
        connect: () => Promise.resolve(transportOf(outputOf(status, ''), ran)),
        close: () => Promise.resolve(),
      },
      signer: {
        ...fakeWorld(fakeHosts([])).signer,
        trustBundle: () => 'the authority\n',
        issue: (_, copy) =>
          Promise.resolve({
            command: { summary: 'install the leaf', script: `install ${copy}` },
            undo: (when) => ({ summary: 'restore the leaf', script: `${when} ${copy}` }),
          }),
      },
      gates: new Map([['g', opensAt('g', 1)]]),
    });
    const outcome = await perform(action, 'a', world, record).then(
      () => 'done',
      () => 'failed',
    );
    return { outcome, ran, undos: record.undos, events: world.events };
  }

  const leaf: Action = {
    ...{ kind: 'issue-certificate', certificate: 'etcd-server', profile: SERVER_PROFILE, ...owned },
    destination: { layout: 'bundle', path: '/etc/x' },
  };

  test.each<[string, Action, string]>([
    ['a file', file, 'write /etc/x'],
    ['the trust', { kind: 'install-trust', path: '/etc/x', ...owned }, 'write /etc/x'],
    ['a removed file', { kind: 'remove-file', path: '/etc/x' }, 'remove /etc/x'],
    ['a leaf', leaf, 'install the leaf'],
  ])(
    'that changes files (%s) is rolled back by the copy it kept: by whatever is there where it failed',
    async (_, action, summary) => {
      const done = await performOn(action, 0);
      const failed = await performOn(action, 1);
      expect([done.outcome, failed.outcome]).toEqual(['done', 'failed']);
      for (const { ran, undos } of [done, failed]) {
        expect(ran.map((command) => command.summary)).toEqual([summary]);
        expect(undos.map(({ restores, command }) => [restores, command.summary.split(' ')[0]])).toEqual([
          ['files', 'restore'],
        ]);
      }
      // After a failure the copy may be missing, which is no error then; after success it must be there.
      expect(done.undos[0]?.command.script).not.toBe(failed.undos[0]?.command.script);
      const order = await performOn(action, 0);
      expect(order.undos).toEqual(done.undos);
    },
  );

  test('writes just its content, on stdin', async () => {
    const { ran } = await performOn(file, 0);

    expect(ran[0]?.script).not.toContain('text');
    const trust = await performOn({ kind: 'install-trust', path: '/etc/x', ...owned }, 0);
    expect(trust.ran[0]?.stdin).toHaveProperty('reveal');
    expect((trust.ran[0]?.stdin as { reveal(): string }).reveal()).toBe('the authority\n');
  });

  test('that makes a directory is rolled back also where it failed half way', async () => {
    const directory: Action = { kind: 'make-directory', path: '/srv/x', ...owned };
    for (const status of [0, 1]) {
      const { ran, undos } = await performOn(directory, status);
      expect(ran.map(({ summary }) => summary)).toEqual(['make directory /srv/x']);
      expect(undos.map(({ restores, command }) => [restores, command.summary])).toEqual([
        ['directories', 'remove directory /srv/x'],
      ]);
    }
  });

  test('that runs a command is rolled back also where it failed; an account only where it was made', async () => {
    const undo: Command = { summary: 'undo', script: 'undo' };
    const run: Action = { kind: 'run', command: restart, undo };
    const kept = (undos: Kept['undos']): readonly unknown[] =>
      undos.map(({ restores, command }) => [restores, command.script]);
    expect(kept((await performOn(run, 0)).undos)).toEqual([['services', 'undo']]);
    expect(kept((await performOn(run, 1)).undos)).toEqual([['services', 'undo']]);
    const account: Action = { ...run, restores: 'accounts' };
    expect(kept((await performOn(account, 0)).undos)).toEqual([['accounts', 'undo']]);
    expect(kept((await performOn(account, 1)).undos)).toEqual([]);
    expect((await performOn({ ...run, undo: 'nothing' }, 0)).undos).toEqual([]);
    expect((await performOn({ ...run, undo: { lasting: 'stays' } }, 0)).undos).toEqual([]);
  });

  test('that waits for a gate names its host', async () => {
    const { events } = await performOn({ kind: 'await', gate: 'g', parameters: {} }, 0);
    expect(events).toMatchObject([{ type: 'gate-opened', gate: 'g', hosts: ['a'] }]);
  });
});
