import { fit } from '../terminal-text.js';
import type { Box, Column, Drawing, Link } from './drawing.js';
import { markup, type Markup } from './markup.js';

/** In units of the drawing, which are pixels where there is room. */
const BOX = { width: 186, height: 46, gap: 14 } as const;
const COLUMN = { width: BOX.width + 56, title: 28 } as const;
/** Characters of a box's line: 12 px of a sans-serif font are about 6.5 px a character. */
const CHARACTERS = 27;

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly box: Box;
}

/** A drawing as inline SVG, coloured by the page's classes. @param title for those who don't see it */
export function pictureSvg(drawing: Drawing, title: string): Markup {
  const placed = new Map(drawing.columns.flatMap(placeColumn(drawing)).map((each) => [each.box.id, each]));
  const width = drawing.columns.length * COLUMN.width - (COLUMN.width - BOX.width) + 2;
  const height = heightOf(drawing);
  const titles = drawing.columns.map(
    (column, index) =>
      markup`<text class="column" x="${index * COLUMN.width + 1 + BOX.width / 2}" y="14">${fit(column.title, CHARACTERS)}</text>`,
  );
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
${drawing.links.map((link) => lineOf(link, placed))}${titles}${[...placed.values()].map(boxOf)}
</svg>`;
}

function heightOf({ columns }: Drawing): number {
  const most = Math.max(1, ...columns.map(({ boxes }) => boxes.length));
  return COLUMN.title + most * (BOX.height + BOX.gap) - BOX.gap + 2;
}

/** Each column is centred. */
function placeColumn(drawing: Drawing): (column: Column, index: number) => readonly Placed[] {
  const height = heightOf(drawing) - COLUMN.title;
  return ({ boxes }, index) => {
    const own = boxes.length * (BOX.height + BOX.gap) - BOX.gap;
    const top = COLUMN.title + (height - own) / 2;
    return boxes.map((box, row) => ({ box, x: index * COLUMN.width + 1, y: top + row * (BOX.height + BOX.gap) }));
  };
}

function boxOf({ x, y, box }: Placed): Markup {
  const middle = x + BOX.width / 2;
  const detail = markup`<text class="detail" x="${middle}" y="${y + 36}">${fit(box.detail, CHARACTERS)}</text>`;
  return markup`<g class="box ${box.tone}"><title>${box.title}: ${box.detail}</title><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text class="title" x="${middle}" y="${y + 19}">${fit(box.title, CHARACTERS)}</text>${box.detail === '' ? undefined : detail}</g>`;
}

/** From the right side of one box to the left side of the other. */
function lineOf({ from, to, kind }: Link, placed: ReadonlyMap<string, Placed>): Markup {
  const [start, end] = [placed.get(from), placed.get(to)];
  if (start === undefined || end === undefined) return markup``;
  const [x1, y1] = [start.x + BOX.width, start.y + BOX.height / 2];
  const [x2, y2] = [end.x, end.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return markup`<path class="link ${kind}" d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}"/>`;
}
