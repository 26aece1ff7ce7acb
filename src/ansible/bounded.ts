import { createContext, Script } from 'node:vm';
import { TemplateError } from './template-error.js';

/** How long one template may take, in milliseconds: configuration files take a few. */
export const TEMPLATE_LIMIT_MS = 5000;

const CALL = new Script('run()');

/** What a watchdog can end: a regular expression that never comes back, too, which no signal reaches. */
export interface Bounded {
  /** @throws TemplateError when the time is up; then, and ever after: what was cut off left its engine broken */
  run<T>(work: () => T): T;
  /** Has nothing more run: work has broken its engine in another way. */
  giveUp(): void;
}

/** A guard that runs synchronous work for so many milliseconds. */
export function createBounded(limitMs: number): Bounded {
  const sandbox: { run?: () => unknown } = {};
  const context = createContext(sandbox);
  let isBroken = false;
  return {
    giveUp() {
      isBroken = true;
    },
    run<T>(work: () => T): T {
      if (isBroken) throw new TemplateError('wrong', 'is not rendered: an earlier template had to be stopped');
      sandbox.run = work;
      try {
        return CALL.runInContext(context, { timeout: limitMs }) as T;
      } catch (error) {
        // Of another realm in tests, so that it is no `Error` of this one.
        if ((error as { readonly code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        isBroken = true;
        throw new TemplateError('wrong', `was stopped after ${limitMs / 1000} s: a loop or a regular expression in it`);
      }
    },
  };
}
