import { VARIABLES } from '../cluster/known-variables.js';
import { ipAddress } from '../cluster/variable-kinds.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { AdoptedName, FoundVariable } from './member-variables.js';

/** A variable to be written. */
export interface NewVariable {
  readonly name: AdoptedName;
  readonly value: FoundVariable['value'];
  /** Where it was found, a line each: `--cert-file in … on etcd-1`. */
  readonly found: readonly string[];
}

/** What is missing from the inventory. */
export interface NewVariables {
  /** For all hosts of the group. */
  readonly shared: readonly NewVariable[];
  /** By host; hosts without any are left out. */
  readonly hosts: ReadonlyMap<string, readonly NewVariable[]>;
}

/** Those that hold for the cluster as a whole: no host may have another one. */
const CLUSTER_WIDE: readonly AdoptedName[] = ['etcd_managed', 'etcd_key_type'];

/**
 * What must be written so that the inventory says what was found: only what differs from a default, for the group where
 * it is the same everywhere.
 * @throws InputError when the inventory says otherwise: then nothing may be written
 */
export function decideVariables(
  inventory: Inventory,
  found: ReadonlyMap<string, readonly FoundVariable[]>,
): NewVariables {
  const problems: Problem[] = [];
  const missing = [...found].flatMap(([host, variables]) =>
    variables.flatMap((variable) => (isMissing(inventory, host, variable, problems) ? [{ host, variable }] : [])),
  );
  if (problems.length > 0)
    throw new InputError(problems, 'nothing was written: correct the inventory, or what runs, and try again');
  const names = [...new Set(missing.map(({ variable }) => variable.name))];
  const all = [...found.keys()];
  const shared: NewVariable[] = [];
  const hosts = new Map<string, NewVariable[]>();
  for (const name of names) {
    const wanted = missing.filter(({ variable }) => variable.name === name);
    const [first] = wanted;
    if (first === undefined) continue;
    if (isShared(name, wanted, { found, all })) {
      shared.push({ name, value: first.variable.value, found: places(wanted, all.length) });
      continue;
    }
    // What differs between members is no answer for the cluster; what is kept on each host stays what it is.
    if (CLUSTER_WIDE.includes(name)) continue;
    for (const { host, variable } of wanted) {
      const own = hosts.get(host) ?? [];
      hosts.set(host, own);
      own.push({ name, value: variable.value, found: [`${variable.found} on ${host}`] });
    }
  }
  return { shared, hosts };
}

/** Whether the group may say it: no host of it says, or needs, anything else. */
function isShared(
  name: AdoptedName,
  wanted: readonly { readonly variable: FoundVariable }[],
  { found, all }: { readonly found: ReadonlyMap<string, readonly FoundVariable[]>; readonly all: readonly string[] },
): boolean {
  const values = all.map((host) => found.get(host)?.find((variable) => variable.name === name)?.value);
  if (new Set(values).size !== 1) return false;
  return CLUSTER_WIDE.includes(name) || wanted.length === all.length;
}

/** True: to be written. What is set to another value is a problem. */
function isMissing(inventory: Inventory, host: string, wanted: FoundVariable, problems: Problem[]): boolean {
  const { name, value, fallback, found } = wanted;
  const variables = inventory.hosts.get(host)?.variables;
  const has = variables?.get(name);
  const at = variables?.at(name);
  if (has === undefined || has === null) {
    if (value === fallback) return false;
    const refused = (name === 'ip' ? ipAddress() : VARIABLES[name].schema).safeParse(value).error;
    if (refused === undefined) return true;
    const expected = refused.issues.map(({ message }) => message).join('; ');
    problems.push(problem(host, name, at, `${JSON.stringify(value)} (${found}): ${expected}`));
    return false;
  }
  if (isSame(name, has, value)) return false;
  const isShown = typeof has !== 'object' && variables?.secretOf(name) === undefined;
  const shown = isShown ? JSON.stringify(has) : 'another value';
  problems.push(problem(host, name, at, `${shown}, but ${host} runs with ${JSON.stringify(value)} (${found})`));
  return false;
}

/** Texts of Ansible's such as `no` and `"2379"` mean what they say. */
function isSame(name: AdoptedName, has: unknown, value: FoundVariable['value']): boolean {
  if (name === 'ip') return has === value;
  const read = VARIABLES[name].schema.safeParse(has);
  const plain = name === 'etcd_unit' && typeof read.data === 'string' ? read.data.replace(/\.service$/, '') : read.data;
  return read.success && plain === value;
}

function problem(host: string, name: AdoptedName, at: Problem['at'], message: string): Problem {
  return { severity: 'error', at, subject: at === undefined ? `${host}: ${name}` : name, message };
}

/** The same place on several hosts is reported once. */
function places(
  wanted: readonly { readonly host: string; readonly variable: FoundVariable }[],
  count: number,
): readonly string[] {
  const found = [...new Set(wanted.map(({ variable }) => variable.found))];
  return found.map((place) => {
    const hosts = wanted.filter(({ variable }) => variable.found === place).map(({ host }) => host);
    return hosts.length === count ? place : `${place} on ${hosts.join(', ')}`;
  });
}
