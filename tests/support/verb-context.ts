import { PassThrough } from 'node:stream';
import type { Context } from '../../src/commands/context.js';
import { textOutput } from '../../src/report/text-output.js';

/**
 * The process's edges for a verb that runs in this process: all that it prints in one stream, and a person who says no.
 * @param argv the words that were typed after the program's name
 */
export function verbContext(out: PassThrough, argv: readonly string[], env: Context['env']): Context {
  return {
    stdin: new PassThrough() as never,
    stdout: textOutput(out),
    stderr: textOutput(out),
    streams: { stdout: out as never, stderr: out as never },
    argv,
    env,
    ask: {
      secret: () => Promise.reject(new Error('nobody to ask')),
      passphrase: () => Promise.reject(new Error('nobody to ask')),
      typed: () => Promise.reject(new Error('nobody to ask')),
      confirm: () => Promise.resolve(false),
    },
    exit: () => undefined,
  };
}
