import { visibleText } from '../terminal-text.js';

/** HTML, SVG or XML. Only {@link markup} makes it, so that a text of others is never in it but as text. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: a text, which is escaped; markup, which is not; several; or nothing. */
export type Part = string | number | Markup | undefined | readonly Part[];

/** A template of HTML, SVG or XML 1.0. Valid for any text, in elements and in quoted attributes. */
export function markup(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: texts.map((text, index) => `${text}${render(parts[index])}`).join('') };
}

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escapeMarkup(part);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML 1.0 (section 2.2) has not, beside the controls that are made visible: half pairs, U+FFFE, U+FFFF. */
const NOT_IN_XML = /\p{Surrogate}|[\uFFFE\uFFFF]/gu;

function escapeMarkup(text: string): string {
  return visibleText(text)
    .replaceAll(NOT_IN_XML, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
