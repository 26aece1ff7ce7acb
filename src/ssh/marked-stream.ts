import type { Marks } from '../shell/remote-command.js';

/** How far the answer on one output has come. */
export type StreamState = 'before' | 'inside' | 'ended' | 'too-much-before' | 'too-much-inside';

/** What may come on one output, in bytes. */
export interface StreamLimits {
  /** Before the begin mark: what login shells, /etc/profile and forced commands print. */
  readonly before: number;
  /** Between the marks. */
  readonly inside: number;
}

/** One output of a remote command: what is between its marks is the answer, all else is of no account. */
export interface MarkedStream {
  read(chunk: Uint8Array): StreamState;
  state(): StreamState;
  /** What is between the marks, as far as it has come; before the begin mark: what came instead of it. */
  content(): Buffer;
  /** The status behind the end mark. */
  status(): number | undefined;
}

/** Digits of a status, and the newline. */
export const STATUS_BYTES = 4;

/** The status that stands behind an end mark; undefined where it has not come whole. */
export function statusAt(bytes: Buffer, start: number): number | undefined {
  const [, digits] = /^(\d{1,3})\n/.exec(bytes.subarray(start, start + STATUS_BYTES).toString('latin1')) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
const FIRST_SIZE = 4096;

/** Appended bytes in one piece of memory: a host that sends byte by byte costs no more than one that does not. */
interface Store {
  bytes(): Buffer;
  add(chunk: Uint8Array): void;
  dropFirst(count: number): void;
}

function createStore(): Store {
  let memory = Buffer.allocUnsafe(FIRST_SIZE);
  let size = 0;
  return {
    bytes: () => memory.subarray(0, size),
    add(chunk) {
      if (size + chunk.length > memory.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * memory.length, size + chunk.length));
        memory.copy(larger, 0, 0, size);
        memory = larger;
      }
      memory.set(chunk, size);
      size += chunk.length;
    },
    dropFirst(count) {
      memory.copyWithin(0, count, size);
      size -= count;
    },
  };
}

/** Makes a {@link MarkedStream}. It holds at most its limits and one chunk. */
export function createMarkedStream(marks: Marks, limits: StreamLimits): MarkedStream {
  const [begin, end] = [Buffer.from(marks.begin), Buffer.from(marks.end)];
  const store = createStore();
  let state: StreamState = 'before';
  let length = 0;
  let status: number | undefined;

  function findBegin(from: number): void {
    const at = store.bytes().indexOf(begin, from);
    if (at < 0) {
      if (store.bytes().length > limits.before) state = 'too-much-before';
      return;
    }
    store.dropFirst(at + begin.length);
    state = 'inside';
    findEnd(0);
  }

  function findEnd(from: number): void {
    const bytes = store.bytes();
    for (let at = bytes.indexOf(end, from); at >= 0; at = bytes.indexOf(end, at + 1)) {
      status = statusAt(bytes, at + end.length);
      if (status === undefined) continue;
      [state, length] = ['ended', at];
      break;
    }
    if (state !== 'ended') length = bytes.length;
    if (length > limits.inside) state = 'too-much-inside';
  }

  return {
    read(chunk) {
      if (state !== 'before' && state !== 'inside') return state;
      const seen = store.bytes().length;
      store.add(chunk);
      if (state === 'before') findBegin(Math.max(0, seen - begin.length));
      else findEnd(Math.max(0, seen - end.length - STATUS_BYTES));
      return state;
    },
    state: () => state,
    content: () => store.bytes().subarray(0, state === 'before' || state === 'too-much-before' ? undefined : length),
    status: () => status,
  };
}
