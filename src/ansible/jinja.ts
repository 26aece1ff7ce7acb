import { setFlagsFromString } from 'node:v8';
import { MarkedText } from '../model/marked-text.js';
import type { PythonValue } from '../model/python-value.js';
import { TEMPLATE_LIMIT_MS } from './bounded.js';
import { FILTER_NAMES } from './jinja-filters.js';
import { createEvaluator, type Attempt } from './jinja-evaluator.js';
import type { Scope } from './jinja-look-ups.js';
import { pipelineOf, valueOfPipeline } from './jinja-pipeline.js';
import { compileExpression, compileTemplate, readMarks } from './jinja-sites.js';
import { isTemplate, soleExpression, tokenize, withOwnBackslashes } from './jinja-tokens.js';
import { parseJson } from './json-values.js';
import { parsePythonLiteral } from './python-literal.js';
import { fromRaw } from './raw-value.js';
import { fromMarkedText, reveal, sealed, type SecretOrigin, type Value } from './sealed.js';
import { TemplateError } from './template-error.js';

/** Memory of the engine in pages of 64 KiB: 128 MiB, far from what a host or a variable could make it grow to. */
const MAX_PAGES = 2048;

/**
 * Bytes of a function that are executed before V8 compiles it again, optimized; 1.8 million by itself. The templates of a run end
 * before that pays: it took a fifth of the time of a plan. What goes on for minutes still gets it.
 */
const TIERING_BUDGET = 1_000_000_000;

/** Characters of a rendered text. */
const MAX_LENGTH = 16 * 1024 * 1024;

/** Renders Jinja2 the way Ansible does, synchronously. */
export interface TemplateEngine {
  /** A template as text; what was computed from a secret is one. @throws TemplateError, or what the scope threw */
  render(source: string, scope: Scope): MarkedText;
  /** A variable's value: a lone `{{ … }}` keeps its type. @throws as {@link TemplateEngine.render} */
  value(source: string, scope: Scope): Value;
  /** An expression as a truth value. @throws as {@link TemplateEngine.render} */
  test(expression: string, scope: Scope): boolean;
}

/**
 * Loads minijinja (WASM) and makes an engine.
 * @param isUndefined tells which errors of a scope mean "there is no such variable"
 * @param limitMs how long one template may take
 */
export async function createTemplateEngine(
  isUndefined: (error: unknown) => boolean,
  limitMs = TEMPLATE_LIMIT_MS,
): Promise<TemplateEngine> {
  setFlagsFromString(`--wasm-max-mem-pages=${MAX_PAGES}`);
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  const { Environment } = await import('minijinja-js');
  const evaluate = createEvaluator({ Environment, isUndefined, limitMs });
  const expressionOf = memoize((source) => ({
    plain: compileExpression(source, 'plain'),
    exact: compileExpression(source, 'exact'),
  }));
  const templateOf = memoize((source) => compileTemplate(source, 'plain'));
  const exactTemplateOf = memoize((source) => compileTemplate(source, 'exact'));
  const pipelineIn = memoize((source) => ({ pipeline: pipelineOf(tokenize(source), new Set(), FILTER_NAMES) }));

  function expression(source: string, scope: Scope): Value {
    const { pipeline } = pipelineIn(source);
    // Just a variable: it keeps its type and its marks, and needs no engine.
    if (pipeline?.calls.length === 0) return scope.lookUp(pipeline.path);
    if (pipeline !== undefined) return evaluate(scope, [], () => valueOfPipeline(pipeline, scope)).result;
    const { result, reads } = evaluate(scope, [], (attempt) => evalExpression(attempt, expressionOf(source), typed));
    const [defined, value] = parseJson(result) as readonly [boolean, PythonValue];
    if (!defined) throw new TemplateError('undefined', `'${source}' is undefined`);
    return sealed(value, worstOf(reads));
  }

  function render(source: string, scope: Scope): { readonly text: MarkedText; readonly origin: SecretOrigin } {
    if (!isTemplate(source)) return { text: new MarkedText([source]), origin: 'file' };
    const template = templateOf(source);
    const { result, reads } = evaluate(scope, template.pipelines, ({ jinja, context, prelude }) =>
      jinja.renderStr(prelude === undefined ? template.text : prelude + exactTemplateOf(source).text, context),
    );
    if (result.length > MAX_LENGTH) throw new TemplateError('wrong', `gives more than ${MAX_LENGTH} characters`);
    return { text: readMarks(template, result, reads.keys()), origin: worstOf(reads) ?? 'file' };
  }

  function value(written: string, scope: Scope): Value {
    if (!isTemplate(written)) return written;
    const source = withOwnBackslashes(written);
    const sole = soleExpression(source);
    if (sole !== undefined && source.trim() === source) return expression(sole, scope);
    const { text: marked, origin } = render(source, scope);
    const text = marked.reveal();
    // ansible/template/native_helpers.py, ansible_eval_concat: a text that looks like a list or dict becomes one.
    const literal = /^[[{]/.test(text) || text === 'True' || text === 'False' ? parsePythonLiteral(text) : undefined;
    if (literal === undefined) return fromMarkedText(marked, origin);
    return sealed(fromRaw(literal.value), marked.isSecret ? origin : undefined);
  }

  function test(source: string, scope: Scope): boolean {
    refuseTextOfFalse(source, (name) => reveal(expression(name, scope)));
    // The outcome of a condition is public.
    return evaluate(scope, [], (attempt) => evalExpression(attempt, expressionOf(source), truth)).result === 'true';
  }

  return { render: (source, scope) => render(source, scope).text, value, test };
}

/** minijinja hands out None and undefined alike, and tells floats from integers only in JSON. */
const typed = (text: string): string => `[(${text}) is defined, (${text})] | tojson`;

const truth = (text: string): string => `"true" if (${text}) else "false"`;

function evalExpression(
  { jinja, context, prelude }: Attempt,
  { plain, exact }: { readonly plain: string; readonly exact: string },
  wrap: (text: string) => string,
): string {
  if (prelude === undefined) return String(jinja.evalExpr(wrap(plain), context));
  return jinja.renderStr(`${prelude}{{ ${wrap(exact)} }}`, context);
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

/**
 * `when: name` of the text "false", as an inventory in INI has it: Ansible takes that for true, and refuses it from 2.19 on.
 * @throws TemplateError
 */
function refuseTextOfFalse(source: string, read: (name: string) => PythonValue): void {
  const name = source.trim();
  if (!/^[A-Za-z_]\w*$/.test(name)) return;
  const value = read(name);
  if (typeof value !== 'string' || !/^(?:false|no|off|0)$/i.test(value)) return;
  const message = `'${name}' is a text that reads as false, which Ansible takes for true: write \`${name} | bool\`, or set it to false in YAML`;
  throw new TemplateError('wrong', message);
}
