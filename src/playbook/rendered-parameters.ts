import { isTemplate, soleExpression } from '../ansible/jinja-tokens.js';
import { OMIT } from '../ansible/omit.js';
import { pythonJson } from '../ansible/python-data.js';
import { parsePythonLiteral } from '../ansible/python-literal.js';
import { pythonText } from '../ansible/python-text.js';
import { fromRaw } from '../ansible/raw-value.js';
import { MarkedText } from '../model/marked-text.js';
import { isList, numberText, type PythonValue, WholeFloat } from '../model/python-value.js';
import { Secret } from '../model/secret.js';

/** A module's parameters, rendered. */
export interface RenderedParameters {
  readonly parameters: unknown;
  /** Of a file, with its secrets marked. */
  readonly content: MarkedText | undefined;
  /** Names of parameters that hold a secret and are shown. */
  readonly secrets: readonly string[];
}

/** Filters whose result stays a text, whatever it looks like (Ansible's STRING_TYPE_FILTERS). */
const KEEPS_TEXT = /\|\s*(?:string|to_json|to_nice_json|to_yaml|to_nice_yaml)\s*(?:\([^()]*\)\s*)?$/;

/**
 * Renders each text in the parameters of a module. As Ansible: what a template makes and looks like a list or mapping is one, and
 * a `content` that is one, or a number or truth value, is written as JSON, as Python writes it; a parameter that is `omit` is left out.
 * @param raw as it is in the playbook
 * @param render gets with each text where it stands in the parameters
 */
export function renderParameters(
  raw: unknown,
  render: (text: string, path: readonly PropertyKey[]) => MarkedText,
): RenderedParameters {
  let content: MarkedText | undefined;
  const secrets = new Set<string>();
  const visit = (value: unknown, path: readonly PropertyKey[]): unknown => {
    if (path.length === 1 && path[0] === 'content') {
      const rendered = contentOf(value, (text) => render(text, path));
      content = rendered?.reveal() === OMIT ? undefined : rendered;
      return rendered?.reveal() ?? value;
    }
    if (typeof value === 'string') {
      const text = render(value, path);
      if (text.isSecret) secrets.add(String(path[0] ?? ''));
      return literalOf(value, text.reveal())?.value ?? text.reveal();
    }
    if (typeof value === 'bigint' || value instanceof WholeFloat) return numberText(value);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return withoutOmitted<unknown, unknown>({ ...value }, (item, key) => visit(item, [...path, key]));
  };
  return { parameters: visit(raw, []), content, secrets: [...secrets] };
}

/** A mapping of what its values become, without those that are `omit`. */
function withoutOmitted<Value, Result>(
  mapping: Readonly<Record<string, Value>>,
  become: (value: Value, key: string) => Result,
): Record<string, Result> {
  const entries = Object.entries(mapping).map(([key, value]) => [key, become(value, key)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== OMIT));
}

/** The list or mapping that a template made. */
function literalOf(source: string, text: string): { readonly value: PythonValue } | undefined {
  if (!isTemplate(source) || !/^[[{]/.test(text)) return undefined;
  if (KEEPS_TEXT.test(soleExpression(source) ?? '')) return undefined;
  const literal = parsePythonLiteral(text);
  return literal === undefined ? undefined : { value: fromRaw(literal.value) };
}

/** The text of a file; undefined where there is none. */
function contentOf(raw: unknown, render: (text: string) => MarkedText): MarkedText | undefined {
  if (typeof raw === 'string') {
    const text = render(raw);
    const literal = literalOf(raw, text.reveal());
    return literal === undefined ? text : markedLike(pythonJson(literal.value), text.isSecret);
  }
  if (raw === null || raw === undefined) return undefined;
  if (typeof raw !== 'object' || raw instanceof WholeFloat) return new MarkedText([pythonText(raw as PythonValue)]);
  let isSecret = false;
  const visit = (value: PythonValue): PythonValue => {
    if (typeof value === 'string') {
      const text = render(value);
      isSecret ||= text.isSecret;
      return literalOf(value, text.reveal())?.value ?? text.reveal();
    }
    if (typeof value !== 'object' || value === null || value instanceof WholeFloat) return value;
    if (isList(value)) return value.map(visit);
    return withoutOmitted(value, visit);
  };
  const json = pythonJson(visit(raw as PythonValue));
  return markedLike(json, isSecret);
}

function markedLike(text: string, isSecret: boolean): MarkedText {
  return new MarkedText([isSecret ? new Secret(text) : text]);
}
