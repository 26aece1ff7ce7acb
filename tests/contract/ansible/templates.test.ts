import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { renderedTemplates, TEMPLATE_INVENTORY } from '../../support/jinja2-templates.js';
import { hasAnsible, renderWithAnsible } from '../../support/real-ansible.js';
import { writeFiles } from '../../support/write-inventory.js';

if (!hasAnsible) console.warn('skipped: rendering templates with the real Ansible: no ansible-core here');

/** What we make of them: tests/unit/ansible/templates-of-ansible.test.ts. */
(hasAnsible ? test : test.skip)('the texts that templates are compared with are those of the real Ansible', () => {
  const path = join(writeFiles({ 'hosts.yml': TEMPLATE_INVENTORY }), 'hosts.yml');
  const templates = renderedTemplates().map(([template]) => template);
  const texts = renderWithAnsible(path, 'host', templates);
  expect(templates.map((template, index) => [template, texts[index]])).toEqual(renderedTemplates());
});

/** What stands in a file of variables; backslashes are those of the file. */
const VALUES = [
  String.raw`"{{ 'abc' | regex_replace('(b)', '<\\1>') }}"`,
  String.raw`'{{ "abc" | regex_replace("(b)", "<\1>") }}'`,
  String.raw`"{{ 'abc' | regex_replace('(?P<n>b)', '<\\g<n>>') }}"`,
  String.raw`"{{ 'foo=bar' | regex_search('(\\w+)=(\\w+)', '\\2') }}"`,
  String.raw`"{{ 'a1 b' | regex_replace('\\s', '_') }} {{ 'a.b' | regex_replace('\\.', '-') }}"`,
  String.raw`"{{ 'a\\nb' | length }}{{ 'x' ~ '\\t' }}"`,
  String.raw`"{% if 'a1' is match('a\\d') %}yes{% endif %}\\n"`,
];

(hasAnsible ? test : test.skip)('the backslashes of a variable mean what they mean to Ansible', async () => {
  const vars = VALUES.map((value, index) => `    v${index}: ${value}\n`).join('');
  const path = join(writeFiles({ 'hosts.yml': `all:\n  hosts: { host: {} }\n  vars:\n${vars}` }), 'hosts.yml');
  const inventory = await loadInventory(path);
  const templates = VALUES.map((_, index) => `{{ v${index} }}`);
  expect(templates.map((template) => inventory.render('host', template).reveal())).toEqual(
    renderWithAnsible(path, 'host', templates),
  );
});

/** What people write behind `when:`. */
const CONDITIONS = [
  ...['yes_it_is', 'nothing', 'not nothing', 'mapping', 'list', 'text', 'not list', 'float', '1', '0', "'false'", '""'],
  ...[
    "text == 'abc'",
    "text == 'abc' and list | length == 3",
    'text is defined and gone is not defined',
    'gone is defined',
  ],
  ...['gone | default(false)', "gone | default('yes') | bool", "'a' in text", "text in ['abc', 'x']", 'mapping.b == 1'],
  ...[
    'mapping.b > 0 and mapping.a.z < 2',
    'mapping.gone is undefined',
    'list | length > 2 or gone',
    "text is match('a')",
  ],
  ...[
    "text is search('b$')",
    "text | regex_search('b')",
    "text | regex_search('zz')",
    "not text is search('z')",
    'float == 1',
  ],
  ...["rows | selectattr('k', 'equalto', 2) | list", "rows | selectattr('k', 'equalto', 9) | list", 'nothing == None'],
  ...[
    "text | regex_replace('(b)', '\\\\1\\\\1') == 'abbc'",
    "mapping.get('b', 0) == 1",
    "text ~ yes_it_is == 'abcTrue'",
  ],
  ...["mapping.keys() | list == ['b', 'a']", "'1.2.3' is version('1.2', '>=')", "yes_it_is and (text == 'x' or list)"],
];

(hasAnsible ? test : test.skip)('conditions hold where they do for Ansible', async () => {
  const path = join(writeFiles({ 'hosts.yml': TEMPLATE_INVENTORY }), 'hosts.yml');
  const inventory = await loadInventory(path);
  const theirs = renderWithAnsible(
    path,
    'host',
    CONDITIONS.map((condition) => `{% if ${condition} %}true{% else %}false{% endif %}`),
  );
  expect(CONDITIONS.map((condition) => [condition, String(inventory.test('host', condition))])).toEqual(
    CONDITIONS.map((condition, index) => [condition, theirs[index]]),
  );
  expect(new Set(theirs)).toEqual(new Set(['true', 'false']));
});
