// The kernel's own figures of a connection whose other side takes nothing, as etcd's streams to a lost member are.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { peerStreams, type PeerStream, type PeerStreams } from '../../src/facts/peer-streams.js';
import { waitUntil } from '../../src/lab/process.js';

const open: Socket[] = [];
const server = createServer({ pauseOnConnect: true }, (socket) => open.push(socket));

afterEach(() => {
  for (const socket of open) socket.destroy();
  server.close();
});

function look(port: number): PeerStreams {
  const { stdout, stderr } = spawnSync('sh', ['-c', peerStreams.script([String(port), '1'])], { encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return peerStreams.parse(stdout, [String(port)]).get(String(port)) ?? { before: [], after: [] };
}

test('a queue that nobody empties fills its room; an idle connection has none', async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [idle, stuck] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  open.push(idle, stuck);
  await Promise.all([once(idle, 'connect'), once(stuck, 'connect')]);
  const isFull = ({ queuedBytes, roomBytes }: PeerStream): boolean => queuedBytes > roomBytes / 2;
  // Each end is a connection of this host, and the server's ends have nothing to send.
  const idleNow = look(port);
  expect([idleNow.before, idleNow.after].map((each) => [each.length, each.filter(isFull)])).toEqual([
    [4, []],
    [4, []],
  ]);
  stuck.write(Buffer.alloc(64 * 1024 ** 2));
  const isSeen = async (): Promise<boolean> => Promise.resolve(look(port).after.filter(isFull).length === 1);
  expect(await waitUntil(isSeen, 30_000, 50)).toBe(true);
});
