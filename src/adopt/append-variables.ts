import { isMap, isScalar, type Document } from 'yaml';
import { parseBoundedYaml } from '../model/bounded-yaml.js';
import { yamlText } from './yaml-text.js';
import type { NewVariable } from './decide-variables.js';

/** A path and a flag fit; a flood does not. */
const MAX_COMMENT = 500;

/** As Ansible's loader has it, and values are left as texts: only what the file says is compared. */
const AS_ANSIBLE = {
  version: '1.1',
  schema: 'failsafe',
  resolveKnownTags: false,
  uniqueKeys: false,
  merge: false,
} as const;

/**
 * Puts variables at the end of a file of variables; what is there stays as it is, comments included.
 * @param text the file so far; empty for a new one
 * @throws Error when the file is not written in a way that a line can be added to
 */
export function appendVariables(text: string, variables: readonly NewVariable[]): string {
  const before = parse(text);
  const indent = blockIndent(before, text);
  const lines = variables.flatMap(renderVariable).map((line) => indent + line);
  const start = text === '' ? '---\n' : `${text}${text.endsWith('\n') ? '' : '\n'}\n`;
  const after = `${start}${lines.join('\n')}\n`;
  const expected = {
    ...valuesOf(before),
    ...Object.fromEntries(variables.map(({ name, value }) => [name, String(value)])),
  };
  if (JSON.stringify(valuesOf(parse(after))) !== JSON.stringify(expected))
    throw new Error('a line at its end would be read as something else');
  return after;
}

/** What is added: each variable below the places where it was found. */
export function renderVariable({ name, value, found }: NewVariable): readonly string[] {
  return [
    ...found.map((place) => `# ${oneLine(place)}`),
    `${name}: ${typeof value === 'string' ? yamlText(value) : String(value)}`,
  ];
}

/** What a host said, as a comment that ends where its line does. */
function oneLine(place: string): string {
  return place.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD').slice(0, MAX_COMMENT);
}

function parse(text: string): Document.Parsed {
  const document = parseBoundedYaml(text, { ...AS_ANSIBLE, logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message);
  return document;
}

/** Blanks before the keys at the top. */
function blockIndent({ contents }: Document.Parsed, text: string): string {
  if (contents === null || (isScalar(contents) && contents.source === '')) return '';
  if (!isMap(contents) || contents.flow === true) throw new Error('its variables are not one per line');
  const [start] = contents.range;
  return text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
}

function valuesOf(document: Document.Parsed): Readonly<Record<string, unknown>> {
  return (document.toJS() ?? {}) as Readonly<Record<string, unknown>>;
}
