import type { MarkedText } from '../model/marked-text.js';
import { numberText, WholeFloat } from '../model/python-value.js';

/** A module's parameters, rendered. */
export interface RenderedParameters {
  readonly parameters: unknown;
  /** Of a file, with its secrets marked. */
  readonly content: MarkedText | undefined;
  /** Names of parameters that hold a secret and are shown. */
  readonly secrets: readonly string[];
}

/**
 * Renders each text in the parameters of a module.
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
    if (typeof value === 'string') {
      const text = render(value, path);
      if (path[0] === 'content') content = text;
      else if (text.isSecret) secrets.add(String(path[0] ?? ''));
      return text.reveal();
    }
    if (typeof value === 'bigint' || value instanceof WholeFloat) return numberText(value);
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };
  return { parameters: visit(raw, []), content, secrets: [...secrets] };
}
