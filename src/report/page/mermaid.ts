import { printable } from '../terminal-text.js';
import type { Box, Drawing, Link } from './drawing.js';

/** A drawing as Mermaid's flowchart (https://mermaid.js.org/syntax/flowchart.html). @returns lines */
export function mermaidOf({ columns, links }: Drawing): readonly string[] {
  const ids = new Map(columns.flatMap(({ boxes }) => boxes).map(({ id }, index) => [id, `n${index}`]));
  const idOf = (id: string): string => ids.get(id) ?? '';
  return [
    'flowchart LR',
    ...columns.flatMap(({ title, boxes }, index) => [
      `  subgraph g${index} ["${label(title)}"]`,
      ...boxes.map((box) => `    ${idOf(box.id)}["${labelOf(box)}"]`),
      '  end',
    ]),
    ...links.map(({ from, to, kind }) => `  ${idOf(from)} ${ARROWS[kind]} ${idOf(to)}`),
  ];
}

const ARROWS: Readonly<Record<Link['kind'], string>> = { solid: '-->', dashed: '-.->' };

function labelOf({ title, detail }: Box): string {
  return detail === '' ? label(title) : `${label(title)}<br/>${label(detail)}`;
}

/** All that could mean something to Mermaid, to Markdown or to HTML, as an entity code of Mermaid. */
function label(text: string): string {
  return printable(text).replaceAll(/[^\p{L}\p{N} .,:/-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}
