import { failureKindOf } from '../engine/failure-kind.js';
import { asError, RunError } from '../engine/run-error.js';
import { formatProblem, InputError, ProvisionError, RemoteError } from '../model/errors.js';
import { printableJson } from './terminal-text.js';
import type { Event, HostFailureReport } from '../model/events.js';

function describe(error: Error): string {
  if (!(error instanceof RemoteError) || error.output === undefined || error.message.includes(error.output))
    return error.message;
  return `${error.message}\n${error.output}`;
}

function failureOf(error: Error): Pick<HostFailureReport, 'code' | 'message'> {
  return { code: error instanceof ProvisionError ? error.code : undefined, message: describe(error) };
}

/** The last event of a run that an error ended: what the reporter shows, so that no one else prints the error. */
export function runFailed(reason: unknown): Extract<Event, { type: 'run-failed' }> {
  const error = asError(reason);
  const kind = failureKindOf(reason);
  const hint =
    error instanceof ProvisionError ? error.hint : 'this is a bug: please report it with the output on standard error';
  if (error instanceof InputError) {
    const failures = error.problems.map((problem) => ({ code: error.code, message: formatProblem(problem) }));
    return { type: 'run-failed', kind, message: 'invalid input; nothing was done', failures, hint };
  }
  if (!(error instanceof RunError)) {
    const host = error instanceof RemoteError ? error.host : undefined;
    return { type: 'run-failed', kind, message: 'stopped', failures: [{ host, ...failureOf(error) }], hint };
  }
  const failures = error.failures.map((failure) => ({ host: failure.host, ...failureOf(failure.error) }));
  return { type: 'run-failed', kind, message: error.summary, failures, hint };
}

/** An error of a verb that prints one object, as one: `failed` has the fields of a `run-failed` event. */
export function failureAsJson(reason: unknown): string {
  const { kind, message, failures, hint } = runFailed(reason);
  const named = failures.map(({ host, code, message: why }) => ({ host: host ?? null, code, message: why }));
  return printableJson({ formatVersion: 1, failed: { kind, message, failures: named, hint: hint ?? null } });
}
