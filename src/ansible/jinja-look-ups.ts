import type { ExactValues } from './exact-values.js';
import { valueOfPipeline, type Pipeline } from './jinja-pipeline.js';
import { asPiece } from './jinja-sites.js';
import { OR_EMPTY, VIEWS, type View } from './jinja-views.js';
import { toEngine } from './json-values.js';
import { markedText, originOf, reveal, type SecretOrigin, type Value } from './sealed.js';
import { TemplateError, unshownError } from './template-error.js';

/** A lookup reads files, environments and programs of whatever machine plans. */
const NO_LOOKUP =
  'lookups are not run: write the value in the inventory, in group_vars/ or in host_vars/, a secret with ansible-vault';

/** What a template may look up. */
export interface Scope {
  /**
   * The value at a path: a variable, then keys and indexes.
   * @throws Error of any kind; see {@link TemplateEngine.isUndefined}
   */
  lookUp(path: readonly (string | number)[]): Value;
}

/** One evaluation, and what it has met. */
export interface Frame {
  readonly scope: Scope;
  readonly isUndefined: (error: unknown) => boolean;
  failure: { readonly error: unknown } | undefined;
  /** The sites that have read a secret, and where that is from. */
  readonly reads: Map<number, SecretOrigin>;
  readonly pipelines: readonly Pipeline[];
  /** Filters of ours cannot be handed long integers by minijinja: a source that tries is given them as texts. */
  exact: ExactValues;
}

/** The functions that rewritten sources call. They never throw: an exception would tear down the WASM instance. */
export function lookUpFunctions(frame: Frame): object {
  /** @param ifMissing what a missing variable is; undefined where it is an error */
  const attempt = (site: unknown, ifMissing: object | undefined, read: () => readonly [Value, object]): object => {
    // Once a variable was missing, what follows is not the user's fault: the first failure is the one to tell.
    if (frame.failure !== undefined) return {};
    try {
      const [value, result] = read();
      const origin = originOf(value);
      if (origin !== undefined && frame.reads.get(Number(site)) !== 'value') frame.reads.set(Number(site), origin);
      return result;
    } catch (error) {
      if (ifMissing === undefined || !frame.isUndefined(error)) frame.failure = { error };
      return ifMissing ?? {};
    }
  };
  /** @param isComputed whether keys are values, which an error would show */
  const read = (isComputed: unknown, steps: readonly unknown[], view: View = '__get'): readonly [Value, object] => {
    const path = steps.map((step) => (typeof step === 'number' ? step : String(step)));
    try {
      const value = frame.scope.lookUp(path);
      const seen = VIEWS[view](reveal(value));
      if (seen === undefined) throw new TemplateError('wrong', `'${path.join('.')}' is no mapping`);
      return [value, { v: toEngine(seen, frame.exact.longs), k: frame.exact.idOf([view, ...path], seen) }];
    } catch (error) {
      if (isComputed !== true || frame.reads.size === 0) throw error;
      throw frame.isUndefined(error) ? new TemplateError('undefined', `'${path[0]}' has no such key`) : unshownError();
    }
  };
  const look =
    (view: View, ifMissing?: object) =>
    (site: unknown, isComputed: unknown, ...path: unknown[]): object =>
      attempt(site, ifMissing, () => read(isComputed, path, view));
  const looks = (Object.keys(VIEWS) as View[]).flatMap((view) => [
    [view, look(view)] as const,
    [`${view}${OR_EMPTY}`, look(view, { v: toEngine(VIEWS[view]({}) ?? null), k: '' })] as const,
  ]);
  const refuse = (): object => {
    frame.failure ??= { error: new TemplateError('wrong', NO_LOOKUP) };
    return {};
  };
  return {
    ...Object.fromEntries(looks),
    ...{ lookup: refuse, query: refuse, q: refuse },
    __opt: look('__get', { k: '' }),
    __none: look('__get', { v: null, k: '' }),
    __piece: (site: unknown, number: unknown) =>
      attempt(site, undefined, () => {
        const pipeline = frame.pipelines[Number(number)];
        const value = pipeline === undefined ? null : valueOfPipeline(pipeline, frame.scope);
        return [value, { v: asPiece(markedText(value)) }];
      }),
  };
}
