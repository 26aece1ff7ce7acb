import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Client, ClientChannel } from 'ssh2';
import type { Output } from '../../../src/model/remote.js';
import { execute } from '../../../src/ssh/execute.js';

/** A client whose channel does all of this in the turn in which it opens, as if it came in one packet. */
function clientWhere(happen: (channel: ClientChannel) => void): Client {
  const channel = Object.assign(new PassThrough(), { stderr: new PassThrough(), close: () => undefined });
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
    },
    { summary: 'quick', script: 'exit 3' },
  );
}

test('a status in the packet that opens the channel is not missed', async () => {
  const client = clientWhere((channel) => {
    channel.emit('exit', 3);
    channel.emit('close');
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
    channel.emit('exit', null, 'SIGTERM');
    channel.emit('close');
  });
  expect(await run(client)).toMatchObject({ status: 143 });
});
