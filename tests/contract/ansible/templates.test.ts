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
