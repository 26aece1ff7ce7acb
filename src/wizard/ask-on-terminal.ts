import { styleText } from 'node:util';
import type { Answer } from './answers.js';
import { WentBack, type Place, type Tell, type Way } from './interview.js';
import { listPrompt } from './list-prompt.js';
import { checkbox, confirm, input, password, select } from './prompts.js';
import type { Question } from './question.js';
import { Secret } from '../model/secret.js';
import { watchPrompt } from './watch-prompt.js';
import type { Terminal } from './terminal.js';

/** How a question says that Escape goes to the one before. */
const BACK_HINT = '(Esc: back)';

/** How many hosts are in sight at once. */
const PAGE_SIZE = 12;

/** Asks a person. Escape goes back, in every question but the first. */
export function askOnTerminal(terminal: Terminal): Way {
  return {
    ask(question, proposed, place) {
      const theme = themeOf(place);
      if (place === 'first') return prompt(question, { proposed, theme, context: terminal });
      return escapable(terminal, (context) => prompt(question, { proposed, theme, context }));
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
  readonly theme: ReturnType<typeof themeOf>;
  readonly context: Terminal & { readonly signal?: AbortSignal };
}

async function prompt(question: Question, { proposed, theme, context }: Asking): Promise<Answer> {
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
  if (question.kind === 'list') {
    const { split, check } = question;
    const before = typeof proposed === 'string' ? [proposed] : proposed;
    return listPrompt({ message, theme, default: before, split, validate: check }, context);
  }
  const before = typeof proposed === 'string' ? proposed : undefined;
  const validate = (answer: string): ReturnType<typeof question.check> => question.check(answer.trim());
  const answer = await input(
    { message, theme, ...(before === undefined ? {} : { default: before }), validate },
    context,
  );
  return answer.trim();
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
