import { expect, test } from '@jest/globals';
import { runOnEach } from '../../../src/engine/run-on-each.js';
import type { World } from '../../../src/engine/world.js';
import { RemoteError } from '../../../src/model/errors.js';

/** What is reported of a host on which a command ends with 1. */
async function reportOf(stdout: string, stderr: string): Promise<unknown> {
  const told: { readonly message: string }[] = [];
  const connector = { connect: () => Promise.resolve({ run: () => Promise.resolve({ status: 1, stdout, stderr }) }) };
  const emit = (event: { readonly message: string }): number => told.push(event);
  const world = { connector, forks: 1, emit } as unknown as World;
  const command = { summary: 'restart it', script: 'false' };
  await runOnEach({ kind: 'run-on-each', hosts: ['a'], command, next: 'ssh HOST; look at HOST' }, world);
  return told.map(({ message }) => message);
}

test.each([
  ['nothing', '', '', 'status 1'],
  ['only lines without a word', ' \n', '\n', 'status 1'],
  ['it elsewhere than where errors are shown', 'no such unit\n', ' \n', 'status 1: no such unit'],
])('a command that says %s is reported with its status, and with its host wherever that is typed', async (...words) => {
  const [, stdout, stderr, failed] = words;
  expect(await reportOf(stdout, stderr)).toEqual([
    `could not restart it (${failed}); do so yourself: ssh a; look at a`,
  ]);
});

test('all hosts are tried; one that fails or is away is reported in one line, and stops nobody', async () => {
  const asked: string[] = [];
  const told: unknown[] = [];
  const connector = {
    connect(host: string) {
      asked.push(host);
      if (host === 'c') {
        const message = "c: can't connect to it: no route\nasked twice\n";
        return Promise.reject(new RemoteError({ code: 'unreachable', host, message }));
      }
      const failed = { status: 1, stdout: '', stderr: `first\nno space left on device${'!'.repeat(400)}\n` };
      return Promise.resolve({
        run: () => Promise.resolve(host === 'b' ? failed : { status: 0, stdout: '', stderr: '' }),
      });
    },
  };
  const world = { connector, forks: 2, emit: (event: unknown) => told.push(event) } as unknown as World;
  const command = { summary: 'restart it', script: 'true' };
  await runOnEach({ kind: 'run-on-each', hosts: ['a', 'b', 'c', 'd'], command, next: 'ssh HOST restart' }, world);
  expect(asked).toEqual(['a', 'b', 'c', 'd']);
  expect(told).toEqual([
    {
      type: 'notice',
      host: 'b',
      message: `could not restart it (status 1: no space left on device${'!'.repeat(277)}); do so yourself: ssh b restart`,
    },
    {
      type: 'notice',
      host: 'c',
      message: "could not restart it (c: can't connect to it: no route); do so yourself: ssh c restart",
    },
  ]);
});
