import { dirname, join } from 'node:path';
import type { Questions } from '../model/questions.js';
import type { Secret } from '../model/secret.js';
import { quote } from '../shell/quote.js';
import type { Way } from '../wizard/interview.js';
import type { InventoryAnswers } from '../wizard/inventory-answers.js';
import type { Context } from './context.js';

type Next = InventoryAnswers['next'];

/** Runs another verb, as if it were typed, with some edges of its own. */
export type RunVerb = (argv: readonly string[], edges: Pick<Context, 'ask' | 'exit'>) => Promise<void>;

/** What the end offers, each after the one before it has gone well. */
const OFFERS = {
  adopt: 'An etcd runs already. Describe it in variables beside the inventory? (changes nothing on the hosts)',
  plan: 'Plan it now? (changes nothing)',
  apply: 'Go on to apply? (plans again, and asks before it changes anything)',
} as const;

/** What is run of each. */
const VERBS: Readonly<Record<Next, readonly (keyof typeof OFFERS)[]>> = {
  plan: ['plan', 'apply'],
  // A plan without the authority would be one with a new one.
  import: [],
  adopt: ['adopt', 'plan', 'apply'],
  // The key of its authority has to be brought in before: adopt says how.
  unstack: ['adopt', 'plan'],
};

/** A stacked etcd moves with a playbook of its own. */
const UNSTACK = ['--playbook', 'unstack'];

/**
 * What the inventory is for, as commands to type; with a newline at the end.
 * @param store of its authority, from the inventory's directory
 */
export function whatComesNext(file: string, next: Next, store = 'pki'): string {
  const plan = `See what would be done:\n  provision plan ${quote(file)}\n`;
  if (next === 'plan') return `Wrote ${file}. ${plan}`;
  if (next === 'import')
    return `Wrote ${file}. Import your authority, first (leave out --key where an external CA signs):\n  provision ca import ${quote(join(dirname(file), store))} --certificate FILE --key FILE\n${plan}`;
  if (next === 'unstack')
    return `Wrote ${file}. Describe the stacked etcd, first; that says how the key of its authority is brought in:\n  provision adopt ${quote(file)}\nSee what would be done:\n  provision plan ${quote(file)} --playbook unstack\n`;
  return `Wrote ${file}. Describe the etcd that runs, first:\n  provision adopt ${quote(file)}\n${plan}`;
}

/** The inventory, and what was learnt while it was asked for. */
interface WrittenInventory {
  readonly file: string;
  readonly way: Pick<Way, 'confirm'>;
  readonly sudoPassword: Secret | undefined;
  readonly runVerb: RunVerb;
}

/** Offers to describe what runs, where something does; the plan; and the apply, which asks again before it changes anything. */
export async function offerVerbs(
  { file, way, sudoPassword, runVerb }: WrittenInventory,
  next: Next,
  context: Context,
): Promise<void> {
  if (VERBS[next].length === 0) return;
  const { cancellable } = await import('../wizard/terminal.js');
  // What was typed a minute ago is not asked for again.
  const ask: Questions = {
    ...context.ask,
    secret: (question) =>
      sudoPassword !== undefined && question === 'sudo password'
        ? Promise.resolve(sudoPassword)
        : context.ask.secret(question),
  };
  let code = 0;
  const exit = (given: number): void => {
    code = given;
    context.exit(given);
  };
  for (const verb of VERBS[next]) {
    if (!(await cancellable(() => way.confirm(OFFERS[verb], 'first')))) return;
    const words = [
      ...(next === 'unstack' && verb !== 'adopt' ? UNSTACK : []),
      ...(sudoPassword === undefined ? [] : ['--ask-become-pass']),
    ];
    await runVerb([verb, file, ...words], { ask, exit });
    if (code !== 0) return;
  }
}
