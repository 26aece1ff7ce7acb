import { resolvePlainScalar } from '../ansible/pyyaml-scalar.js';

/** Texts that are in a YAML file as they are, but for those that mean a number, a truth value or a date. */
const PLAIN = /^[A-Za-z0-9/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*$/;

/** Where Jinja2 begins to read: `{{`, `{%`, `{#`. Any brace counts, whatever delimiters someone has configured. */
const BRACE = /[{}]/;

/**
 * A text as a YAML value that reads back as just this text, here and in Ansible. What a template could be made of is
 * `!unsafe`, which no template engine looks at.
 * @throws RangeError for what YAML cannot hold: half of a surrogate pair
 */
export function yamlText(text: string): string {
  if (/\p{Cs}/u.test(text)) throw new RangeError(`${JSON.stringify(text)} is not Unicode text`);
  if (PLAIN.test(text) && resolvePlainScalar(text) === text) return text;
  return `${BRACE.test(text) ? '!unsafe ' : ''}"${Array.from(text, escape).join('')}"`;
}

/** A character between double quotes: what is neither printable nor a blank is escaped, so that no line is folded there. */
function escape(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if (!/[\p{C}\p{Z}]/u.test(char) || char === ' ') return char;
  return `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`;
}
