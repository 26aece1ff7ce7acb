import type { Host } from '../model/inventory.js';
import type { VariableName, VariableValue } from './known-variables.js';
import type { DefaultedName, VariableReader } from './variable-reader.js';

/** Values that hold for the whole cluster: it is enough to set them for one of its groups. */
export interface SharedValues {
  value<Name extends VariableName>(name: Name): VariableValue<Name> | undefined;
  valueOr<Name extends DefaultedName>(name: Name): VariableValue<Name>;
  /** Of a host that sets it. */
  at(name: VariableName): ReturnType<Host['variables']['at']>;
}

/** Those of a cluster. @param hosts all that have a part in it */
export function sharedValues(hosts: readonly Host[], reader: VariableReader): SharedValues {
  const setters = (name: VariableName): readonly Host[] =>
    hosts.filter((host) => host.variables.at(name) !== undefined || hasOwn(host, name));
  function value<Name extends VariableName>(name: Name): VariableValue<Name> | undefined {
    const [first, ...others] = setters(name);
    if (first === undefined) return undefined;
    const found = reader.read(first, name);
    for (const other of others) {
      const different = reader.read(other, name);
      if (found !== undefined && different !== undefined && JSON.stringify(different) !== JSON.stringify(found)) {
        const message = `differs between ${first.name} and ${other.name}; it must be the same for the whole cluster: set it once, in all`;
        reader.report('error', other.variables.at(name), name, message);
      }
    }
    return found;
  }
  return {
    value,
    valueOr: (name) => value(name) ?? reader.readOr(NO_HOST, name),
    at: (name) => setters(name)[0]?.variables.at(name),
  };
}

/** Whether a host has the variable, from wherever. */
export function hasOwn(host: Host, name: string): boolean {
  return host.variables.names().includes(name);
}

/** Stands for "set nowhere": gives the defaults of the table. */
const NO_HOST: Host = {
  name: '',
  groups: [],
  connection: { address: '' },
  variables: {
    names: () => [],
    get: () => undefined,
    marked: () => undefined,
    secretOf: () => undefined,
    at: () => undefined,
  },
};
