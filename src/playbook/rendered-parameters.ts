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

/** Renders each text in the parameters of a module. @param raw as it is in the playbook */
export function renderParameters(raw: unknown, render: (text: string) => MarkedText): RenderedParameters {
  let content: MarkedText | undefined;
  const secrets = new Set<string>();
  const visit = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') {
      const text = render(value);
      if (name === 'content') content = text;
      else if (text.isSecret) secrets.add(name);
      return text.reveal();
    }
    if (typeof value === 'bigint' || value instanceof WholeFloat) return numberText(value);
    if (Array.isArray(value)) return value.map((item) => visit(item, name));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, name === '' ? key : name)]));
  };
  return { parameters: visit(raw, ''), content, secrets: [...secrets] };
}
