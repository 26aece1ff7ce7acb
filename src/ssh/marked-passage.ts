import type { Marks } from '../shell/remote-command.js';
import { STATUS_BYTES, statusAt, type MarkedStream, type StreamLimits, type StreamState } from './marked-stream.js';

/** One output of a remote command that is handed on as it comes: no more is kept of it than an end mark is long. */
export interface MarkedPassage extends MarkedStream {
  /** What has come since the last call, and is surely of the answer. */
  arrived(): Buffer;
}

/** Makes a {@link MarkedPassage}. Its content, once it has begun, is nothing: it was handed on. */
export function createMarkedPassage(marks: Marks, limits: StreamLimits): MarkedPassage {
  const [begin, end] = [Buffer.from(marks.begin), Buffer.from(marks.end)];
  /** So many bytes at the end may be the beginning of the end mark. */
  const doubtful = end.length + STATUS_BYTES;
  let state: StreamState = 'before';
  let held = Buffer.alloc(0);
  let ready: Buffer[] = [];
  let size = 0;
  let status: number | undefined;

  function handOn(count: number): void {
    ready.push(held.subarray(0, count));
    size += count;
    held = held.subarray(count);
    if (size > limits.inside) state = 'too-much-inside';
  }

  function findEnd(): void {
    for (let at = held.indexOf(end); at >= 0; at = held.indexOf(end, at + 1)) {
      status = statusAt(held, at + end.length);
      if (status === undefined) continue;
      state = 'ended';
      handOn(at);
      return;
    }
    handOn(Math.max(0, held.length - doubtful));
  }

  return {
    read(chunk) {
      if (state !== 'before' && state !== 'inside') return state;
      held = Buffer.concat([held, chunk]);
      if (state === 'before') {
        const at = held.indexOf(begin);
        if (at < 0) return (state = held.length > limits.before ? 'too-much-before' : 'before');
        state = 'inside';
        held = held.subarray(at + begin.length);
      }
      findEnd();
      return state;
    },
    arrived() {
      const bytes = Buffer.concat(ready);
      ready = [];
      return bytes;
    },
    state: () => state,
    content: () => (state === 'before' || state === 'too-much-before' ? held : Buffer.alloc(0)),
    status: () => status,
  };
}
