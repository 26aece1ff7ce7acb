import { readFileSync } from 'node:fs';

/** An inventory in whose variables the templates are rendered, on its host `host`. */
export const TEMPLATE_INVENTORY = `
all:
  hosts: { host: {} }
  vars:
    mapping: { b: 1, a: { z: 1, y: 2 } }
    list: [3, 1, 2]
    text: abc
    nothing: null
    yes_it_is: true
    float: 1.0
    long: 12345678901234567890
    mixed: [5, 1.0, x, null, true, [2.0], { f: 3.0 }]
    rows: [{ k: 2, a: 1 }, { k: 5, a: 4 }]
`;

/** A template, and the text that Ansible made of it. */
export type RenderedTemplate = readonly [template: string, text: string];

/** Jinja2 as people write it in inventories and templates. */
export function renderedTemplates(): readonly RenderedTemplate[] {
  return JSON.parse(readFileSync('fixtures/jinja2/templates.json', 'utf8')) as readonly RenderedTemplate[];
}
