import { expect, test } from '@jest/globals';
import { perform } from '../../../src/engine/perform.js';
import { JOIN_MARKS, type JoinKubernetes } from '../../../src/model/kubeadm.js';
import { outputOf, type Command, type Output, type Transport } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { noDownload } from '../../support/local-transport.js';

const TOKEN = 'ababab.abababababababab';
const KEY = 'ab'.repeat(32);
const DIGEST = `sha256:${'0'.repeat(64)}`;
// A configuration may name each where several parts of it need it.
const text = [...Object.values(JOIN_MARKS), ...Object.values(JOIN_MARKS)].join(' ');
const command = (script: string): Command => ({ summary: `${script} it`, script });
const ACTION: JoinKubernetes = {
  kind: 'join-kubernetes',
  through: 'cp-1',
  invitation: command('invite'),
  join: command('join'),
  revocation: command('revoke'),
  configuration: { invitation: text, join: text },
};

/** Runs the action. @returns what ran and with which stdin, and how it failed */
async function joined(answers: Readonly<Record<string, Output>>): Promise<{
  readonly ran: readonly string[];
  readonly failure: unknown;
  readonly events: readonly unknown[];
}> {
  const ran: string[] = [];
  const connect = (host: string): Promise<Transport> =>
    Promise.resolve({
      host,
      run({ script, stdin, alone }) {
        const how = alone === true ? '' : ' beside others';
        ran.push(`${host}: ${script}${how} ${stdin instanceof Secret ? stdin.reveal() : ''}`.trim());
        return Promise.resolve(answers[script] ?? outputOf(0, script === 'invite' ? `${DIGEST}\n` : ''));
      },
      download: noDownload,
      close: () => Promise.resolve(),
    });
  const world = { ...fakeWorld(fakeHosts([])), connector: { connect, close: () => Promise.resolve() } };
  const failure: unknown = await perform(ACTION, 'worker-1', world, { copy: 'x', undos: [] }).catch(
    (error: unknown) => error,
  );
  return { ran, failure, events: world.events };
}

test('token and key are made for one join, travel on stdin, and are forgotten', async () => {
  expect(await joined({})).toEqual({
    ran: [
      `cp-1: invite ${TOKEN} ${KEY}  ${TOKEN} ${KEY}`,
      `worker-1: join ${TOKEN} ${KEY} ${DIGEST} ${TOKEN} ${KEY} ${DIGEST}`,
      'cp-1: revoke',
    ],
    failure: undefined,
    events: [],
  });
});

test('they are forgotten where the join fails, and no error shows them', async () => {
  const { ran, failure } = await joined({ join: outputOf(1, '', `bad token ${TOKEN}, key ${KEY}`) });
  expect(ran.at(-1)).toBe('cp-1: revoke');
  expect(failure).toMatchObject({ code: 'command-failed', output: 'bad token [redacted], key [redacted]' });
});

test('a control plane that does not say whose cluster it is lets nobody in', async () => {
  const { ran, failure } = await joined({ invite: outputOf(0, 'sha256:0\n') });
  expect(failure).toMatchObject({
    host: 'cp-1',
    command: 'invite it',
    message: "cp-1: invite it: no digest of the cluster's authority came back",
  });
  expect(ran.filter((line) => line.startsWith('worker-1'))).toEqual([]);
});

test('a digest is just that long', async () => {
  const { failure } = await joined({ invite: outputOf(0, `${DIGEST}0\n`) });
  expect(failure).toMatchObject({ code: 'command-failed', host: 'cp-1' });
});

test('what could not be forgotten is reported, and hides no other failure', async () => {
  const { failure, events } = await joined({ join: outputOf(1, '', 'first'), revoke: outputOf(1, '', 'second') });
  expect(failure).toMatchObject({ output: 'first' });
  expect(events).toMatchObject([
    { type: 'notice', host: 'cp-1', message: expect.stringContaining('could not revoke it') as unknown },
  ]);
});
