// What was computed from a secret is secret, whatever it went through. Nothing here searches for a known text.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { TEMPLATE_LIMIT_MS } from '../../../src/ansible/bounded.js';
import { createTemplateEngine } from '../../../src/ansible/jinja.js';
import type { Inventory } from '../../../src/model/inventory.js';
import { Secret } from '../../../src/model/secret.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

const PASSWORD = 'vault-password';
const vault = (text: string): string =>
  `!vault |\n${encryptVault(text, PASSWORD)
    .split('\n')
    .map((line) => `        ${line}\n`)
    .join('')}`;

let inventory: Inventory;
beforeAll(async () => {
  const hosts = `all:
  vars:
    secret: ${vault('s3cret "q" \\ x')}
    lines: ${vault('one\ntwo\nthree')}
    number: ${vault('7')}
    public: open
    mixed: "user {{ secret }} end"
    computed: "{{ secret | upper }}"
    twice: "{{ computed | b64encode }}"
    nested: { deep: ["{{ secret }}", plain], other: plain }
    listed: "[{{ number }}, 2]"
  children:
    etcd:
      hosts:
        a:
        b: { theirs: "{{ hostvars['a'].secret }}" }
`;
  inventory = await loadFiles({ 'hosts.yml': hosts }, { vaultPassword: new Secret(PASSWORD) });
});

const shown = (text: string): string => inventory.render('a', text).redacted;

describe('is hidden', () => {
  test.each([
    ['as it is', 'x {{ secret }} y', 'x [redacted] y'],
    ['as JSON', 'x {{ secret | to_json }} y', 'x [redacted] y'],
    ['in capitals', '{{ secret | upper }}', '[redacted]'],
    ['in base64, joined with a text', "h: {{ ('admin:' ~ secret) | b64encode }}", 'h: [redacted]'],
    ['indented', '  {{ lines | indent(4) }}\nend', '  [redacted]\nend'],
    ['split', "{{ lines.split('\\n')[1] }}", '[redacted]'],
    ['reversed', '{{ secret[::-1] }}', '[redacted]'],
    ['one letter', '{{ secret[0] }}', '[redacted]'],
    ['its length', '{{ secret | length }}', '[redacted]'],
    ['as a number', '{{ number | int + 1 }}', '[redacted]'],
    ['one of two', "{{ 'a' if secret == 'b' else 'c' }}", '[redacted]'],
    ['with a default', "{{ secret | default('x') }}", '[redacted]'],
    ['after ~, beside None', "{{ none ~ secret }} {{ 'a' ~ (secret) ~ true }}", '[redacted] [redacted]'],
    ['through a format', "{{ '%s' | format(secret) }}", '[redacted]'],
    ['as a hash', "{{ secret | hash('sha256') }}", '[redacted]'],
    [
      'as a value of a mapping that is gone through',
      '{% for k, v in nested.items() %}{{ v }};{% endfor %}',
      '[redacted];[redacted];',
    ],
    [
      'with a default of its own',
      "{{ nested.get('gone', secret) }} {{ nested.get('other', 'x') }}",
      '[redacted] [redacted]',
    ],
    [
      'paired',
      '{{ [1] | zip([secret]) | list }} {{ nested | dict2items | map(attribute="value") | list }}',
      '[redacted] [redacted]',
    ],
    ['without a default', '{{ secret | default(none) }}', '[redacted]'],
    ['as a key that is not there', "{{ nested[secret] | default('x') }}", '[redacted]'],
    ['through other variables', '{{ twice }} {{ computed }}', '[redacted] [redacted]'],
    ['in the middle of another variable', '{{ mixed }}', 'user [redacted] end'],
    [
      'in a list in a mapping',
      '{{ nested.deep[0] }} {{ nested.deep[1] }} {{ nested.other }}',
      '[redacted] plain plain',
    ],
    ['with all that is beside it', '{{ nested }}', '[redacted]'],
    ['in a list that was a text', '{{ listed[0] }}', '[redacted]'],
    ['of another host', "{{ hostvars['b'].theirs }}", '[redacted]'],
    ['by the filter extract', "{{ ['a'] | map('extract', hostvars, 'secret') | join }}", '[redacted]'],
    ['under a name of the template', '{% set x = secret %}{{ x | lower }} {{ public }}', '[redacted] open'],
    ['under a second name', '{% set x = secret %}{% set y = x ~ "!" %}{{ y }}', '[redacted]'],
    [
      'in a loop',
      '{% for l in lines.splitlines() %}- {{ l }}\n{% endfor %}',
      '- [redacted]\n- [redacted]\n- [redacted]\n',
    ],
    ['in a block that is set', '{% set x %}a{{ secret }}b{% endset %}{{ x | upper }}', '[redacted]'],
    ['in a filter block', 'x {% filter upper %}a{{ secret }}b{% endfilter %} y', 'x [redacted] y'],
    ['in a macro', '{% macro m() %}a{{ secret }}{% endmacro %}{{ m() | upper }} {{ public }}', '[redacted] open'],
    ['as a parameter of one', '{% macro m(p) %}<{{ p }}>{% endmacro %}{{ m(secret) }}', '[redacted]'],
    ['in a namespace', '{% set ns = namespace(v="") %}{% set ns.v = secret %}{{ ns.v }}', '[redacted]'],
    ['with a name of its own', '{% with w = secret %}{{ w }}{% endwith %}', '[redacted]'],
  ])('%s', (_, text, redacted) => {
    expect(shown(text)).toBe(redacted);
    // What is hidden is still there.
    expect(inventory.render('a', text).reveal()).not.toContain('[redacted]');
  });

  test.each([
    ['x {{- secret -}} y\n{{ public }}\n', 'x[redacted]y\nopen\n'],
    ['{% filter upper %}\n{{ secret }}\n{% endfilter %}\nend\n', '[redacted]end\n'],
    ['{% if secret %}\nyes {{ public }}\n{% endif %}\nend', 'yes open\nend'],
  ])('and white space is what it was: %j', (text, redacted) => {
    expect(shown(text)).toBe(redacted);
  });
});

test('what has nothing to do with a secret is shown', () => {
  expect(shown('{{ public }} {% for x in [1, 2] %}{{ x }}{% endfor %}{% set y = 3 %}{{ y }}')).toBe('open 123');
});

test('an error does not tell the secret either', () => {
  expect(() => inventory.render('a', '{{ secret | from_json }}')).toThrow('the reason is not shown');
  expect(() => inventory.render('a', '{{ public | from_json }}')).toThrow('open');
});

test.each([
  "{{ 'a' | hash(secret) }}",
  "{{ 'a' | urlsplit(secret) }}",
  "{{ 'ab' | regex_search('(a)', secret) }}",
  "{{ {'a': [1]} | combine({'a': [2]}, list_merge=secret) }}",
  '{{ public | int(**{secret: 1}) }}',
  "{{ '%q' | format(secret) }}",
  '{{ nested[secret].items() | list }}',
  '{{ nested.items(secret) }}',
  '{{ secret.items() | list }}',
  "{{ public.get('x', secret) }}",
])('an error says no word of a secret: %s', (template) => {
  let message = '';
  try {
    inventory.render('a', template);
  } catch (error) {
    message = String(error);
  }
  expect(message).not.toBe('');
  expect(message).not.toContain('s3cret');
});

test('a variable tells that it is secret, and which part of it', () => {
  const { variables } = hostOf(inventory, 'a');
  expect(['secret', 'twice', 'mixed', 'nested', 'public'].map((name) => variables.secretOf(name))).toEqual([
    ...['value', 'value', 'value', 'value'],
    undefined,
  ]);
  expect(variables.marked('nested', ['deep', 1])?.isSecret).toBe(false);
  expect(variables.marked('mixed')?.redacted).toBe('user [redacted] end');
});

test('a secret that is handed in comes out as one', () => {
  const values = { pass: new Secret('given'), list: [{ pass: new Secret('given') }] };
  expect(inventory.render('a', 'p {{ pass }} {{ list[0].pass | upper }}', values).redacted).toBe(
    'p [redacted] [redacted]',
  );
});

describe('a template has an end', () => {
  test.each([
    ['{{ "x" * 10 ** 9 }}', /./],
    ['{% for i in range(1000) %}{{ "x" * 100000 }}{% endfor %}', /./],
    ['{{ range(10 ** 9) | list }}', /too many/],
    ['{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(1) }}', /recursion/],
    ['{{ ("a" * 1000000) | replace("a", "b" * 1000000) }}', /./],
    ['{% include "x" %}', /./],
  ])('%s', (text, message) => {
    expect(() => inventory.render('a', text)).toThrow(message);
    expect(inventory.render('a', '{{ public }}!').reveal()).toBe('open!');
  });

  test('also a regular expression that never comes back, which leaves the engine broken', async () => {
    const other = await createTemplateEngine(() => false, 100);
    const scope = { lookUp: () => null };
    const text = `{{ "${'a'.repeat(50)}b" is match("(a+)+$") }}`;
    expect(() => other.render(text, scope)).toThrow('was stopped after 0.1 s');
    expect(() => other.render('{{ 1 + 1 }}', scope)).toThrow('an earlier template had to be stopped');
  });

  test('after some seconds: a configuration file takes a few milliseconds', () => {
    expect(TEMPLATE_LIMIT_MS).toBe(5000);
  });
});
