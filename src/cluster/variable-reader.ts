import { InputError, ProvisionError, type Problem, type SourcePosition } from '../model/errors.js';
import type { Host } from '../model/inventory.js';
import type { Json } from '../model/json.js';
import type { MarkedText } from '../model/marked-text.js';
import type { KnownVariable } from './variable-definition.js';
import { VARIABLES, type VariableName, type VariableValue } from './known-variables.js';

/** Variables whose default is a value. */
export type DefaultedName = {
  [Name in VariableName]: (typeof VARIABLES)[Name] extends { readonly fallback: unknown } ? Name : never;
}[VariableName];

/** Reads checked variables, and remembers what was wrong with them. */
export interface VariableReader {
  /** Undefined when the variable is not set, or wrong. */
  read<Name extends VariableName>(host: Host, name: Name): VariableValue<Name> | undefined;
  /** A checked variable that may hold secrets, or a part of it, as a text in which they are marked. */
  marked(host: Host, name: VariableName, path?: readonly string[]): MarkedText | undefined;
  /** The same, with the default of the table. */
  readOr<Name extends DefaultedName>(host: Host, name: Name): VariableValue<Name>;
  /** A step that may throw what is wrong with the inventory; undefined when it did. */
  attempt<T>(at: SourcePosition | undefined, subject: string, step: () => T): T | undefined;
  report(severity: Problem['severity'], at: SourcePosition | undefined, subject: string, message: string): void;
  /** Each problem once, however many hosts share the variable, in the order of the files. */
  problems(): readonly Problem[];
}

const SHOWN =
  'is a vault value, or computed from one, and would be seen in plans, commands and files: write it in clear, or in a file ' +
  'that is encrypted as a whole';

/** A reader without problems. */
export function createVariableReader(): VariableReader {
  const problems = new Map<string, Problem>();
  const add = (problem: Problem): void => {
    const place = problem.at === undefined ? '' : `${problem.at.file}:${problem.at.line}:${problem.at.column}`;
    // The same template fails alike on each host but for the host's name.
    const key = [place, problem.subject, problem.message.replace(/ \(host [^)]*\)$/, '')].join('\0');
    if (!problems.has(key)) problems.set(key, problem);
  };
  const reader: VariableReader = {
    read(host, name) {
      const definition: KnownVariable<VariableValue<typeof name>> = VARIABLES[name] as never;
      const value = reader.attempt(host.variables.at(name), name, () => host.variables.get(name));
      if (value === undefined || value === null) return undefined;
      const secret = host.variables.secretOf(name);
      const mayHold = definition.secret === true || definition.mayHoldSecrets === true;
      if (secret === 'value' && !mayHold)
        add({ severity: 'error', at: host.variables.at(name), subject: name, message: SHOWN });
      const result = definition.schema.safeParse(value);
      if (result.success) return result.data;
      for (const issue of result.error.issues) {
        const path = issue.path.map((step) => (typeof step === 'symbol' ? '' : step));
        const isHidden = definition.secret === true || secret !== undefined;
        const shown = isHidden ? '' : `${withoutCredentials(JSON.stringify(partOf(value, path)))}: `;
        const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
        const detail = isHidden || issue.code !== 'custom' ? '' : detailOf(issue.params);
        add({
          severity: 'error',
          at: host.variables.at(name, path),
          subject: [name, ...path].join('.'),
          message: `${shown}${message}${detail}`,
        });
      }
      return undefined;
    },
    marked: (host, name, path) =>
      reader.read(host, name) === undefined ? undefined : host.variables.marked(name, path),
    readOr(host, name) {
      return reader.read(host, name) ?? (VARIABLES[name].fallback as VariableValue<typeof name>);
    },
    attempt(at, subject, step) {
      try {
        return step();
      } catch (error) {
        if (error instanceof InputError) error.problems.forEach(add);
        else if (error instanceof ProvisionError) add({ severity: 'error', at, subject, message: hinted(error) });
        else throw error;
        return undefined;
      }
    },
    report(severity, at, subject, message) {
      add({ severity, at, subject, message });
    },
    problems: () => [...problems.values()].sort(byPlace),
  };
  return reader;
}

/** What a kind of values says beside its message, with parts of the value in it. */
function detailOf(params: Readonly<Record<string, unknown>> | undefined): string {
  const detail = params?.['detail'];
  return typeof detail === 'string' ? `: ${detail}` : '';
}

/** Of a URL in a wrong value, neither whom it lets in nor what follows `?`. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/(\w:\/\/)[^\s"/]*@/g, '$1…@').replaceAll(/(\w:\/\/[^\s"?#]*)[?#][^\s"]*/g, '$1?…');
}

function byPlace(a: Problem, b: Problem): number {
  if (a.at === undefined || b.at === undefined) return Number(a.at === undefined) - Number(b.at === undefined);
  return a.at.file.localeCompare(b.at.file, 'en') || a.at.line - b.at.line || a.at.column - b.at.column;
}

function hinted(error: ProvisionError): string {
  return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
}

function partOf(value: Json, path: readonly (string | number)[]): Json {
  return path.reduce<Json>(
    (part, step) =>
      typeof part === 'object' && part !== null ? ((part as Readonly<Record<string, Json>>)[step] ?? null) : part,
    value,
  );
}
