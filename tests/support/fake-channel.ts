import { Duplex, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Client } from 'ssh2';

/** The far side of one channel of a {@link FakeClient}: it says what a test tells it to. */
export interface FarSide {
  /** The line of the exec request. */
  readonly line: string;
  /** All that this side has sent. */
  sent(): string;
  /** Whether this side has closed the channel. */
  isClosed(): boolean;
  /** Whether this side takes nothing more for now. */
  isPaused(): boolean;
  say(text: string | Uint8Array): Promise<void>;
  complain(text: string | Uint8Array): Promise<void>;
  exit(code: number | null, signal?: string): Promise<void>;
  /** An error of the channel, as where nobody reads what is sent. */
  fail(): Promise<void>;
  close(): Promise<void>;
}

/** A client of ssh2, as far as a session uses it. */
export interface FakeClient {
  readonly client: Client;
  /** Of all channels that were opened, in their order. */
  readonly far: FarSide[];
  /** How often a channel was asked for. */
  readonly asked: () => number;
}

/** How a server answers the request for a channel: opens it, refuses with this error, or never answers. */
export type Opening = 'opens' | 'silent' | Error;

/** Two turns of the event loop, whatever the clock of a test does: what was sent has arrived then. */
export async function arrived(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function openChannel(line: string): { readonly channel: Duplex; readonly far: FarSide } {
  const sent: Buffer[] = [];
  let closed = false;
  const stderr = new Readable({ read: () => undefined });
  const channel = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  Object.assign(channel, {
    stderr,
    outgoing: { state: 'open' },
    close() {
      closed = true;
    },
  });
  const far: FarSide = {
    line,
    sent: () => Buffer.concat(sent).toString(),
    isClosed: () => closed,
    isPaused: () => channel.isPaused(),
    async say(text) {
      channel.push(text);
      await arrived();
    },
    async complain(text) {
      stderr.push(text);
      await arrived();
    },
    async exit(code, signal) {
      channel.emit('exit', code, signal);
      await arrived();
    },
    async fail() {
      channel.emit('error', new Error('write EPIPE'));
      await arrived();
    },
    async close() {
      channel.emit('close');
      await arrived();
    },
  };
  return { channel, far };
}

/** Makes a {@link FakeClient}. @param openings how the requests for channels are answered, in turn; the last one for all further */
export function fakeClient(...openings: readonly Opening[]): FakeClient {
  const far: FarSide[] = [];
  let asked = 0;
  const exec = (line: string, done: (error: Error | undefined, channel?: unknown) => void): void => {
    const opening = openings[Math.min(asked, openings.length - 1)] ?? 'opens';
    asked += 1;
    if (opening === 'silent') return;
    if (opening !== 'opens') {
      done(opening);
      return;
    }
    const opened = openChannel(line);
    far.push(opened.far);
    done(undefined, opened.channel);
  };
  return { client: { exec } as unknown as Client, far, asked: () => asked };
}
