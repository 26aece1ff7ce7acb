import type { Questions } from '../model/questions.js';
import { printable } from '../report/terminal-text.js';
import type { ReportStreams, TextOutput } from '../report/text-output.js';
import type { Timing } from '../ssh/link.js';

/** What a verb gets from the composition root: the process's edges, so that tests can hold them. */
export interface Context {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** The streams themselves, for what draws on a terminal: the reporters, and the wizard of `init`. */
  readonly streams: ReportStreams;
  /** The words that were typed after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ask: Questions;
  /** Deadlines of the connections to hosts; for those that it leaves out, ssh's own `DEFAULT_TIMING` counts. */
  readonly timing?: Partial<Timing>;
  /** The exit code for when the verb is done (model/errors `EXIT`). */
  exit(code: number): void;
}

/** The same questions, with what they name made safe for the terminal: files, addresses, hosts. */
export function printableQuestions({ secret, passphrase, typed, confirm }: Questions): Questions {
  return {
    secret: (question) => secret(printable(question)),
    passphrase: (question, kind) => passphrase(printable(question), kind),
    typed: (question, otherWay) => typed(printable(question), otherWay),
    confirm: (question) => confirm(printable(question)),
  };
}
