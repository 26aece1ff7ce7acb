import { isUndefined } from '../../src/ansible/host-view.js';
import { createTemplateEngine } from '../../src/ansible/jinja.js';
import { fromTemplateValue, memberOf, type Value } from '../../src/ansible/sealed.js';
import { TemplateError } from '../../src/ansible/template-error.js';
import type { Host, Inventory } from '../../src/model/inventory.js';

const NONE = (): undefined => undefined;

/** A host that has only a name: roles read the described cluster, not variables. */
export function namedHost(name: string): Host {
  return {
    name,
    connection: { address: name },
    variables: { names: () => [], get: NONE, marked: NONE, secretOf: NONE, at: NONE },
    groups: [],
  };
}

const engine = await createTemplateEngine(isUndefined);

/** An inventory that renders templates as the real one does, for its own hosts, with no variables but the given. */
export function templateInventory(hosts: readonly string[]): Inventory {
  return {
    file: 'inventory.yaml',
    directory: '/inventory',
    digest: '0'.repeat(64),
    hosts: new Map(hosts.map((name) => [name, namedHost(name)])),
    groups: new Map(),
    groupAt: NONE,
    warnings: [],
    render(host, text, values = {}) {
      if (!hosts.includes(host)) throw new Error(`the inventory has no host ${host}`);
      return engine.render(text, {
        lookUp(path) {
          const found = path.reduce<Value | undefined>(
            (value, step) => (value === undefined ? undefined : memberOf(value, step)),
            fromTemplateValue(values),
          );
          if (found === undefined) throw new TemplateError('undefined', `${path.join('.')} is undefined`);
          return found;
        },
      });
    },
    test: () => true,
    withVariables: () => templateInventory(hosts),
    withValues: () => templateInventory(hosts),
  };
}
