import type { Environment as MiniJinja } from 'minijinja-js';
import type { Json, JsonObject } from '../model/json.js';
import { addAnsibleFilters } from './jinja-filters.js';
import { isTemplate, rewriteExpression, rewriteTemplate, soleExpression } from './jinja-source.js';
import { parsePythonLiteral } from './python-literal.js';
import { toJson } from './json-values.js';
import { TemplateError } from './template-error.js';

/** Steps that one template may take: enough for any configuration file, and an end to a runaway loop. */
const FUEL = 2_000_000;

/** Variables that refer to variables that refer …: deeper than this is a circle that was not seen as one. */
const MAX_DEPTH = 50;

/** What a template may look up. */
export interface Scope {
  /**
   * The value at a path: a variable, then keys and indexes.
   * @throws Error of any kind; see {@link TemplateEngine.isUndefined}
   */
  lookUp(path: readonly (string | number)[]): Json;
}

/** Renders Jinja2 the way Ansible does, synchronously. */
export interface TemplateEngine {
  /** A template as text. @throws TemplateError, or what the scope threw */
  render(source: string, scope: Scope): string;
  /** A variable's value: a lone `{{ … }}` keeps its type. @throws as {@link TemplateEngine.render} */
  value(source: string, scope: Scope): Json;
  /** An expression as a truth value. @throws as {@link TemplateEngine.render} */
  test(expression: string, scope: Scope): boolean;
}

interface Frame {
  readonly scope: Scope;
  readonly isUndefined: (error: unknown) => boolean;
  failure: { readonly error: unknown } | undefined;
}

/** Runs minijinja with a scope. */
type Evaluate = <T>(scope: Scope, run: (environment: MiniJinja, context: object) => T) => T;

/**
 * Loads minijinja (WASM) and makes an engine.
 * @param isUndefined tells which errors of a scope mean "there is no such variable"
 */
export async function createTemplateEngine(isUndefined: (error: unknown) => boolean): Promise<TemplateEngine> {
  const { Environment } = await import('minijinja-js');
  const evaluate = createEvaluator(Environment, isUndefined);
  const expressionOf = memoize(rewriteExpression);
  const templateOf = memoize(rewriteTemplate);

  function expression(source: string, scope: Scope): Json {
    const text = expressionOf(source);
    // minijinja hands out None and undefined alike.
    const both = `[(${text}) is defined, (${text})]`;
    const [defined, value] = evaluate(scope, (jinja, context) => jinja.evalExpr(both, context) as [boolean, unknown]);
    if (!defined) throw new TemplateError('undefined', `'${source}' is undefined`);
    return toJson(value);
  }

  function render(source: string, scope: Scope): string {
    if (!isTemplate(source)) return source;
    const text = templateOf(source);
    return evaluate(scope, (jinja, context) => jinja.renderStr(text, context));
  }

  function value(source: string, scope: Scope): Json {
    if (!isTemplate(source)) return source;
    const sole = soleExpression(source);
    if (sole !== undefined && source.trim() === source) return expression(sole, scope);
    const text = render(source, scope);
    // ansible/template/native_helpers.py, ansible_eval_concat: a text that looks like a list or dict becomes one.
    const literal = /^[[{]/.test(text) || text === 'True' || text === 'False' ? parsePythonLiteral(text) : undefined;
    return literal === undefined ? text : toJson(literal.value);
  }

  function test(source: string, scope: Scope): boolean {
    const bare = truthOfText(source, (name) => expression(name, scope));
    if (bare !== undefined) return bare;
    const text = `true if (${expressionOf(source)}) else false`;
    return evaluate(scope, (jinja, context) => jinja.evalExpr(text, context) as boolean);
  }

  return { render, value, test };
}

function memoize(rewrite: (source: string) => string): (source: string) => string {
  const known = new Map<string, string>();
  return (source) => {
    const text = known.get(source) ?? rewrite(source);
    known.set(source, text);
    return text;
  };
}

/** An environment cannot be entered again while it runs, so each level of variables in variables has its own. */
function createEvaluator(Environment: new () => MiniJinja, isUndefined: (error: unknown) => boolean): Evaluate {
  const frames: Frame[] = [];
  const environments: (MiniJinja | undefined)[] = [];
  return (scope, run) => {
    const depth = frames.length;
    if (depth >= MAX_DEPTH)
      throw new TemplateError('wrong', `variables refer to each other more than ${MAX_DEPTH} deep`);
    const environment = (environments[depth] ??= newEnvironment(Environment, frames));
    const frame: Frame = { scope, isUndefined, failure: undefined };
    frames.push(frame);
    try {
      const result = run(environment, lookUpFunctions(frame));
      throwFailure(frame);
      return result;
    } catch (error) {
      // A WASM trap leaves the environment unusable.
      if (isTrap(error)) environments[depth] = undefined;
      throwFailure(frame);
      throw translate(error);
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
    if (frame !== undefined) frame.failure ??= { error };
  };
  addAnsibleFilters(environment, fail, (path) => frames.at(-1)?.scope.lookUp(path) ?? null);
  return environment;
}

/** The functions that rewritten sources call. They never throw: an exception would tear down the WASM instance. */
function lookUpFunctions(frame: Frame): object {
  const call = (path: readonly unknown[], optional: 'optional' | 'needed'): JsonObject => {
    // Once a variable was missing, what follows is not the user's fault: the first failure is the one to tell.
    if (frame.failure !== undefined) return {};
    try {
      return { v: frame.scope.lookUp(path.map((step) => (typeof step === 'number' ? step : String(step)))) };
    } catch (error) {
      if (optional === 'needed' || !frame.isUndefined(error)) frame.failure = { error };
      return {};
    }
  };
  return {
    __get: (...path: unknown[]) => call(path, 'needed'),
    __opt: (...path: unknown[]) => call(path, 'optional'),
  };
}

/** minijinja's own error in the words of an inventory: first line, without the name of the unnamed template. */
function translate(error: unknown): unknown {
  if (error instanceof TemplateError || !(error instanceof Error)) return error;
  if (isTrap(error)) return new TemplateError('wrong', 'the template engine gave up on this template');
  const message = (error.message.split('\n')[0] ?? '')
    .replace(/ \(in <\w+>:(\d+)\)/, (_, line: string) => (line === '1' ? '' : ` (line ${line} of the template)`))
    .replace(/^unknown (filter|test|function): \w+ (\S+) is unknown/, "unknown $1 '$2'");
  return new TemplateError(message.startsWith('undefined value') ? 'undefined' : 'wrong', message);
}

/** A WebAssembly.RuntimeError, which Node's types do not name. */
function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}
