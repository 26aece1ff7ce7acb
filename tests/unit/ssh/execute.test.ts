import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Client, ClientChannel } from 'ssh2';
import type { Output } from '../../../src/model/remote.js';
import { marksOf } from '../../../src/shell/remote-command.js';
import { execute } from '../../../src/ssh/execute.js';
import { DEFAULT_TIMING } from '../../../src/ssh/link.js';

/** A client whose channel does all of this in the turn in which it opens, as if it came in one packet. */
function clientWhere(happen: (channel: ClientChannel) => void): Client {
  const channel = Object.assign(new PassThrough(), {
    stderr: new PassThrough(),
    outgoing: { state: 'open' },
    close: () => undefined,
  });
  const exec = (_line: string, opened: (error: undefined, channel: unknown) => void): void => {
    opened(undefined, channel);
    happen(channel as unknown as ClientChannel);
  };
  return { exec } as unknown as Client;
}

function run(client: Client): Promise<Output> {
  return execute(
    {
      host: 'one',
      client,
      become: undefined,
      randomBytes: (size) => new Uint8Array(size),
      lostBecause: () => undefined,
      timing: { ...DEFAULT_TIMING, channelTimeoutMs: 1000, startTimeoutMs: 1000 },
      drop: () => undefined,
    },
    { summary: 'quick', script: 'exit 3' },
  );
}

const MARKS = marksOf('00'.repeat(16));

/** The whole answer, or the beginning of one. */
function answer(channel: ClientChannel, end: string, text = ''): void {
  channel.emit('data', Buffer.from(`${MARKS.begin}${text}${end}`));
  channel.stderr.emit('data', Buffer.from(`${MARKS.begin}${end}`));
}

test('an answer in the packet that opens the channel is not missed', async () => {
  const client = clientWhere((channel) => {
    answer(channel, `${MARKS.end}3\n`, 'text');
    channel.emit('exit', 3);
    channel.emit('close');
  });
  expect(await run(client)).toMatchObject({ status: 3, stdout: 'text' });
});

test('the status is that of the end mark, whatever a forced command ends with', async () => {
  const client = clientWhere((channel) => {
    answer(channel, `${MARKS.end}3\n`);
    channel.emit('exit', 0);
  });
  expect(await run(client)).toMatchObject({ status: 3 });
});

test('a close in the packet that opens the channel is a lost connection', async () => {
  const client = clientWhere((channel) => {
    channel.emit('close');
  });
  await expect(run(client)).rejects.toMatchObject({ code: 'connection-lost', status: null });
});

test('a signal is a failure with the status that a shell gives it', async () => {
  const client = clientWhere((channel) => {
    answer(channel, '');
    channel.emit('exit', null, 'SIGTERM');
    channel.emit('close');
  });
  expect(await run(client)).toMatchObject({ status: 143 });
});

test.each<[string, (channel: ClientChannel) => void, string]>([
  ['no mark at all', (channel) => channel.emit('data', Buffer.from('ok\n')), 'the command was not started'],
  [
    'no end mark',
    (channel) => {
      answer(channel, '', 'ok\n');
    },
    'the answer ended early',
  ],
  ['marks of another token', (channel) => channel.emit('data', Buffer.from('ff[\nok\nff]0\n')), 'not started'],
  [
    'an end mark without a status',
    (channel) => {
      answer(channel, `${MARKS.end}\n`, 'ok\n');
    },
    'the answer ended early',
  ],
])('%s is no success, and says what came', async (_, happen, message) => {
  const client = clientWhere((channel) => {
    happen(channel);
    channel.emit('exit', 0);
    channel.emit('close');
  });
  await expect(run(client)).rejects.toMatchObject({
    code: 'no-answer',
    host: 'one',
    command: 'quick',
    message: expect.stringContaining(message),
    output: expect.stringContaining('ok'),
  });
});
