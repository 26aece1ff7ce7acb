import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Answer, AnswerKey } from '../wizard/answers.js';
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

/** Asks, shows the inventory, and writes it. @throws ProvisionError, InputError */
export async function runInit(file: string, options: InitOptions, context: Context): Promise<void> {
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
  const { text, answers } = await askAll({ file, isThere, way, draft }, { ...given, draft: before }, context);
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
}

interface InitRun {
  readonly file: string;
  readonly isThere: boolean;
  readonly way: InitWay;
  readonly draft: Draft;
}

type InitWay = Way & { readonly asks: 'person' | 'nobody' };

/** Asks until the inventory is agreed to. What was answered before a Ctrl-C, or a no, is kept as a draft. */
async function askAll(
  { file, isThere, way, draft }: InitRun,
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
  const fileExists = (path: string): Promise<boolean> => exists(path.replace(/^~(?=\/)/, homedir()));
  try {
    const text = await cancellable(
      () =>
        interview(
          async (ask) => {
            const inventory = renderInventory(await askInventory(ask, { fileExists, resolve: resolveName }));
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
