import { styleText } from 'node:util';
import type { Answer } from './answers.js';
import { WentBack, type Place, type Tell, type Way } from './interview.js';
import { listPrompt } from './list-prompt.js';
import { checkbox, confirm, password, select } from './prompts.js';
import type { ListQuestion, Question, TextQuestion } from './question.js';
import { Secret } from '../model/secret.js';
import { textPrompt } from './text-prompt.js';
import { watchPrompt } from './watch-prompt.js';
import type { Terminal } from './terminal.js';

/** How a question says that Escape goes to the one before. */
const BACK_HINT = '(Esc: back)';

/** How many hosts are in sight at once. */
const PAGE_SIZE = 12;

/** When it is said what is wrong with an answer: a screen reader would read it aloud at each key. */
export type Checking = 'while-typing' | 'at-enter';

/** Asks a person. Escape goes back, in every question but the first. */
export function askOnTerminal(terminal: Terminal, checking: Checking): Way {
  return {
    ask(question, proposed, place) {
      const asking = { proposed, checking, theme: themeOf(place) };
      if (place === 'first') return prompt(question, { ...asking, context: terminal });
      return escapable(terminal, (context) => prompt(question, { ...asking, context }));
    },
    confirm(message, place) {
      const config = { message, theme: themeOf(place), default: true };
      if (place === 'first') return confirm(config, terminal);
      return escapable(terminal, (context) => confirm(config, context));
    },
    secret: (message, place) =>
      escapable(
        terminal,
        async (context) => new Secret(await password({ message, mask: '*', theme: themeOf(place) }, context)),
      ),
    async watch(message, hosts, work) {
      const result: Awaited<ReturnType<typeof work>>[] = [];
      let failure: unknown;
      async function run(tell: Tell): Promise<void> {
        try {
          result.push(await work(tell));
        } catch (error) {
          failure = error;
        }
      }
      await escapable(terminal, (context) => watchPrompt({ message, hosts, work: run }, context));
      const [value] = result;
      if (value === undefined) throw failure;
      return value;
    },
    note: (text) => terminal.output.write(`  ${text}\n`),
  };
}

interface Asking {
  readonly proposed: Answer | undefined;
  readonly checking: Checking;
  readonly theme: ReturnType<typeof themeOf>;
  readonly context: Terminal & { readonly signal?: AbortSignal };
}

async function prompt(question: Question, asking: Asking): Promise<Answer> {
  const { proposed, theme, context } = asking;
  const { message } = question;
  if (question.kind === 'pick') {
    const checked = typeof proposed === 'string' ? [proposed] : (proposed ?? []);
    return checkbox(
      {
        message,
        theme,
        pageSize: PAGE_SIZE,
        choices: question.choices.map((choice) => ({
          ...choice,
          short: choice.value,
          checked: checked.includes(choice.value),
        })),
        validate: (picked) => question.check(picked.map(({ value }) => value)),
      },
      context,
    );
  }
  if (question.kind === 'choose') {
    const choices = question.choices.map((choice) => ({ ...choice, short: choice.value }));
    const before = typeof proposed === 'string' ? proposed : question.default;
    return select({ message, theme, choices, default: before }, context);
  }
  return promptForText(question, asking);
}

async function promptForText(
  question: TextQuestion | ListQuestion,
  { proposed, checking, theme, context }: Asking,
): Promise<Answer> {
  const { message } = question;
  const shared = { message, theme, whileTyping: checking === 'while-typing' ? question.whileTyping : undefined };
  if (question.kind === 'list') {
    const { split, check } = question;
    const before = typeof proposed === 'string' ? [proposed] : proposed;
    return listPrompt({ ...shared, default: before, split, validate: check }, context);
  }
  const before = typeof proposed === 'string' ? proposed : undefined;
  const validate = (answer: string): ReturnType<typeof question.check> => question.check(answer.trim());
  return (await textPrompt({ ...shared, default: before, validate }, context)).trim();
}

function themeOf(place: Place): { readonly style: { readonly message: (text: string, status: string) => string } } {
  return {
    style: {
      message: (text, status) =>
        `${styleText('bold', text)}${place === 'first' || status !== 'idle' ? '' : ` ${styleText('dim', BACK_HINT)}`}`,
    },
  };
}

/** Runs a prompt that Escape ends. inquirer has no key of its own for that; what it has is a signal. */
async function escapable<T>(
  terminal: Terminal,
  ask: (context: Terminal & { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const escape = new AbortController();
  const onKey = (_: unknown, key: { readonly name?: string } | undefined): void => {
    if (key?.name === 'escape') escape.abort();
  };
  terminal.input.on('keypress', onKey);
  try {
    return await ask({ ...terminal, signal: escape.signal });
  } catch (error) {
    if (escape.signal.aborted) throw new WentBack();
    throw error;
  } finally {
    terminal.input.off('keypress', onKey);
  }
}
