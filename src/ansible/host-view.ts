import { didYouMean } from '../model/did-you-mean.js';
import { InputError, type Problem } from '../model/errors.js';
import type { Variables } from '../model/inventory.js';
import type { Json, JsonObject } from '../model/json.js';
import type { Settings } from './group-vars.js';
import type { Scope, TemplateEngine } from './jinja.js';
import {
  asUnsafe,
  fromJson,
  isMapping,
  isMarked,
  isSequence,
  plainSetting,
  type ConfidentialValue,
  type RawValue,
  type Setting,
  type VaultValue,
} from './raw-value.js';
import { TemplateError } from './template-error.js';

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
  other(host: string, name: string): Json | undefined;
  /** Names for "did you mean" beside the host's own variables. */
  readonly knownNames: readonly string[];
  /** The clear text of a marked value; remembers it as a secret. */
  reveal(value: VaultValue | ConfidentialValue, subject: string): string | number;
}

/** A host's variables, and the scope that templates see. */
export interface HostView {
  readonly variables: Variables;
  readonly scope: Scope;
}

/** Variables of one host, rendered on demand and once. */
export function createHostView(source: ViewSource): HostView {
  const values = new Map<string, Json>();
  const open: string[] = [];
  const settingOf = (name: string): Setting | undefined =>
    source.layers.findLast((layer) => layer.has(name))?.get(name);
  const names = (): readonly string[] => [...new Set(source.layers.flatMap((layer) => [...layer.keys()]))];

  function get(name: string): Json | undefined {
    const known = source.magic(name) ?? values.get(name);
    if (known !== undefined) return known;
    const setting = settingOf(name);
    const circle = open.includes(name) ? [...open.slice(open.indexOf(name)), name] : [];
    open.push(name);
    try {
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
      const value = get(String(root));
      if (value !== undefined) return descend(value, String(root), rest);
      const near = didYouMean(String(root), new Set([...names(), ...source.knownNames]));
      throw new TemplateError('undefined', `'${root}' is undefined${near}`);
    },
  };

  const at: Variables['at'] = (name, path) => settingOf(name)?.positionOf(path ?? []);
  return { scope, variables: { names, get, at } };
}

function renderValue(source: ViewSource, scope: Scope, value: RawValue, name: string): Json {
  if (typeof value === 'string') return source.engine.value(value, scope);
  if (typeof value !== 'object' || value === null) return value;
  if (isSequence(value)) return value.map((item) => renderValue(source, scope, item, name));
  if (isMapping(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [key, renderValue(source, scope, item, name)]));
  }
  if (!isMarked(value)) return null;
  if (value.kind === 'unsafe') return value.text;
  const clear = source.reveal(value, `${name} of ${source.host}`);
  // In a file that is encrypted as a whole, values are ordinary ones; a `!vault` value is a secret, never a template.
  return value.kind === 'confidential' && typeof clear === 'string' ? source.engine.value(clear, scope) : clear;
}

/** A template's error with the place of the variable whose template it is. */
function located(error: unknown, setting: Setting | undefined, name: string, host: string): unknown {
  if (!(error instanceof TemplateError)) return error;
  const message = `${error.message} (host ${host})`;
  const problem: Problem = { severity: 'error', at: setting?.at, subject: name, message };
  return error.kind === 'undefined' ? new UndefinedVariableError([problem]) : new InputError([problem]);
}

function lookUpOther(source: ViewSource, host: string, path: readonly (string | number)[]): Json {
  const [name = '', ...rest] = path;
  const value = source.other(host, String(name));
  if (value === undefined) throw new TemplateError('undefined', `hostvars['${host}'] has no '${name}'`);
  return descend(value, `hostvars['${host}'].${name}`, rest);
}

/** A play's variables as the topmost layer: written in a playbook, they are templates. */
export function templateLayer(variables: JsonObject): Settings {
  return new Map(Object.entries(variables).map(([name, value]) => [name, plainSetting(fromJson(value), undefined)]));
}

/** Values that are handed to a template, as the topmost layer: whatever they hold is text. */
export function valueLayer(values: JsonObject): Settings {
  return new Map(
    Object.entries(values).map(([name, value]) => [name, plainSetting(asUnsafe(fromJson(value)), undefined)]),
  );
}

function descend(value: Json, name: string, path: readonly (string | number)[]): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const next = member(value, step);
  if (next === undefined) {
    const keys = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
    throw new TemplateError('undefined', `'${name}' has no ${JSON.stringify(step)}${didYouMean(String(step), keys)}`);
  }
  return descend(next, `${name}.${step}`, rest);
}

function member(value: Json, step: string | number): Json | undefined {
  if (typeof value === 'string') return typeof step === 'number' ? value.at(step) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value))
    return (value as readonly Json[]).at(/^-?\d+$/.test(String(step)) ? Number(step) : Number.NaN);
  return Object.hasOwn(value, step) ? (value as JsonObject)[step] : undefined;
}
