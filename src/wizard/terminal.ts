import { ProvisionError } from '../model/errors.js';

/** The terminal that questions are asked on. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Whether a person can be asked on it. */
export function isTerminal({ input, output }: Terminal): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * inquirer tells Ctrl-C and a missing terminal alike, so the terminal is looked at first.
 * @param otherWay what to do without a terminal
 * @param what is asked for: `the CA's passphrase`
 * @throws ProvisionError `no-terminal`
 */
export function requireTerminal(terminal: Terminal, otherWay: string, what?: string): void {
  if (isTerminal(terminal)) return;
  throw new ProvisionError({
    code: 'no-terminal',
    message: `there is no terminal to ask ${what === undefined ? '' : `for ${what} `}on`,
    hint: otherWay,
  });
}

/** Asks, and tells Ctrl-C in our own words. @throws ProvisionError `cancelled` */
export async function cancellable<T>(ask: () => Promise<T>, message = 'cancelled: nothing was changed'): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    throw new ProvisionError({ code: 'cancelled', message, cause: error });
  }
}
