import { stripVTControlCharacters } from 'node:util';
import { render } from '@inquirer/testing';
import { askOnTerminal, type Checking } from '../../src/wizard/ask-on-terminal.js';
import { askInventory, type WizardEdges } from '../../src/wizard/ask-inventory.js';
import { interview, type Given } from '../../src/wizard/interview.js';
import type { InventoryAnswers } from '../../src/wizard/inventory-answers.js';
import type { Terminal } from '../../src/wizard/terminal.js';

/** What a person does when a text is on the screen: types and presses enter, or presses one key. */
export type Step = readonly [seen: string, typed: string | { readonly key: string; readonly ctrl?: boolean }];

const NAMES: Readonly<Record<string, string>> = { 'etcd-1': '10.0.0.1', 'etcd-2': '10.0.0.2', 'etcd-3': '10.0.0.3' };

const EDGES: WizardEdges = {
  fileExists: (path) => Promise.resolve(path === '~/.ssh/id_ed25519'),
  resolve: (name) => Promise.resolve(NAMES[name]),
};

/** A person before the questions. */
export interface Person {
  readonly answer: Promise<InventoryAnswers>;
  /** Waits until all of it is on the screen. */
  readonly sees: (...texts: readonly string[]) => Promise<void>;
  readonly does: (...steps: readonly Step[]) => Promise<void>;
  /** Types, without Enter. */
  readonly types: (text: string) => void;
  /** What is on the screen now. */
  readonly screen: () => string;
  readonly presses: (key: string, how?: 'with-ctrl') => void;
  /** As a terminal sends what is pasted: at once. */
  readonly pastes: (text: string) => void;
  /** All that was ever shown, also what was taken away again. */
  readonly output: () => Promise<string>;
  /** The answers after each question. */
  readonly answers: readonly Given['draft'][];
}

/**
 * All that a terminal was ever sent, without its control sequences. The library's own way draws it on a terminal of
 * 10 000 by 4000 characters: that takes a second, and does not know what was taken away again.
 */
export async function everShown(person: Pick<Awaited<ReturnType<typeof render>>, 'getFullOutput'>): Promise<string> {
  return stripVTControlCharacters(await person.getFullOutput({ raw: true }));
}

/** The wizard's questions, and a person before them. */
export async function startWizard(
  given: Partial<Given> = {},
  {
    checking = 'while-typing',
    ...edges
  }: Pick<WizardEdges, 'look' | 'readKnown'> & { readonly checking?: Checking } = {},
): Promise<Person> {
  const answers: Given['draft'][] = [];
  const person = await render<InventoryAnswers, object>((_: object, context) => {
    const terminal = context as Terminal;
    // Each question ends its output when it is answered; unlike a real terminal, this one would be closed by it.
    terminal.output.end = () => terminal.output;
    const onAnswer = (all: Given['draft']) => void answers.push(new Map(all));
    return interview((ask) => askInventory(ask, { ...EDGES, ...edges }), askOnTerminal(terminal, checking), {
      file: new Map(),
      placeOf: () => undefined,
      draft: new Map(),
      onAnswer,
      ...given,
    });
  }, {});

  async function sees(...texts: readonly string[]): Promise<void> {
    while (!texts.every((text) => person.getScreen().includes(text))) await person.nextRender();
  }
  function presses(name: string, how?: 'with-ctrl'): void {
    person.events.keypress({ name, ctrl: how === 'with-ctrl', shift: false });
  }
  async function does(...steps: readonly Step[]): Promise<void> {
    for (const [seen, typed] of steps) {
      await sees(seen);
      if (typeof typed === 'string') {
        if (typed !== '') person.events.type(typed);
        person.events.keypress('enter');
      } else presses(typed.key, typed.ctrl === true ? 'with-ctrl' : undefined);
    }
  }
  const input = person.input as NodeJS.WritableStream;
  return {
    answer: person.answer,
    ...{ sees, does, presses, answers },
    types: (text) => {
      person.events.type(text);
    },
    screen: () => person.getScreen(),
    pastes: (text) => void input.write(text),
    output: async () => everShown(person),
  };
}
