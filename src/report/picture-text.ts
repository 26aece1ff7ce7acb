import type { ClusterPicture } from '../model/cluster-picture.js';
import { drawWhole, type Box } from './page/drawing.js';
import { createStyle, type Style } from './style.js';
import { printable } from './terminal-text.js';
import { nameHosts } from './wording.js';

/**
 * The picture of a cluster in a few lines: who reaches etcd, on which way, from clients to members.
 * @returns lines, with an empty one at the end; nothing where there is nothing in it
 */
export function renderPicture(picture: ClusterPicture, options: { readonly colour: boolean }): string {
  const style = createStyle(options);
  const { columns } = drawWhole(picture);
  const width = Math.max(0, ...columns.map(({ title }) => title.length));
  const lines = columns.map(
    ({ title, boxes }) => `${style.dim(title.padEnd(width))}  ${alike(boxes, style).join('; ')}`,
  );
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}

/** Hosts of which the same is said are named together. */
function alike(boxes: readonly Box[], style: Style): readonly string[] {
  const groups = new Map<string, Box[]>();
  for (const box of boxes) groups.set(box.detail, [...(groups.get(box.detail) ?? []), box]);
  return [...groups].map(([detail, group]) => {
    const names = printable(nameHosts(group.map(({ title }) => title)));
    const said = printable(detail === '' ? names : `${names}: ${detail}`);
    return toned(said, group[0]?.tone ?? 'plain', style);
  });
}

function toned(text: string, tone: Box['tone'], style: Style): string {
  switch (tone) {
    case 'good':
      return style.good(text);
    case 'watch':
      return style.watch(text);
    case 'bad':
      return style.bad(text);
    case 'plain':
      return text;
  }
}
