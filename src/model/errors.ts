import type { FailureKind } from './error-codes/explanation.js';
import type { ErrorCode } from './error-codes.js';

/** The process exit codes that users may build on (README, "Exit codes"). 130 is what shells report for Ctrl-C. */
export const EXIT = {
  done: 0,
  failed: 1,
  changesPending: 2,
  locked: 3,
  unreachable: 4,
  stale: 5,
  unsafe: 6,
  stopped: 130,
} as const satisfies Readonly<Record<FailureKind | 'done' | 'changesPending', number>>;

/** What every error of this program carries. */
export interface ErrorDetails {
  /** Stable, kebab-case, for scripts: `unreachable`, `host-key-changed`, `inventory-invalid`, … */
  readonly code: ErrorCode;
  /** Subject, wrong value, what was expected. Holds no secret. */
  readonly message: string;
  /** What to do next, best as a command to type; a line for each thing. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The base of every error that a user may see. Anything else that is thrown is a bug in this program. */
export class ProvisionError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(details: ErrorDetails) {
    super(details.message, { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.hint = details.hint;
  }
}

/** A place in a user's file. `line` and `column` count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong in a user's file. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Where; absent only when nothing in any file can be pointed at. */
  readonly at?: SourcePosition | undefined;
  /** The variable, key or host that is wrong. */
  readonly subject: string;
  /** The wrong value and what was expected, with "did you mean …?" where there is a likely one. */
  readonly message: string;
}

/** A problem as one line: `file:line:column: subject: message`. */
export function formatProblem(problem: Problem): string {
  const place = problem.at ? `${problem.at.file}:${problem.at.line}:${problem.at.column}: ` : '';
  return `${place}${problem.severity === 'warning' ? 'warning: ' : ''}${problem.subject}: ${problem.message}`;
}

/** Bad input: all problems at once, never just the first. */
export class InputError extends ProvisionError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], hint?: string) {
    super({ code: 'input-invalid', message: problems.map(formatProblem).join('\n'), hint });
    this.problems = problems;
  }
}

/** What {@link RemoteError} tells about the host and the command. */
export interface RemoteDetails extends ErrorDetails {
  /** Inventory name of the host. */
  readonly host: string;
  /** What was being done there, as the plan names it. Absent when connecting failed. */
  readonly command?: string | undefined;
  /** Exit status; null when the connection was lost before the command ended. */
  readonly status?: number | null | undefined;
  /** The last lines that the command printed. */
  readonly output?: string | undefined;
  /** The fingerprint of the host's key, where a person has to compare it first: `SHA256:…`. */
  readonly fingerprint?: string | undefined;
}

/** What a host says in one line may be as long as its whole answer; an error that a person reads is not. In characters. */
const LONGEST_PART = 8 * 1024;

function shorten(text: string): string {
  const more = text.length - LONGEST_PART;
  return more <= 0 ? text : `${text.slice(0, LONGEST_PART)}… (${more} more characters)`;
}

/** Something failed on, or on the way to, a host: which host, which command, its last output. */
export class RemoteError extends ProvisionError {
  readonly host: string;
  readonly command: string | undefined;
  readonly status: number | null | undefined;
  readonly output: string | undefined;
  readonly fingerprint: string | undefined;

  constructor(details: RemoteDetails) {
    super({ ...details, message: shorten(details.message) });
    this.host = details.host;
    this.command = details.command;
    this.status = details.status;
    this.output = details.output === undefined ? undefined : shorten(details.output);
    this.fingerprint = details.fingerprint;
  }
}

/** Whether the way to a host failed, not one command on it: what comes next there would fail as well. */
export function isHostLost(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code !== 'command-failed';
}
