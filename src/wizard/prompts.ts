import inquirer from 'inquirer';
import type { CheckResult } from './check-result.js';
import type { Terminal } from './terminal.js';

/** Where a question is asked, and what ends it from outside. */
export type PromptContext = Terminal & { readonly signal?: AbortSignal };

/** What every question has. */
interface Config {
  readonly message: string;
  readonly theme?: { readonly style: { readonly message: (text: string, status: string) => string } };
}

/** A list has an end: what goes round seems to have more. */
const ENDS = { loop: false };

/** One of several things to choose from. */
export interface PromptChoice<V> {
  /** As it is shown. */
  readonly name?: string;
  readonly value: V;
  /** As it is shown once it is chosen. */
  readonly short: string;
  readonly checked?: boolean;
}

/** inquirer's own questions, one at a time: it knows what each type answers, its types do not say so. */
async function ask<T>(
  type: 'input' | 'confirm' | 'password' | 'checkbox' | 'select',
  config: Config,
  context: Terminal,
) {
  const asked: unknown = await inquirer.createPromptModule(context)([{ ...config, type, name: 'answer' }]);
  return (asked as { readonly answer: T }).answer;
}

/** Asks for a text. */
export async function input(config: Config, context: PromptContext): Promise<string> {
  return ask('input', config, context);
}

/** Asks for yes or no. */
export async function confirm(
  config: Config & { readonly default: boolean },
  context: PromptContext,
): Promise<boolean> {
  return ask('confirm', config, context);
}

/** Asks for a text that is not shown. */
export async function password(config: Config & { readonly mask: string }, context: PromptContext): Promise<string> {
  return ask('password', config, context);
}

/** Lets any number of values be chosen. @param config `pageSize`: how many are in sight at once */
export async function checkbox<V>(
  config: Config & {
    readonly choices: readonly PromptChoice<V>[];
    readonly pageSize: number;
    readonly validate: (picked: readonly { readonly value: V }[]) => CheckResult | Promise<CheckResult>;
  },
  context: PromptContext,
): Promise<readonly V[]> {
  return ask('checkbox', { ...config, ...ENDS }, context);
}

/** Lets one value be chosen. */
export async function select<V>(
  config: Config & { readonly choices: readonly PromptChoice<V>[]; readonly default?: V },
  context: PromptContext,
): Promise<V> {
  return ask('select', { ...config, ...ENDS }, context);
}
