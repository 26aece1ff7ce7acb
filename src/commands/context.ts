import type { Questions } from '../model/questions.js';

/** What a verb gets from the composition root: the process's edges, so that tests can hold them. */
export interface Context {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ask: Questions;
  /** The exit code for when the verb is done (model/errors `EXIT`). */
  exit(code: number): void;
}
