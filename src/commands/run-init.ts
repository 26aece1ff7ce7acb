import { randomBytes } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { quote } from '../shell/quote.js';
import type { Answer, AnswerKey } from '../wizard/answers.js';
import type { WizardEdges } from '../wizard/ask-inventory.js';
import type { ReadKnown } from '../wizard/ask-start.js';
import type { InventoryAnswers } from '../wizard/inventory-answers.js';
import type { HostLooks } from '../wizard/host-look.js';
import type { LookMemory } from '../wizard/look-around.js';
import type { Given, Way } from '../wizard/interview.js';
import type { Context } from './context.js';
import { createDraft, type Draft } from './init-draft.js';
import { offerVerbs, whatComesNext, type RunVerb } from './init-offers.js';
import { ownStore } from './own-store.js';
import { resolveName } from './resolve-name.js';

/** The options of `init`. */
export interface InitOptions {
  readonly answers?: string;
  readonly saveAnswers?: string;
  readonly defaults?: boolean;
}

/** What `init` needs beside the process's edges. */
export interface InitEdges {
  readonly runVerb: RunVerb;
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
  const memory: LookMemory = { looks: new Map(), networks: new Map(), sudoPassword: undefined };
  const run = { file, isThere, way, draft, memory, edges };
  const { text, next, answers, pkiStore } = await askAll(run, { ...given, draft: before }, context);
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
  context.stdout.write(whatComesNext(file, next, pkiStore));
  const written = { file, way, sudoPassword: memory.sudoPassword, runVerb: edges.runVerb };
  if (way.asks === 'person') await offerVerbs(written, next, context);
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

/** What was asked, and what comes of it. */
interface Asked {
  /** The inventory. */
  readonly text: string;
  readonly next: InventoryAnswers['next'];
  readonly answers: ReadonlyMap<AnswerKey, Answer>;
  readonly pkiStore: string | undefined;
}

/** Asks until the inventory is agreed to. What was answered before a Ctrl-C, or a no, is kept as a draft. */
async function askAll(
  { file, isThere, way, draft, memory, edges }: InitRun,
  given: Omit<Given, 'onAnswer'>,
  context: Context,
): Promise<Asked> {
  const { askInventory } = await import('../wizard/ask-inventory.js');
  const { interview } = await import('../wizard/interview.js');
  const { renderInventory } = await import('../wizard/render-inventory.js');
  const { cancellable } = await import('../wizard/terminal.js');
  let answers: ReadonlyMap<AnswerKey, Answer> = new Map([...given.draft, ...given.file]);
  let pkiStore: string | undefined;
  const onAnswer: Given['onAnswer'] = (all) => {
    answers = new Map(all);
  };
  const look = way.asks === 'person' ? await lookEdges(edges, memory) : {};
  const fileExists = (path: string): Promise<boolean> => exists(path.replace(/^~(?=\/)/, homedir()));
  // A file of answers that has the hosts, and not what there is, is of bare hosts.
  const asksStart = !given.file.has('hosts') || given.file.has('start');
  const machine = {
    fileExists,
    resolve: resolveName,
    ...look,
    ...(asksStart ? { readKnown: readKnown(file, context) } : {}),
  };
  try {
    const { text, next } = await cancellable(
      () =>
        interview(
          async (ask) => {
            const answered = await askInventory(ask, machine);
            pkiStore = await ownStore(file, answered, context);
            const inventory = renderInventory({ ...answered, pkiStore });
            if (way.asks === 'person') context.stderr.write(`\n${inventory}\n`);
            const question = isThere ? `Replace ${file}, which is there, by this?` : `Write this to ${file}?`;
            if (await ask.confirm(question)) return { text: inventory, next: answered.next };
            throw new ProvisionError({ code: 'declined', message: `${file} is left as it is` });
          },
          way,
          { ...given, onAnswer },
        ),
      'cancelled: no inventory was written',
    );
    return { text, next, answers, pkiStore };
  } catch (error) {
    if (way.asks === 'person' && answers.size > given.file.size) throw await draft.keep(answers, error);
    throw error;
  }
}

/**
 * Reads an existing inventory the way every verb does. The file that is about to be written is refused: what is not copied from it
 * would be lost.
 */
function readKnown(file: string, context: Context): ReadKnown {
  return async (typed) => {
    const path = typed.replace(/^~(?=\/)/, homedir());
    const places = await Promise.all([path, file, dirname(resolve(file))].map(realPlace));
    if (places[0] === places[1] || places[0] === places[2])
      return `${file} would be written over it, and it stays as it is; give the new one another name: provision init FILE`;
    const { openInventory } = await import('./inventory-options.js');
    const { knownInventory } = await import('../wizard/known-inventory.js');
    try {
      return knownInventory(await openInventory(path, {}, context));
    } catch (error) {
      if (error instanceof ProvisionError) return error.message;
      throw error;
    }
  };
}

/** Where a path leads; of one that is not there, what it says. */
async function realPlace(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
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
  const checking = context.env['TERM'] === 'dumb' ? 'at-enter' : 'while-typing';
  return { ...askOnTerminal(terminal, checking), asks: 'person' };
}

async function readAnswers(file: string | undefined): Promise<Pick<Given, 'file' | 'placeOf'>> {
  if (file === undefined) return { file: new Map(), placeOf: () => undefined };
  const { readTextBounded, TYPED_FILE_BYTES } = await import('../model/read-bounded.js');
  const { parseAnswers } = await import('../wizard/answers-file.js');
  const text = await readTextBounded(file, TYPED_FILE_BYTES).catch((cause: unknown) => {
    throw new ProvisionError({
      code: 'file-unreadable',
      message: `the answers can't be read from ${file}: ${fileReason(cause)}`,
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
