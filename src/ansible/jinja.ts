import { setFlagsFromString } from 'node:v8';
import type { Environment as MiniJinja } from 'minijinja-js';
import { ProvisionError } from '../model/errors.js';
import type { Json, JsonObject } from '../model/json.js';
import { MarkedText } from '../model/marked-text.js';
import { createBounded, type Bounded } from './bounded.js';
import { addAnsibleFilters } from './jinja-filters.js';
import { asPiece, compileExpression, compileTemplate, readMarks } from './jinja-sites.js';
import { constantPath, isTemplate, soleExpression, tokenize } from './jinja-source.js';
import { parsePythonLiteral } from './python-literal.js';
import { toJson } from './json-values.js';
import { fromMarkedText, markedText, originOf, reveal, Sealed, type SecretOrigin, type Value } from './sealed.js';
import { TemplateError } from './template-error.js';

/** Steps that one template may take: enough for any configuration file, and an end to a runaway loop. */
const FUEL = 2_000_000;

/** Memory of the engine in pages of 64 KiB: 128 MiB, far from what a host or a variable could make it grow to. */
const MAX_PAGES = 2048;

/** Characters of a rendered text. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** More places than a template has. */
const ANY_SITE = 10_000;

/** Variables that refer to variables that refer …: deeper than this is a circle that was not seen as one. */
const MAX_DEPTH = 50;

/** What a template may look up. */
export interface Scope {
  /**
   * The value at a path: a variable, then keys and indexes.
   * @throws Error of any kind; see {@link TemplateEngine.isUndefined}
   */
  lookUp(path: readonly (string | number)[]): Value;
}

/** Renders Jinja2 the way Ansible does, synchronously. */
export interface TemplateEngine {
  /** A template as text; what was computed from a secret is one. @throws TemplateError, or what the scope threw */
  render(source: string, scope: Scope): MarkedText;
  /** A variable's value: a lone `{{ … }}` keeps its type. @throws as {@link TemplateEngine.render} */
  value(source: string, scope: Scope): Value;
  /** An expression as a truth value. @throws as {@link TemplateEngine.render} */
  test(expression: string, scope: Scope): boolean;
}

interface Frame {
  readonly scope: Scope;
  readonly isUndefined: (error: unknown) => boolean;
  failure: { readonly error: unknown } | undefined;
  /** The sites that have read a secret, and where that is from. */
  readonly reads: Map<number, SecretOrigin>;
}

/** What minijinja made of a source, and which of its sites have read a secret. */
interface Evaluated<T> {
  readonly result: T;
  readonly reads: ReadonlyMap<number, SecretOrigin>;
}

/** Runs minijinja with a scope. */
type Evaluate = <T>(scope: Scope, run: (environment: MiniJinja, context: object) => T) => Evaluated<T>;

/**
 * Loads minijinja (WASM) and makes an engine.
 * @param isUndefined tells which errors of a scope mean "there is no such variable"
 */
export async function createTemplateEngine(isUndefined: (error: unknown) => boolean): Promise<TemplateEngine> {
  setFlagsFromString(`--wasm-max-mem-pages=${MAX_PAGES}`);
  const { Environment } = await import('minijinja-js');
  const evaluate = createEvaluator(Environment, isUndefined);
  const expressionOf = memoize(compileExpression);
  const templateOf = memoize(compileTemplate);
  const pathOf = memoize((source) => ({ path: constantPath(tokenize(source), new Set()) }));

  function expression(source: string, scope: Scope): Value {
    const { path } = pathOf(source);
    // Just a variable: it keeps its type and its marks, and needs no engine.
    if (path !== undefined) return scope.lookUp(path);
    const text = expressionOf(source);
    // minijinja hands out None and undefined alike.
    const both = `[(${text}) is defined, (${text})]`;
    const { result, reads } = evaluate(scope, (jinja, context) => jinja.evalExpr(both, context) as [boolean, unknown]);
    const [defined, value] = result;
    if (!defined) throw new TemplateError('undefined', `'${source}' is undefined`);
    return sealed(toJson(value), worstOf(reads));
  }

  function render(source: string, scope: Scope): { readonly text: MarkedText; readonly origin: SecretOrigin } {
    if (!isTemplate(source)) return { text: new MarkedText([source]), origin: 'file' };
    const template = templateOf(source);
    const { result, reads } = evaluate(scope, (jinja, context) => jinja.renderStr(template.text, context));
    if (result.length > MAX_LENGTH) throw new TemplateError('wrong', `gives more than ${MAX_LENGTH} characters`);
    return { text: readMarks(template, result, reads.keys()), origin: worstOf(reads) ?? 'file' };
  }

  function value(source: string, scope: Scope): Value {
    if (!isTemplate(source)) return source;
    const sole = soleExpression(source);
    if (sole !== undefined && source.trim() === source) return expression(sole, scope);
    const { text: marked, origin } = render(source, scope);
    const text = marked.reveal();
    // ansible/template/native_helpers.py, ansible_eval_concat: a text that looks like a list or dict becomes one.
    const literal = /^[[{]/.test(text) || text === 'True' || text === 'False' ? parsePythonLiteral(text) : undefined;
    if (literal === undefined) return fromMarkedText(marked, origin);
    return sealed(toJson(literal.value), marked.isSecret ? origin : undefined);
  }

  function test(source: string, scope: Scope): boolean {
    const bare = truthOfText(source, (name) => reveal(expression(name, scope)));
    if (bare !== undefined) return bare;
    const text = `true if (${expressionOf(source)}) else false`;
    // The outcome of a condition is public.
    return evaluate(scope, (jinja, context) => jinja.evalExpr(text, context) as boolean).result;
  }

  return { render: (source, scope) => render(source, scope).text, value, test };
}

/** A truth value tells no more than the outcome of a condition. */
function sealed(value: Json, origin: SecretOrigin | undefined): Value {
  return origin === undefined || value === null || typeof value === 'boolean' ? value : new Sealed(value, origin);
}

function worstOf(reads: ReadonlyMap<number, SecretOrigin>): SecretOrigin | undefined {
  const origins = [...reads.values()];
  return origins.includes('value') ? 'value' : origins[0];
}

function memoize<T extends string | object>(work: (source: string) => T): (source: string) => T {
  const known = new Map<string, T>();
  return (source) => {
    const result = known.get(source) ?? work(source);
    known.set(source, result);
    return result;
  };
}

/** An environment cannot be entered again while it runs, so each level of variables in variables has its own. */
function createEvaluator(Environment: new () => MiniJinja, isUndefined: (error: unknown) => boolean): Evaluate {
  const frames: Frame[] = [];
  const environments: (MiniJinja | undefined)[] = [];
  const bounded: Bounded = createBounded();
  return (scope, run) => {
    const depth = frames.length;
    if (depth >= MAX_DEPTH)
      throw new TemplateError('wrong', `variables refer to each other more than ${MAX_DEPTH} deep`);
    const environment = (environments[depth] ??= newEnvironment(Environment, frames));
    const frame: Frame = { scope, isUndefined, failure: undefined, reads: new Map() };
    frames.push(frame);
    try {
      const work = (): ReturnType<typeof run> => run(environment, lookUpFunctions(frame));
      // What is evaluated within another template is within its time.
      const result = depth === 0 ? bounded.run(work) : work();
      throwFailure(frame);
      return { result, reads: frame.reads };
    } catch (error) {
      // A WASM trap leaves the environment unusable.
      if (isTrap(error)) environments[depth] = undefined;
      throwFailure(frame);
      throw translate(error, frame);
    } finally {
      frames.pop();
    }
  };
}

/** What went wrong inside a call back is the cause of all that went wrong after it. */
function throwFailure(frame: Frame): void {
  if (frame.failure !== undefined) throw frame.failure.error;
}

/** `when: name` of a text "false" is false, as Ansible evaluates the text again; undefined for all other conditions. */
function truthOfText(source: string, read: (name: string) => Json): boolean | undefined {
  if (!/^\s*[A-Za-z_]\w*\s*$/.test(source)) return undefined;
  const value = read(source.trim());
  if (typeof value !== 'string') return undefined;
  if (/^(?:false|no|off|0|)$/i.test(value)) return false;
  return /^(?:true|yes|on|1)$/i.test(value) ? true : undefined;
}

function newEnvironment(Environment: new () => MiniJinja, frames: readonly Frame[]): MiniJinja {
  const environment = new Environment();
  environment.undefinedBehavior = 'strict';
  environment.fuel = FUEL;
  environment.trimBlocks = true;
  environment.keepTrailingNewline = true;
  environment.enablePyCompat();
  const fail = (error: unknown): void => {
    const frame = frames.at(-1);
    if (frame !== undefined) frame.failure ??= { error: translate(error, frame) };
  };
  addAnsibleFilters(environment, fail, (path) => {
    const frame = frames.at(-1);
    const value = frame?.scope.lookUp(path) ?? null;
    const origin = originOf(value);
    // A filter does not know on whose behalf it works: all that is printed counts as secret.
    if (origin !== undefined) for (let site = 0; site < ANY_SITE; site += 1) frame?.reads.set(site, origin);
    return reveal(value);
  });
  return environment;
}

/** The functions that rewritten sources call. They never throw: an exception would tear down the WASM instance. */
function lookUpFunctions(frame: Frame): object {
  const call = (path: readonly unknown[], optional: 'optional' | 'needed', as: (value: Value) => Json): JsonObject => {
    // Once a variable was missing, what follows is not the user's fault: the first failure is the one to tell.
    if (frame.failure !== undefined) return {};
    try {
      const [site, ...steps] = path;
      const value = frame.scope.lookUp(steps.map((step) => (typeof step === 'number' ? step : String(step))));
      const origin = originOf(value);
      if (origin !== undefined && frame.reads.get(Number(site)) !== 'value') frame.reads.set(Number(site), origin);
      return { v: as(value) };
    } catch (error) {
      if (optional === 'needed' || !frame.isUndefined(error)) frame.failure = { error };
      return {};
    }
  };
  return {
    __get: (...path: unknown[]) => call(path, 'needed', reveal),
    __opt: (...path: unknown[]) => call(path, 'optional', reveal),
    __piece: (...path: unknown[]) => call(path, 'needed', (value) => asPiece(markedText(value))),
  };
}

/** minijinja's own error in the words of an inventory: first line, without the name of the unnamed template. */
function translate(error: unknown, { reads }: Frame): unknown {
  if (error instanceof TemplateError) return error.kind === 'undefined' || reads.size === 0 ? error : unshown();
  if (error instanceof ProvisionError || !(error instanceof Error)) return error;
  if (isTrap(error)) return new TemplateError('wrong', 'the template engine gave up on this template');
  // What an engine says of a value may be the value.
  if (reads.size > 0) return unshown();
  const message = (error.message.split('\n')[0] ?? '')
    .replace(/ \(in <\w+>:(\d+)\)/, (_, line: string) => (line === '1' ? '' : ` (line ${line} of the template)`))
    .replace(/^unknown (filter|test|function): \w+ (\S+) is unknown/, "unknown $1 '$2'");
  return new TemplateError(message.startsWith('undefined value') ? 'undefined' : 'wrong', message);
}

function unshown(): TemplateError {
  return new TemplateError('wrong', 'fails, and reads a secret: the reason is not shown');
}

/** A WebAssembly.RuntimeError, which Node's types do not name. */
function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}
