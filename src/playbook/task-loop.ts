import { isTemplate } from '../ansible/jinja-tokens.js';
import { InputError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import { isList, isMapping, type PythonValue } from '../model/python-value.js';
import type { TaskFrame } from './playbook-schema.js';

/** A task once: with the variables that a loop gives it, and what tells it from the others. */
export interface Pass {
  readonly inventory: Inventory;
  /** For the task's name; `undefined` without a loop. */
  readonly label: string | undefined;
}

/** The words that give a list, one of which a task may have. */
const LOOPS = ['loop', 'with_list', 'with_items', 'with_dict'] as const;

type Loop = (typeof LOOPS)[number];

/** What is longer is no label: the number of the item stands for it. */
const MOST_LABEL = 60;

/** The variable that has what a loop is over, where that is a template. */
const LIST = 'provision_loop';

/** The keys of a mapping that a template gave: values, whatever they look like. */
const KEYS = 'provision_loop_keys';

/** An item, as the inventory in which a variable of this name has it. */
type Item = (name: string) => Inventory;

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
  const [word, ...others] = LOOPS.filter((each) => frame[each] !== undefined);
  if (word === undefined) return [{ inventory, label: undefined }];
  const { loop_var: name = 'item', index_var: indexName, label } = frame.loop_control ?? {};
  return raise(word, () => {
    if (others.length > 0) throw wrong(word, `stands beside ${others.join(', ')}: a task has one loop`);
    const passes = itemsOf(word, frame[word] ?? null, inventory, host).map((item, index) => {
      const own = item(name);
      const all = indexName === undefined ? own : own.withVariables({ [indexName]: index });
      return { inventory: all, label: labelOf(all, host, label ?? `{{ ${name} }}`, index) };
    });
    return toldApart(passes);
  });
}

/** Items may have the same label, as `1` and `"1"`, or a number in place of a secret. */
function toldApart(passes: readonly (Pass & { readonly label: string })[]): readonly Pass[] {
  const seen = new Set<string>();
  return passes.map(({ inventory, label }, index) => {
    const own = seen.has(label) ? `${label}, ${index + 1}` : label;
    seen.add(own);
    return { inventory, label: own };
  });
}

function itemsOf(word: Loop, value: PythonValue, inventory: Inventory, host: string): readonly Item[] {
  const written =
    (item: PythonValue): Item =>
    (name) =>
      inventory.withVariables({ [name]: item });
  if (typeof value === 'string' && isTemplate(value)) return itemsGiven(word, value, inventory, host);
  switch (word) {
    case 'with_dict':
      if (!isMapping(value)) throw wrong(word, EXPECTED[word]);
      return Object.entries(value).map(([key, of]) => written({ key, value: of }));
    case 'with_items':
      return (isList(value) ? value : isMapping(value) ? Object.keys(value) : [value]).flatMap((item) => {
        if (isList(item)) return item.map(written);
        return typeof item === 'string' && isTemplate(item) ? itemsGiven(word, item, inventory, host) : [written(item)];
      });
    case 'loop':
    case 'with_list':
      if (!isList(value)) throw wrong(word, EXPECTED[word]);
      return value.map(written);
  }
}

/**
 * The items of what a template gives: values, whatever they look like. Where there are secrets among them, each is rendered where it is
 * used, so that what is made of a secret is marked, and nothing beside it.
 */
function itemsGiven(word: Loop, text: string, base: Inventory, host: string): readonly Item[] {
  const listed = base.withVariables({ [LIST]: text });
  const list = valueOf(listed, host, word);
  const keys = isJsonMapping(list) ? Object.keys(list) : [];
  const isSecret = listed.hosts.get(host)?.variables.secretOf(LIST) !== undefined;
  const inventory = isSecret ? listed.withValues({ [KEYS]: keys }) : base;
  const given =
    (value: Json, template: PythonValue): Item =>
    (name) =>
      isSecret ? inventory.withVariables({ [name]: template }) : inventory.withValues({ [name]: value });
  const at = (...path: readonly (string | number)[]): string =>
    `{{ ${LIST}${path.map((step) => `[${step}]`).join('')} }}`;
  const keyAt = (index: number): string => `${KEYS}[${index}]`;
  // By its name a value is found without the secrets beside it; what could end a template is no name.
  const stepOf = (key: string, index: number): string =>
    /^[\w .:/@-]+$/.test(key) ? JSON.stringify(key) : keyAt(index);
  if (word === 'with_dict') {
    if (!isJsonMapping(list)) throw wrong(word, EXPECTED[word]);
    return Object.entries(list).map(([key, value], index) =>
      given({ key, value }, { key: `{{ ${keyAt(index)} }}`, value: at(stepOf(key, index)) }),
    );
  }
  if (word === 'with_items') {
    if (isJsonMapping(list)) return keys.map((key, index) => given(key, `{{ ${keyAt(index)} }}`));
    if (!Array.isArray(list)) return [given(list, at())];
    return list.flatMap((item: Json, index) =>
      Array.isArray(item) ? item.map((one: Json, within) => given(one, at(index, within))) : [given(item, at(index))],
    );
  }
  if (!Array.isArray(list)) throw wrong(word, EXPECTED[word]);
  return list.map((item: Json, index) => given(item, at(index)));
}

function isJsonMapping(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueOf(inventory: Inventory, host: string, word: string): Json {
  try {
    return inventory.hosts.get(host)?.variables.get(LIST) ?? null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problems = error.problems.map((each) => (each.subject === LIST ? { ...each, subject: word } : each));
    throw new InputError(problems, error.hint);
  }
}

const LISTED = 'expected a list, or a template that gives one: "{{ names }}"';

const EXPECTED = {
  ...{ loop: LISTED, with_list: LISTED, with_items: LISTED },
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
