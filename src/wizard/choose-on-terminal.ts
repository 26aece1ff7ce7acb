import { select } from './prompts.js';
import { cancellable, type Terminal } from './terminal.js';

/** One of several things to do. */
export interface Choice {
  readonly name: string;
  /** What is typed for it after the program's name. */
  readonly words: readonly string[];
}

/** Asks which. @returns its words @throws ProvisionError `cancelled` */
export async function chooseOnTerminal(
  terminal: Terminal,
  message: string,
  choices: readonly Choice[],
): Promise<readonly string[]> {
  const all = choices.map(({ name, words }) => ({ name, value: words, short: words.join(' ') }));
  return cancellable(() => select({ message, choices: all }, terminal));
}
