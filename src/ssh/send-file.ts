import type { Writable } from 'node:stream';
import type { StdinFile } from '../model/remote.js';
import { END_OF_PART } from '../shell/remote-command.js';

/**
 * Sends a file, and the mark that ends it, no faster than it is taken. Where the far side has gone it stops; the channel
 * tells why.
 * @throws Error when the file holds another number of bytes than was announced, or can't be read: nothing marks the end
 *   then, and the far side ends the command
 */
export async function sendFile(channel: Writable, file: StdinFile): Promise<void> {
  const { bytes } = file;
  let sent = 0;
  for await (const chunk of file.read()) {
    sent += chunk.length;
    if (sent > bytes) break;
    if (!(await write(channel, chunk))) return;
  }
  if (sent !== bytes) throw new Error(`the file has changed while it was sent: ${bytes} bytes were announced`);
  channel.write(END_OF_PART);
}

/** @returns whether anybody is there to take more */
async function write(channel: Writable, chunk: Uint8Array): Promise<boolean> {
  if (!channel.writable) return false;
  if (channel.write(chunk)) return true;
  await new Promise<void>((resolve) => {
    function done(): void {
      channel.off('drain', done).off('close', done);
      resolve();
    }
    channel.on('drain', done).on('close', done);
  });
  return channel.writable;
}
