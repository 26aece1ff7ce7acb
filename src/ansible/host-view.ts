import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Variables } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import { type PythonValue, WholeFloat } from '../model/python-value.js';
import type { Settings } from './group-vars.js';
import type { TemplateEngine } from './jinja.js';
import type { Scope } from './jinja-look-ups.js';
import { toJson } from './json-values.js';
import { holdsOmit, OMIT_ELSEWHERE } from './omit.js';
import {
  fromPython,
  isMapping,
  isMarked,
  isSequence,
  plainSetting,
  type RawValue,
  type Setting,
  type VaultValue,
} from './raw-value.js';
import { fromTemplateValue, keysOf, markedText, memberOf, originOf, reveal, Sealed, type Value } from './sealed.js';
import { TemplateError } from './template-error.js';
import type { TemplateValue } from '../model/marked-text.js';

/** A template of an inventory that uses a variable which is not set. `default` and `is defined` excuse it. */
export class UndefinedVariableError extends InputError {}

/** Whether an error only means that a variable is missing. */
export function isUndefined(error: unknown): boolean {
  return error instanceof UndefinedVariableError || (error instanceof TemplateError && error.kind === 'undefined');
}

/** What a host's variables are read from. */
export interface ViewSource {
  readonly host: string;
  /** Lowest first. */
  readonly layers: readonly Settings[];
  readonly engine: TemplateEngine;
  /** Ansible's magic variables, which nothing overrides; undefined when the name is none of them. */
  magic(name: string): Json | undefined;
  /** Variables that this program provides where the inventory has none of that name. */
  derived(name: string): Json | undefined;
  /** A variable of another host, for `hostvars`; undefined when it is not set. */
  other(host: string, name: string): Value | undefined;
  /** Names for "did you mean" beside the host's own variables. */
  readonly knownNames: readonly string[];
  /** The clear text of a `!vault` value. */
  openVault(value: VaultValue, subject: string): string;
}

/** A host's variables, and the scope that templates see. */
export interface HostView {
  readonly variables: Variables;
  readonly scope: Scope;
  /** A variable with its secrets marked. @throws as {@link Variables.get} */
  value(name: string): Value | undefined;
}

/** Variables that refer to variables that refer …: deeper than this is no inventory of people. */
const MAX_OPEN = 50;

/** Variables of one host, rendered on demand and once. */
export function createHostView(source: ViewSource): HostView {
  const values = new Map<string, Value>();
  const open: string[] = [];
  const settingOf = (name: string): Setting | undefined =>
    source.layers.findLast((layer) => layer.has(name))?.get(name);
  const names = (): readonly string[] => [...new Set(source.layers.flatMap((layer) => [...layer.keys()]))];

  function valueOf(name: string): Value | undefined {
    const known = source.magic(name) ?? values.get(name);
    if (known !== undefined) return known;
    const setting = settingOf(name);
    const circle = open.includes(name) ? [...open.slice(open.indexOf(name)), name] : [];
    open.push(name);
    try {
      if (open.length > MAX_OPEN)
        throw new TemplateError('wrong', `variables refer to each other more than ${MAX_OPEN} deep`);
      if (circle.length > 0) throw new TemplateError('wrong', `refers to itself: ${circle.join(' → ')}`);
      const value = setting === undefined ? source.derived(name) : renderValue(source, scope, setting.value(), name);
      if (value !== undefined) values.set(name, value);
      return value;
    } catch (error) {
      throw located(error, setting, name, source.host);
    } finally {
      open.pop();
    }
  }

  const scope: Scope = {
    lookUp(path) {
      const [root = '', ...rest] = path;
      if (root === 'hostvars' && rest.length > 1) return lookUpOther(source, String(rest[0]), rest.slice(1));
      if (root === 'vars' && rest.length > 0) return scope.lookUp(rest);
      const value = valueOf(String(root));
      if (value !== undefined) return descend(value, String(root), rest);
      const near = (): string => didYouMean(String(root), new Set([...names(), ...source.knownNames]));
      throw new TemplateError('undefined', () => `'${root}' is undefined${near()}`);
    },
  };

  const at: Variables['at'] = (name, path) => settingOf(name)?.positionOf(path ?? []);
  const get: Variables['get'] = (name) => {
    const value = valueOf(name);
    const json = value === undefined ? undefined : toJson(reveal(value));
    if (holdsOmit(json)) throw located(new TemplateError('wrong', OMIT_ELSEWHERE), settingOf(name), name, source.host);
    return json;
  };
  const marked: Variables['marked'] = (name, path = []) => {
    const value = path.reduce<Value | undefined>(
      (part, step) => (part === undefined ? undefined : memberOf(part, step)),
      valueOf(name),
    );
    return value === undefined ? undefined : markedText(value);
  };
  const secretOf: Variables['secretOf'] = (name) => originOf(valueOf(name) ?? null);
  return { scope, value: valueOf, variables: { names, get, marked, secretOf, at } };
}

function renderValue(source: ViewSource, scope: Scope, value: RawValue, name: string): Value {
  if (typeof value === 'string') return source.engine.value(value, scope);
  if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
  if (isSequence(value)) return value.map((item) => renderValue(source, scope, item, name));
  if (isMapping(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [key, renderValue(source, scope, item, name)]));
  }
  if (!isMarked(value)) return null;
  if (value.kind === 'unsafe') return value.text;
  if (value.kind === 'given') return value.value;
  // A `!vault` value is a secret, never a template.
  if (value.kind === 'vault') return new Sealed(source.openVault(value, `${name} of ${source.host}`), 'value');
  // In a file that is encrypted as a whole, values are ordinary ones but for who may see them.
  const clear = typeof value.value === 'string' ? source.engine.value(value.value, scope) : value.value;
  return originOf(clear) === 'value' ? clear : new Sealed(reveal(clear), 'file');
}

/** A template's error with the place of the variable whose template it is. */
function located(error: unknown, setting: Setting | undefined, name: string, host: string): unknown {
  if (!(error instanceof TemplateError)) return error;
  const message = `${error.message} (host ${host})`;
  const problem: Problem = { severity: 'error', at: setting?.at, subject: name, message };
  return error.kind === 'undefined' ? new UndefinedVariableError([problem]) : new InputError([problem]);
}

function lookUpOther(source: ViewSource, host: string, path: readonly (string | number)[]): Value {
  const [name = '', ...rest] = path;
  const value = source.other(host, String(name));
  if (value === undefined) throw new TemplateError('undefined', `hostvars['${host}'] has no '${name}'`);
  return descend(value, `hostvars['${host}'].${name}`, rest);
}

/** A play's variables as the topmost layer: written in a playbook, they are templates. */
export function templateLayer(variables: Readonly<Record<string, PythonValue>>): Settings {
  return new Map(Object.entries(variables).map(([name, value]) => [name, plainSetting(fromPython(value), undefined)]));
}

/** Values that are handed to a template, as the topmost layer: whatever they hold is text. */
export function valueLayer(values: Readonly<Record<string, TemplateValue>>): Settings {
  return new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      plainSetting({ kind: 'given', value: fromTemplateValue(value) }, undefined),
    ]),
  );
}

function descend(value: Value, name: string, path: readonly (string | number)[]): Value {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const next = memberOf(value, step);
  if (next === undefined) {
    const near = (): string => didYouMean(String(step), keysOf(value));
    throw new TemplateError('undefined', () => `'${name}' has no ${JSON.stringify(step)}${near()}`);
  }
  return descend(next, `${name}.${step}`, rest);
}
