import { clip, printable, visibleText } from '../terminal-text.js';

/**
 * Markdown as GitHub and GitLab read it. Only {@link gfm} and {@link fenced} make it, so that a text of others is never in it
 * but as code: there is no link, no mention (`@team`), no picture, no HTML and no table in what a host says.
 */
export interface Markdown {
  readonly markdown: string;
}

/** What may stand in a template. A text becomes code. */
export type MarkdownPart = string | number | Markdown | undefined | readonly MarkdownPart[];

/** A template of Markdown: of one line, or of a cell. */
export function gfm(texts: TemplateStringsArray, ...parts: readonly MarkdownPart[]): Markdown {
  return { markdown: texts.map((text, index) => `${text}${render(parts[index])}`).join('') };
}

/** Words and figures of this program, which may be Markdown. */
export function own(words: string): Markdown {
  return { markdown: words };
}

/** Several in one, with this between them. */
export function joined(parts: readonly Markdown[], between: string): Markdown {
  return { markdown: parts.map(({ markdown }) => markdown).join(between) };
}

function render(part: MarkdownPart): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return inlineCode(part);
  if (typeof part === 'number') return String(part);
  return 'markdown' in part ? part.markdown : part.map(render).join('');
}

/** Nobody reads more of one line in a comment. In characters. */
const LONGEST = 300;

/**
 * `<code>`, and in it all that means something to Markdown as character references, which CommonMark (6.2) never takes as
 * structure. Backticks would not do: a table's cell ends at a bar in them, and what follows is no code any more.
 */
function inlineCode(text: string): string {
  const safe = clip(printable(text), LONGEST).replaceAll(NO_WORD, (character) => `&#${character.codePointAt(0) ?? 0};`);
  return `<code>${safe}</code>`;
}

/** Also the dot of `www.`, which would begin a link. */
const NO_WORD = /[^\p{L}\p{N} ,./=-]|(?<=www)\./giu;

/** A block of code, of any text: its fence is longer than any in it. @param info what it is: `diff` */
export function fenced(info: string, lines: readonly string[]): Markdown {
  const text = lines.map(visibleText).join('\n');
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return { markdown: `${fence}${info}\n${text}\n${fence}` };
}

/** A table. @param titles words of this program @param rows each has as many cells as there are titles */
export function table(titles: readonly string[], rows: readonly (readonly Markdown[])[]): Markdown {
  const line = (cells: readonly Markdown[]): string => `| ${joined(cells, ' | ').markdown} |`;
  const head = [titles, titles.map(() => '---')].map((each) => line(each.map(own)));
  return own([...head, ...rows.map(line)].join('\n'));
}

/** What is shown only when someone opens it. */
export function folded(summary: Markdown, inside: Markdown): Markdown {
  return gfm`<details><summary>${summary}</summary>\n\n${inside}\n\n</details>`;
}
