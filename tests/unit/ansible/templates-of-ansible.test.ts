import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Inventory } from '../../../src/model/inventory.js';
import { renderedTemplates, TEMPLATE_INVENTORY } from '../../support/jinja2-templates.js';
import { loadFiles } from '../../support/write-inventory.js';

let inventory: Inventory;
beforeAll(async () => {
  inventory = await loadFiles({ 'hosts.yml': TEMPLATE_INVENTORY });
});

/** The real Ansible still makes these texts of them: tests/contract/ansible/templates.test.ts. */
test.each(renderedTemplates())('%s gives what Ansible makes of it', (template, text) => {
  expect(inventory.render('host', template).reveal()).toBe(text);
});

test.each([
  ['{{ text.items() }}', "'text' is no mapping"],
  ['{{ list | dict2items | map("upper") | list }}', "'list' is no mapping"],
  [
    "{{ ['x'] | map('int', default=9) | list }}",
    "map('int', default=…) takes no argument by name: give it by its place",
  ],
  [
    "{{ ['x'] | map( 'regex_replace', 'a', 'b' , ignorecase = true) | list }}",
    "map('regex_replace', ignorecase=…) takes no",
  ],
  ['{{ mapping.b.keys() | list }}', "'mapping.b' is no mapping"],
  ['{% for row in rows %}{{ row.k.get("x") }}{% endfor %}', 'filter get: is no mapping'],
  ['{{ text | int(defalt=1) }}', "filter int: has no parameter 'defalt'; it has default, base"],
  ['{{ text | hash("crc32") }}', "filter hash: 'crc32' is none of md5, sha1"],
  ['{{ "%d" | format(text) }}', 'filter format: %d takes a number'],
  ['{{ "%s %s" | format(text) }}', 'filter format: there is no value for %s'],
  ['{{ "%q" | format(1) }}', 'filter format: %q is none of %s, %d'],
  ['{{ text | urlsplit("hosst") }}', "filter urlsplit: 'hosst' is none of scheme, netloc"],
  [
    '{{ {"a": [1]} | combine({"a": [2]}, list_merge="apend") }}',
    "filter combine: list_merge 'apend' is none of replace, keep",
  ],
  ['{{ list[0] | join(",") }}', 'filter join: 3 is no list, mapping or text'],
  ['{{ nothing | union([1]) }}', 'filter union: None is no list, mapping or text'],
  ["{{ 'x' | combine({'a': 1}) }}", 'filter combine: x is no mapping'],
  ['{{ mapping | combine(5) }}', 'filter combine: 5 is no mapping'],
  ['{{ list.lenght }}', `'list' has no "lenght"`],
  ['{{ float.value }}', `'float' has no "value"`],
  ["{{ 'ab' | regex_replace('(?x)a b', 'z') }}", 'filter regex_replace: Invalid regular expression'],
  ['{{ "ab" | regex_search("(a)", "x") }}', "filter regex_search: 'x' names no group"],
])('%s is refused, and why is said', (template, message) => {
  expect(() => inventory.render('host', template)).toThrow(message);
});

test.each([
  [String.raw`"{{ 'abc' | regex_replace('(b)', '<\\1>') }}"`, 'a<b>c'],
  [String.raw`'{{ "a1" | regex_search("\d") }}'`, '1'],
  [String.raw`"{{ 'abc' | regex_replace('(?P<n>b)(c)?', '<\\g<n>\\2>') }}"`, 'a<bc>'],
  [String.raw`"{{ 'k=v' | regex_search('(\\w)=(?P<n>\\w)', '\\1', '\\g<n>') | join }}"`, 'kv'],
  ['" {{ 5 }} "', ' 5 '],
  [String.raw`"{{ 'it\\'s' }}"`, "it's"],
])('in a variable, %s means its backslashes', async (value, text) => {
  const variables = await loadFiles({ 'hosts.yml': `all: { hosts: { host: { v: ${value} } } }\n` });
  expect(variables.render('host', '{{ v }}').reveal()).toBe(text);
});

test('in a template and in a condition, backslashes are escapes of Python', () => {
  expect(
    inventory.render('host', String.raw`{{ 'a\tb' | length }} {{ 'abc' | regex_replace('(b)', '<\\1>') }}`).reveal(),
  ).toBe('3 a<b>c');
  expect(inventory.test('host', String.raw`'a\tb' | length == 3`)).toBe(true);
});

test.each(['false', 'no', 'Off', '0'])(
  'a condition that is just the text %j is refused: Ansible takes it for true',
  async (text) => {
    const variables = await loadFiles({ 'hosts.yml': `all: { hosts: { host: { flag: "${text}" } } }\n` });
    expect(() => variables.test('host', ' flag ')).toThrow(
      "'flag' is a text that reads as false, which Ansible takes for true: write `flag | bool`",
    );
    expect(variables.test('host', 'flag | bool')).toBe(false);
  },
);

test.each([
  ['true', true],
  ['any', true],
  ['', false],
])('a condition that is just the text %j is %j', async (text, outcome) => {
  const variables = await loadFiles({ 'hosts.yml': `all: { hosts: { host: { flag: "${text}" } } }\n` });
  expect(variables.test('host', 'flag')).toBe(outcome);
});

describe('a template that is made to take long', () => {
  const many = (text: string, count = 20_000): string => text.repeat(count);

  test.each<[string, string, string]>([
    ['brackets in brackets', `{{ ${many('(')}1${many(')')} }}`, 'has more than 100 brackets within each other'],
    ['with ~ within them', `{{ ${many('(')}1 ~ 2${many(')')} }}`, 'has more than 100 brackets within each other'],
    ['indexes in indexes', `{{ ${many('mapping[')}1${many(']')} }}`, 'has more than 100 brackets within each other'],
    ['get of get', `{{ mapping${many('.get(1)')} }}`, 'maximum recursion limits'],
    ['mappings that do not end', `{{ ${many('{')}`, 'syntax error'],
    ['texts in an output that does not end', `{{ ${many('""')}`, 'syntax error'],
    ['an end that only a text has', `{{ ${many('""')} "a }} b"`, 'syntax error'],
    ['raw sections that do not end', many('{% raw %}', 500), 'syntax error'],
    ['comments that do not end', many('{#'), 'syntax error'],
  ])('is refused soon: %s', async (_, template, message) => {
    const other = await loadFiles({ 'hosts.yml': TEMPLATE_INVENTORY });
    expect(() => other.render('host', template)).toThrow(message);
    expect(other.render('host', '{{ text }}').reveal()).toBe('abc');
  });

  test('one that breaks the engine is the last that is rendered', async () => {
    const other = await loadFiles({ 'hosts.yml': TEMPLATE_INVENTORY });
    // On a busy machine its time may be up before its stack is full.
    expect(() => other.render('host', `{{ ${many('1 ~ ')}1 }}`)).toThrow(
      /the template engine gave up on this template|was stopped after/,
    );
    expect(() => other.render('host', '{{ text | upper }}')).toThrow('an earlier template had to be stopped');
  });
});

test('words of statements are variables where they stand as such', async () => {
  const named = await loadFiles({ 'hosts.yml': 'all: { hosts: { host: { set: 5, for: 6 } } }\n' });
  expect(named.render('host', '{% set x = 1 %}{{ set }}{{ x }}').reveal()).toBe('51');
});

test.each([
  ['1 | no_such_filter', "unknown filter 'no_such_filter'"],
  ["lookup('env', 'HOME')", 'lookups are not run'],
])('a variable whose template is wrong is not taken for one that is missing: %.30s', async (expression, message) => {
  const other = await loadFiles({ 'hosts.yml': `all: { hosts: { host: { v: "{{ ${expression} }}" } } }\n` });
  expect(() => other.render('host', "{{ v | default('d') }}")).toThrow(message);
});

test('a mapping is a value of ternary, and has no members that nobody wrote', () => {
  const chosen = "{{ true | ternary({'a': 1}, {'b': 2}) }} {{ false | ternary({'a': 1}, {'b': 2}) }}";
  expect(inventory.render('host', chosen).reveal()).toBe("{'a': 1} {'b': 2}");
  const none =
    "{{ 'constructor' | extract(mapping) is none }} {{ '%(constructor)s' | format(k=1) }} {{ mapping.get('constructor', 'x') }}";
  expect(inventory.render('host', none).reveal()).toBe('True None x');
});

test('a map by attribute takes its own arguments by name, and a filter of it those by place', () => {
  const template =
    "{{ rows | map(attribute='q', default=7) | list }} {{ ['x'] | map('int', 9) | list }} {{ map | default('m') }}";
  expect(inventory.render('host', template).reveal()).toBe('[7, 7] [9] m');
});
