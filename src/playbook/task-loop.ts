import { soleExpression } from '../ansible/jinja-tokens.js';
import { InputError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import { isList, isMapping, type PythonValue } from '../model/python-value.js';
import type { TaskFrame } from './playbook-schema.js';

/** A task once: with the variables that a loop gives it, and what tells it from the others. */
export interface Pass {
  readonly variables: Readonly<Record<string, PythonValue>>;
  /** For the task's name; `undefined` without a loop. */
  readonly label: string | undefined;
}

const ONCE: readonly Pass[] = [{ variables: {}, label: undefined }];

/** The words that give a list, one of which a task may have. */
const LOOPS = ['loop', 'with_list', 'with_items', 'with_dict'] as const;

/** What is longer is no label: the number of the item stands for it. */
const MOST_LABEL = 60;

/**
 * A task for each item of its loop. A list that a template gives is one of the inventory's or the play's: what a task found out is none,
 * since there is nothing that keeps it.
 * @param raise gives an error its place, by the word of the task
 * @throws InputError
 */
export function passesOf(
  frame: TaskFrame,
  inventory: Inventory,
  host: string,
  raise: <T>(word: string, work: () => T) => T,
): readonly Pass[] {
  const words = LOOPS.filter((word) => frame[word] !== undefined);
  const [word, ...others] = words;
  if (word === undefined) return ONCE;
  const { loop_var: name = 'item', index_var: indexName, label } = frame.loop_control ?? {};
  return raise(word, () => {
    if (others.length > 0) throw wrong(word, `stands beside ${others.join(', ')}: a task has one loop`);
    return itemsOf(word, frame[word] ?? null, (text) => inventory.render(host, text).reveal()).map((item, index) => {
      const variables = { [name]: item, ...(indexName === undefined ? {} : { [indexName]: index }) };
      return { variables, label: labelOf(inventory.withVariables(variables), host, label ?? `{{ ${name} }}`, index) };
    });
  });
}

/** The items of a list, as templates: what is secret in them is marked where it is used. */
function itemsOf(
  word: (typeof LOOPS)[number],
  value: PythonValue,
  render: (text: string) => string,
): readonly PythonValue[] {
  if (word === 'with_dict' && isMapping(value)) return Object.entries(value).map(([key, of]) => ({ key, value: of }));
  if (isList(value) && word !== 'with_dict')
    return word === 'with_items' ? value.flatMap((item) => (isList(item) ? item : itemsWithin(item, render))) : value;
  const expression = typeof value === 'string' ? soleExpression(value) : undefined;
  if (expression === undefined) throw wrong(word, EXPECTED[word]);
  if (word === 'with_dict' && render(`{{ (${expression}) is mapping }}`) !== 'True') throw wrong(word, EXPECTED[word]);
  const list = word === 'with_dict' ? `((${expression}) | dict2items)` : `(${expression})`;
  const flat = word === 'with_items' ? `([${list}] | flatten(levels=2))` : list;
  if (render(`{{ ${flat} is sequence and ${flat} is not string and ${flat} is not mapping }}`) !== 'True')
    throw wrong(word, EXPECTED[word]);
  return itemTexts(flat, render);
}

/** `with_items` takes the items of a list that is an item itself. */
function itemsWithin(item: PythonValue, render: (text: string) => string): readonly PythonValue[] {
  const expression = typeof item === 'string' ? soleExpression(item) : undefined;
  return expression === undefined ? [item] : itemTexts(`([(${expression})] | flatten(levels=1))`, render);
}

function itemTexts(list: string, render: (text: string) => string): readonly string[] {
  const count = Number(render(`{{ ${list} | length }}`));
  return Array.from({ length: count }, (_, index) => `{{ ${list}[${index}] }}`);
}

const LIST = 'expected a list, or a template that gives one: "{{ names }}"';

const EXPECTED = {
  ...{ loop: LIST, with_list: LIST, with_items: LIST },
  with_dict: 'expected a mapping, or a template that gives one: "{{ users }}"',
};

/** What stands for an item; its number, from 1, where it would show a secret, is long, or can't be rendered. */
function labelOf(inventory: Inventory, host: string, written: string, index: number): string {
  try {
    const text = inventory.render(host, written);
    const isShort = !text.isSecret && text.reveal().length <= MOST_LABEL && !text.reveal().includes('\n');
    return isShort ? text.reveal() : String(index + 1);
  } catch (error) {
    if (error instanceof InputError) return String(index + 1);
    throw error;
  }
}

function wrong(subject: string, message: string): InputError {
  return new InputError([{ severity: 'error', subject, message }]);
}
