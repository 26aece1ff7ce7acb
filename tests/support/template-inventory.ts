import { Environment } from 'minijinja-js';
import type { Host, Inventory } from '../../src/model/inventory.js';

/** A host that has only a name: roles read the described cluster, not variables. */
export function namedHost(name: string): Host {
  return {
    name,
    connection: { address: name },
    variables: { names: () => [], get: () => undefined, at: () => undefined },
    groups: [],
  };
}

/** An inventory that renders templates as the real one does (Ansible's settings), with no variables but the given. */
export function templateInventory(hosts: readonly string[]): Inventory {
  const environment = new Environment();
  environment.undefinedBehavior = 'strict';
  environment.trimBlocks = true;
  environment.keepTrailingNewline = true;
  return {
    file: 'inventory.yaml',
    directory: '/inventory',
    digest: '0'.repeat(64),
    hosts: new Map(hosts.map((name) => [name, namedHost(name)])),
    groups: new Map(),
    warnings: [],
    render: (_host, text, extra = {}) => environment.renderStr(text, extra),
    test: () => true,
    withVariables: () => templateInventory(hosts),
    redact: (text) => text,
  };
}
