import { asError, RunError } from '../engine/run-error.js';
import { formatProblem, InputError, ProvisionError, RemoteError } from '../model/errors.js';
import type { Event } from '../model/events.js';

function describe(error: Error): string {
  if (!(error instanceof RemoteError) || error.output === undefined || error.message.includes(error.output))
    return error.message;
  return `${error.message}\n${error.output}`;
}

/** The last event of a run that an error ended: what the reporter shows, so that no one else prints the error. */
export function runFailed(reason: unknown): Extract<Event, { type: 'run-failed' }> {
  const error = asError(reason);
  const hint =
    error instanceof ProvisionError ? error.hint : 'this is a bug: please report it with the output on standard error';
  if (error instanceof InputError) {
    const failures = error.problems.map((problem) => ({ message: formatProblem(problem) }));
    return { type: 'run-failed', message: 'invalid input; nothing was done', failures, hint };
  }
  if (!(error instanceof RunError)) {
    const host = error instanceof RemoteError ? error.host : undefined;
    return { type: 'run-failed', message: 'stopped', failures: [{ host, message: describe(error) }], hint };
  }
  const failures = error.failures.map((failure) => ({ host: failure.host, message: describe(failure.error) }));
  return { type: 'run-failed', message: error.summary, failures, hint };
}
