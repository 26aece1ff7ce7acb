import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { inTime } from '../../../src/ssh/deadline.js';

/** Both ends of a connection on this machine. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const deadline = { ms: 1, error: () => new Error('late') };

test('what arrived while this machine was busy is not late', async () => {
  const [near, far] = await socketPair();
  const answer = inTime<Buffer>(deadline, (done) => {
    far.once('data', (chunk: Buffer) => {
      done(undefined, chunk);
    });
    near.write('answer');
    blockFor(50);
  });
  await expect(answer).resolves.toEqual(Buffer.from('answer'));
  near.destroy();
  far.destroy();
});

test('what never arrives is late', async () => {
  await expect(inTime(deadline, () => undefined)).rejects.toThrow('late');
});
