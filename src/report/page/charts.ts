import { counted } from '../../model/counted.js';
import { fit } from '../terminal-text.js';
import { duration } from '../wording.js';
import type { Span } from './host-timeline.js';
import { markup, type Markup } from './markup.js';
import type { RunReport } from './run-report.js';

/** In units of the drawing. */
const WIDTH = 960;
const LABEL = 190;
const ROW = 24;
const TOP = 22;
/** Characters of a label. */
const CHARACTERS = 28;
/** A span that is shorter than a line is wide is seen all the same. */
const LEAST = 2;
/** Rows of a timeline; nobody reads more of a drawing. */
const MOST_ROWS = 100;
const TICKS = 4;

const CLASSES: Readonly<Record<Span['kind'], string>> = {
  look: 'look',
  done: 'done',
  failed: 'failed',
  interrupted: 'failed',
  gate: 'gate',
  'rolled back': 'undone',
};

/** When what happened on which host: a row a host, and one for the gates. */
export function timelineSvg({ hosts, gates, elapsedMs }: Pick<RunReport, 'hosts' | 'gates' | 'elapsedMs'>): Markup {
  const waits = gates.map(({ gate, fromMs, toMs }): Span => ({ kind: 'gate', label: gate, fromMs, toMs }));
  const shown = [...hosts.slice(0, MOST_ROWS), ...(waits.length === 0 ? [] : [{ host: 'gates', spans: waits }])];
  const height = TOP + shown.length * ROW + 4;
  const scale = (WIDTH - LABEL - 10) / Math.max(1, elapsedMs);
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => (elapsedMs * index) / TICKS);
  const axis = ticks.map((at, index) => {
    const x = LABEL + at * scale;
    const anchor = index === TICKS ? 'end' : 'middle';
    return markup`<line class="axis" x1="${x}" x2="${x}" y1="${TOP - 4}" y2="${height}"/><text class="tick" text-anchor="${anchor}" x="${x}" y="12">${duration(at)}</text>`;
  });
  const rows = shown.map(({ host, spans }, index) => {
    const y = TOP + index * ROW;
    const bars = spans.map(({ kind, label, fromMs, toMs }) => {
      const width = Math.max(LEAST, (toMs - fromMs) * scale);
      return markup`<rect class="bar ${CLASSES[kind]}" x="${LABEL + fromMs * scale}" y="${y + 4}" width="${width}" height="${ROW - 8}"><title>${label}: ${kind}, ${duration(toMs - fromMs)}</title></rect>`;
    });
    return markup`<text class="label" x="0" y="${y + 16}">${fit(host, CHARACTERS)}</text>${bars}`;
  });
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="timeline of ${counted(hosts.length, 'host')}">${axis}${rows}</svg>`;
}

/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as people read it. */
  readonly text: string;
}

/** Values side by side, from zero. @param title for those who don't see it */
export function barsSvg(bars: readonly Bar[], title: string): Markup {
  const height = bars.length * ROW + 4;
  const scale = (WIDTH - LABEL * 2) / Math.max(Number.MIN_VALUE, ...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value, text }, index) => {
    const y = index * ROW;
    const width = Math.max(LEAST, value * scale);
    return markup`<text class="label" x="0" y="${y + 16}">${fit(`${label}: ${text}`, CHARACTERS * 2)}</text><rect class="bar look" x="${LABEL * 2}" y="${y + 4}" width="${width}" height="${ROW - 8}"/>`;
  });
  return markup`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${title}">${rows}</svg>`;
}
