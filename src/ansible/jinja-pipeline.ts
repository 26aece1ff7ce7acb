import type { PythonValue } from '../model/python-value.js';
import { applyFilter } from './jinja-filters.js';
import { constantPath } from './jinja-rewrite.js';
import { splitAt, type Token } from './jinja-tokens.js';
import { parsePythonLiteral } from './python-literal.js';
import { fromRaw } from './raw-value.js';
import { originOf, reveal, sealed, type Value } from './sealed.js';
import { unshownError } from './template-error.js';

/** A variable by its path, or a literal. */
type Argument = { readonly path: readonly (string | number)[] } | { readonly value: PythonValue };

interface Call {
  readonly filter: string;
  readonly positional: readonly Argument[];
  readonly named: ReadonlyMap<string, Argument>;
}

/**
 * `PATH | filter(…) | filter`: such an expression needs no engine, which sorts the keys of mappings and tells us nothing of
 * whole floats.
 */
export interface Pipeline {
  readonly path: readonly (string | number)[];
  readonly calls: readonly Call[];
}

/**
 * An expression as a pipeline; undefined when it is more than that.
 * @param filters those that this program brings
 */
export function pipelineOf(
  tokens: readonly Token[],
  locals: ReadonlySet<string>,
  filters: ReadonlySet<string>,
): Pipeline | undefined {
  const [head = [], ...rest] = splitAt(tokens, '|');
  const path = constantPath(head, locals);
  if (path === undefined) return undefined;
  const calls: Call[] = [];
  for (const part of rest) {
    const call = callOf(
      part.filter(({ kind }) => kind !== 'space'),
      locals,
      filters,
    );
    if (call === undefined) return undefined;
    calls.push(call);
  }
  return { path, calls };
}

function callOf(
  [name, open, ...rest]: readonly Token[],
  locals: ReadonlySet<string>,
  filters: ReadonlySet<string>,
): Call | undefined {
  if (name?.kind !== 'name' || !filters.has(name.text)) return undefined;
  const call = { filter: name.text, positional: [] as Argument[], named: new Map<string, Argument>() };
  if (open === undefined) return call;
  if (open.text !== '(' || rest.at(-1)?.text !== ')') return undefined;
  const inner = rest.slice(0, -1);
  for (const part of inner.length === 0 ? [] : splitAt(inner, ',')) {
    const [first, equals, ...value] = part;
    const isNamed = first?.kind === 'name' && equals?.text === '=';
    const argument = argumentOf(isNamed ? value : part, locals);
    if (argument === undefined) return undefined;
    if (isNamed) call.named.set(first.text, argument);
    else call.positional.push(argument);
  }
  return call;
}

/** Jinja2 takes these in lower case, too. */
const PYTHON_WORDS: ReadonlyMap<string, string> = new Map([
  ['true', 'True'],
  ['false', 'False'],
  ['none', 'None'],
]);

function argumentOf(tokens: readonly Token[], locals: ReadonlySet<string>): Argument | undefined {
  const source = tokens.map(({ text }) => PYTHON_WORDS.get(text) ?? text).join(' ');
  const literal = parsePythonLiteral(source);
  if (literal !== undefined) return { value: fromRaw(literal.value) };
  const path = constantPath(tokens, locals);
  return path === undefined ? undefined : { path };
}

/** Where variables are looked up; see the engine's scope. */
interface Variables {
  lookUp(path: readonly (string | number)[]): Value;
}

/** What a pipeline comes to; what was computed from a secret is one. @throws as the scope and the filters do */
export function valueOfPipeline({ path, calls }: Pipeline, scope: Variables): Value {
  const start = scope.lookUp(path);
  if (calls.length === 0) return start;
  let origin = originOf(start);
  const read = (argument: Argument): PythonValue => {
    if ('value' in argument) return argument.value;
    const value = scope.lookUp(argument.path);
    if (origin !== 'value') origin = originOf(value) ?? origin;
    return reveal(value);
  };
  let value = reveal(start);
  for (const { filter, positional, named } of calls) {
    const options = Object.fromEntries([...named].map(([name, argument]) => [name, read(argument)]));
    const given = [...positional.map(read), ...(named.size > 0 ? [options] : [])];
    try {
      value = applyFilter(filter, value, given);
    } catch (error) {
      throw origin === undefined ? error : unshownError();
    }
  }
  return sealed(value, origin);
}
