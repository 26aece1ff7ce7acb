import type { Environment as MiniJinja } from 'minijinja-js';
import { ProvisionError } from '../model/errors.js';
import { firstLine } from '../model/first-line.js';
import { createBounded, type Bounded } from './bounded.js';
import { ExactValues } from './exact-values.js';
import { addAnsibleFilters } from './jinja-filters.js';
import { lookUpFunctions, type Frame, type Scope } from './jinja-look-ups.js';
import type { Pipeline } from './jinja-pipeline.js';
import { originOf, reveal, type SecretOrigin } from './sealed.js';
import { TemplateError, unshownError } from './template-error.js';

/** Steps that one template may take: enough for any configuration file, and an end to a runaway loop. */
const FUEL = 2_000_000;

/** More places than a template has. */
const ANY_SITE = 10_000;

/** Variables that refer to variables that refer …: deeper than this is a circle that was not seen as one. */
const MAX_DEPTH = 50;

/** Evaluations of one template while it looks up numbers that it has not looked up before. */
const MAX_TRIES = 3;

/** What minijinja made of a source, and which of its sites have read a secret. */
export interface Evaluated<T> {
  readonly result: T;
  readonly reads: ReadonlyMap<number, SecretOrigin>;
}

/** One try of an evaluation. */
export interface Attempt {
  readonly jinja: MiniJinja;
  readonly context: object;
  /** Stands in front of the source that reads exact values; absent until some were looked up. */
  readonly prelude: string | undefined;
}

/** Runs minijinja with a scope. @param pipelines those that the source has by number */
export type Evaluate = <T>(scope: Scope, pipelines: readonly Pipeline[], run: (attempt: Attempt) => T) => Evaluated<T>;

/** What an evaluator needs. */
export interface EvaluatorOptions {
  readonly Environment: new () => MiniJinja;
  /** Tells which errors of a scope mean "there is no such variable". */
  readonly isUndefined: (error: unknown) => boolean;
  /** How long one template may take. */
  readonly limitMs: number;
}

/** An environment cannot be entered again while it runs, so each level of variables in variables has its own. */
export function createEvaluator({ Environment, isUndefined, limitMs }: EvaluatorOptions): Evaluate {
  const frames: Frame[] = [];
  const environments: (MiniJinja | undefined)[] = [];
  const bounded: Bounded = createBounded(limitMs);
  return (scope, pipelines, run) => {
    const depth = frames.length;
    if (depth >= MAX_DEPTH)
      throw new TemplateError('wrong', `variables refer to each other more than ${MAX_DEPTH} deep`);
    const exact = new ExactValues('number');
    const frame: Frame = { scope, isUndefined, failure: undefined, reads: new Map(), pipelines, exact };
    frames.push(frame);
    try {
      // Within what translates errors: where the memory that all engines share is broken, none is made any more.
      const environment = (environments[depth] ??= newEnvironment(Environment, frames));
      const work = (): ReturnType<typeof run> => runExactly(frame, environment, run);
      // What is evaluated within another template is within its time.
      const result = depth === 0 ? bounded.run(work) : work();
      return { result, reads: frame.reads };
    } catch (error) {
      // A WASM trap leaves the environment unusable; where the stack is full, all of them.
      if (isTrap(error)) environments[depth] = undefined;
      if (isFullStack(error)) bounded.giveUp();
      throwFailure(frame);
      throw translate(error, frame);
    } finally {
      frames.pop();
    }
  };
}

/** Again while numbers turn up that need a literal: a branch may depend on one. */
function runExactly<T>(frame: Frame, jinja: MiniJinja, run: (attempt: Attempt) => T): T {
  for (let tries = 1; ; tries += 1) {
    const known = frame.exact.size;
    const { statement, texts } = frame.exact.prelude();
    const context = { ...lookUpFunctions(frame), __texts: texts };
    try {
      const result = run({ jinja, context, prelude: known > 0 ? statement : undefined });
      throwFailure(frame);
      if (frame.exact.size === known || tries >= MAX_TRIES) return result;
    } catch (error) {
      if (!isTooLong(error) || frame.exact.longs === 'text') throw error;
      frame.exact = new ExactValues('text');
    }
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof Error && error.message.includes("can't be represented as a JavaScript number");
}

/** What went wrong inside a call back is the cause of all that went wrong after it. */
function throwFailure(frame: Frame): void {
  if (frame.failure !== undefined) throw frame.failure.error;
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

/** minijinja's own error in the words of an inventory: first line, without the name of the unnamed template. */
function translate(error: unknown, { reads }: Frame): unknown {
  if (error instanceof TemplateError) return error.kind === 'undefined' || reads.size === 0 ? error : unshownError();
  if (error instanceof ProvisionError || !(error instanceof Error)) return error;
  if (isTrap(error) || isFullStack(error))
    return new TemplateError('wrong', 'the template engine gave up on this template');
  // What an engine says of a value may be the value.
  if (reads.size > 0) return unshownError();
  const message = firstLine(error.message)
    .replace(/ \(in <\w+>:(\d+)\)/, (_, line: string) => (line === '1' ? '' : ` (line ${line} of the template)`))
    .replace(/^unknown (filter|test|function): \w+ (\S+) is unknown/, "unknown $1 '$2'");
  return new TemplateError(message.startsWith('undefined value') ? 'undefined' : 'wrong', message);
}

/** A WebAssembly.RuntimeError, which Node's types do not name. */
function isTrap(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}

function isFullStack(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Maximum call stack size exceeded');
}
