import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { ProvisionError } from '../model/errors.js';
import type { Questions } from '../model/questions.js';
import { quote } from '../shell/quote.js';
import type { Answer, AnswerKey } from '../wizard/answers.js';
import type { WizardEdges } from '../wizard/ask-inventory.js';
import type { HostLooks } from '../wizard/host-look.js';
import type { LookMemory } from '../wizard/look-around.js';
import type { Given, Way } from '../wizard/interview.js';
import type { Context } from './context.js';
import { createDraft, type Draft } from './init-draft.js';
import { resolveName } from './resolve-name.js';

/** The options of `init`. */
export interface InitOptions {
  readonly answers?: string;
  readonly saveAnswers?: string;
  readonly defaults?: boolean;
}

/** What `init` needs beside the process's edges. */
export interface InitEdges {
  /** Runs another verb, as if it were typed, with some edges of its own. */
  readonly runVerb: (argv: readonly string[], edges: Pick<Context, 'ask' | 'exit'>) => Promise<void>;
  /** Loaded with the first connection. */
  readonly hostLooks: () => Promise<HostLooks>;
}

/** Asks, shows the inventory, and writes it. @throws ProvisionError, InputError */
export async function runInit(file: string, options: InitOptions, context: Context, edges: InitEdges): Promise<void> {
  const given = await readAnswers(options.answers);
  const draft = createDraft(file);
  const way = await wayToAsk(options, context);
  const isThere = await exists(file);
  if (isThere && way.asks === 'nobody')
    throw new ProvisionError({
      code: 'declined',
      message: `${file} is there already, and is not replaced without asking`,
      hint: 'give another name: provision init FILE',
    });
  const before = way.asks === 'nobody' ? new Map<AnswerKey, Answer>() : await draft.offer(way);
  const memory: LookMemory = { looks: new Map(), free: new Map(), sudoPassword: undefined };
  const run = { file, isThere, way, draft, memory, edges };
  const { text, answers } = await askAll(run, { ...given, draft: before }, context);
  const { writeNew, writePrivately } = await import('../pki/store-files.js');
  if (isThere) await writePrivately(file, text, 'the inventory');
  // A file that came to be while the questions were asked is not replaced.
  else if (!(await writeNew(file, text, 0o600, randomBytes(6).toString('hex')))) throw cameToBe(file);
  if (options.saveAnswers !== undefined) {
    const { renderAnswers } = await import('../wizard/answers-file.js');
    await writePrivately(options.saveAnswers, renderAnswers(answers), 'the answers');
    context.stdout.write(`Wrote ${options.saveAnswers}. The same inventory, without questions:\n`);
    context.stdout.write(`  provision init FILE --answers ${quote(options.saveAnswers)} --defaults\n`);
  }
  await draft.remove();
  context.stdout.write(`Wrote ${file}. See what would be done:\n  provision plan ${quote(file)}\n`);
  if (way.asks === 'person') await offerVerbs(run, context);
}

/** Offers the plan, then the apply, which asks again before it changes anything. */
async function offerVerbs({ file, way, memory, edges: { runVerb } }: InitRun, context: Context): Promise<void> {
  const { cancellable } = await import('../wizard/terminal.js');
  const password = memory.sudoPassword;
  // What was typed a minute ago is not asked for again.
  const ask: Questions = {
    ...context.ask,
    secret: (question) =>
      password !== undefined && question === 'sudo password' ? Promise.resolve(password) : context.ask.secret(question),
  };
  let code = 0;
  const exit = (given: number): void => {
    code = given;
    context.exit(given);
  };
  for (const [verb, question] of [
    ['plan', 'Plan it now? (changes nothing)'],
    ['apply', 'Go on to apply? (plans again, and asks before it changes anything)'],
  ] as const) {
    if (!(await cancellable(() => way.confirm(question, 'first')))) return;
    await runVerb([verb, file, ...(password === undefined ? [] : ['--ask-become-pass'])], { ask, exit });
    if (code !== 0) return;
  }
}

interface InitRun {
  readonly file: string;
  readonly isThere: boolean;
  readonly way: InitWay;
  readonly draft: Draft;
  readonly memory: LookMemory;
  readonly edges: InitEdges;
}

type InitWay = Way & { readonly asks: 'person' | 'nobody' };

/** Asks until the inventory is agreed to. What was answered before a Ctrl-C, or a no, is kept as a draft. */
async function askAll(
  { file, isThere, way, draft, memory, edges }: InitRun,
  given: Omit<Given, 'onAnswer'>,
  context: Context,
): Promise<{ readonly text: string; readonly answers: ReadonlyMap<AnswerKey, Answer> }> {
  const { askInventory } = await import('../wizard/ask-inventory.js');
  const { interview } = await import('../wizard/interview.js');
  const { renderInventory } = await import('../wizard/render-inventory.js');
  const { cancellable } = await import('../wizard/terminal.js');
  let answers: ReadonlyMap<AnswerKey, Answer> = new Map([...given.draft, ...given.file]);
  const onAnswer: Given['onAnswer'] = (all) => {
    answers = new Map(all);
  };
  const look = way.asks === 'person' ? await lookEdges(edges, memory) : {};
  const fileExists = (path: string): Promise<boolean> => exists(path.replace(/^~(?=\/)/, homedir()));
  try {
    const text = await cancellable(
      () =>
        interview(
          async (ask) => {
            const inventory = renderInventory(await askInventory(ask, { fileExists, resolve: resolveName, ...look }));
            if (way.asks === 'person') context.stderr.write(`\n${inventory}\n`);
            const question = isThere ? `Replace ${file}, which is there, by this?` : `Write this to ${file}?`;
            if (await ask.confirm(question)) return inventory;
            throw new ProvisionError({ code: 'declined', message: `${file} is left as it is` });
          },
          way,
          { ...given, onAnswer },
        ),
      'cancelled: no inventory was written',
    );
    return { text, answers };
  } catch (error) {
    if (way.asks === 'person' && answers.size > given.file.size) throw await draft.keep(answers, error);
    throw error;
  }
}

async function lookEdges({ hostLooks }: InitEdges, memory: LookMemory): Promise<Pick<WizardEdges, 'look'>> {
  const { MAX_SKEW_MS } = await import('../engine/clock-guard.js');
  return { look: { ...(await hostLooks()), memory, maxSkewMs: MAX_SKEW_MS } };
}

function cameToBe(file: string): ProvisionError {
  return new ProvisionError({
    code: 'declined',
    message: `${file} was made by another process meanwhile, and is left as it is`,
    hint: 'give another name: provision init FILE',
  });
}

async function wayToAsk({ answers, defaults }: InitOptions, context: Context): Promise<InitWay> {
  const { isTerminal, requireTerminal } = await import('../wizard/terminal.js');
  const terminal = { input: context.stdin, output: context.streams.stderr };
  if (defaults === true || (answers !== undefined && !isTerminal(terminal))) {
    const { takeDefaults } = await import('../wizard/take-defaults.js');
    const note = (text: string): void => void context.stderr.write(`${text}\n`);
    return { ...takeDefaults(defaults === true ? 'taken' : 'refused', note), asks: 'nobody' };
  }
  requireTerminal(terminal, 'give the answers in a file: provision init FILE --answers ANSWERS --defaults');
  const { askOnTerminal } = await import('../wizard/ask-on-terminal.js');
  return { ...askOnTerminal(terminal), asks: 'person' };
}

async function readAnswers(file: string | undefined): Promise<Pick<Given, 'file' | 'placeOf'>> {
  if (file === undefined) return { file: new Map(), placeOf: () => undefined };
  const { readTextBounded, TYPED_FILE_BYTES } = await import('../model/read-bounded.js');
  const { parseAnswers } = await import('../wizard/answers-file.js');
  const text = await readTextBounded(file, TYPED_FILE_BYTES).catch((cause: unknown) => {
    throw new ProvisionError({
      code: 'file-unreadable',
      message: `the answers can't be read from ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: `look at it: ls -l ${quote(file)}`,
      cause,
    });
  });
  const { answers, placeOf } = parseAnswers(file, text);
  return { file: answers, placeOf };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
