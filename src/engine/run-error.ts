import { ProvisionError, RemoteError } from '../model/errors.js';

/** What went wrong on one host, or, without a host, with the run itself. */
export interface HostFailure {
  readonly host: string | undefined;
  readonly error: Error;
}

/** Whatever was thrown, as an error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** What was thrown, as failures: those of a run, else one. @param host whose work threw it */
export function failuresOf(reason: unknown, host?: string): readonly HostFailure[] {
  return reason instanceof RunError ? reason.failures : [{ host, error: asError(reason) }];
}

/** Stop was asked for: what was begun is finished, the rest is left for the next run. */
export class Interrupted extends ProvisionError {
  constructor(host: string, next: string) {
    super({
      code: 'interrupted',
      message: `stopped on request before: ${host} ${next}`,
      hint: 'what was done stays done; run the same command again to go on',
    });
  }
}

/** A plan or an apply that did not come to its end: every host's failure, not just the first. */
export class RunError extends ProvisionError {
  /** What it means for the run, in one line: the message without the failures. */
  readonly summary: string;
  readonly failures: readonly HostFailure[];

  /** @param hint what to do when no failure says it */
  constructor(message: string, failures: readonly HostFailure[], hint?: string) {
    const unique = withoutTwins(failures);
    super({
      code: 'run-failed',
      message: [message, ...unique.map(describeFailure)].join('\n'),
      hint: hintsOf(unique) ?? hint,
      cause: unique[0]?.error,
    });
    this.summary = message;
    this.failures = unique;
  }
}

/** What to do next about each failure, a line each, every one once. */
function hintsOf(failures: readonly HostFailure[]): string | undefined {
  const hints = failures.flatMap(({ error }) =>
    error instanceof ProvisionError ? (error.hint ?? '').split('\n') : [],
  );
  return [...new Set(hints.filter((hint) => hint !== ''))].join('\n') || undefined;
}

/** The same failure met by several plays of a host, or by several hosts that asked the same third one, is reported once. */
function withoutTwins(failures: readonly HostFailure[]): readonly HostFailure[] {
  const unique = new Map<string, HostFailure>();
  for (const { host, error } of failures) {
    const failed = error instanceof RemoteError ? error.host : host;
    const key = `${failed ?? ''}\0${error.message}`;
    if (!unique.has(key)) unique.set(key, { host: failed, error });
  }
  return [...unique.values()];
}

/** A failure as a person needs it: host, what failed, the command, its last output. */
function describeFailure({ host, error }: HostFailure): string {
  const subject = host === undefined || error.message.startsWith(`${host}:`) ? '' : `${host}: `;
  const output = error instanceof RemoteError && error.output !== undefined ? error.output.trimEnd() : '';
  const lines = output === '' ? [] : output.split('\n').map((line) => `    | ${line}`);
  return [`  ${subject}${error.message}`, ...lines].join('\n');
}
