import type { RowEnd, Screen, Terminal } from './screen.js';
import { mark, markLine } from './style.js';
import { fit, fitWithTime } from './terminal-text.js';
import { duration } from './wording.js';
import { wrapText } from './wrap-text.js';

/** Drawn at most this often: more is not seen, and costs CPU that the connections need. */
const MIN_INTERVAL_MS = 100;
/** How often the running times go on while nothing else happens. */
const TICK_MS = 1000;
/** So that the moving part leaves most of the screen to what was kept. */
const MAX_ROWS = 12;

interface Row {
  doing: string;
  since: number;
  end: RowEnd | undefined;
}

interface Section {
  readonly title: string;
  readonly began: number;
  readonly rows: Map<string, Row>;
}

function countEnds(section: Section, end: RowEnd): number {
  return [...section.rows.values()].filter((row) => row.end === end).length;
}

function activeLines(section: Section, now: number, columns: number): string[] {
  const active = [...section.rows].filter(([, row]) => row.end === undefined && row.doing !== '');
  return active.map(([name, row]) => {
    const seconds = Math.floor((now - row.since) / 1000);
    return fitWithTime(`  ${name}  ${row.doing}`, seconds > 0 ? duration(seconds * 1000) : '', columns);
  });
}

/** The moving part: a headline with a count, and the rows at work. */
function blockLines(section: Section, terminal: Terminal): string[] {
  const { columns, rows } = terminal.size();
  const room = Math.max(1, Math.min(MAX_ROWS, rows - 5));
  const active = activeLines(section, terminal.now().getTime(), columns - 1);
  const shown = active.length > room ? active.slice(0, room - 1) : active;
  const more = active.length > shown.length ? [`  … and ${active.length - shown.length} more`] : [];
  const ended = countEnds(section, 'done') + countEnds(section, 'failed');
  const headline = section.title === '' ? [] : [`${section.title}: ${ended} of ${section.rows.size}`];
  const whole = terminal.progress();
  return [...(whole === '' ? [] : [whole]), ...headline, ...shown, ...more].map((line) => fit(line, columns - 1));
}

function endLines(section: Section, terminal: Terminal): string[] {
  return section.title === '' ? [] : [endLine(section, terminal)];
}

function endLine(section: Section, terminal: Terminal): string {
  const { style } = terminal;
  const failed = countEnds(section, 'failed');
  const took = duration(terminal.now().getTime() - section.began);
  if (failed === 0) return `${mark('✔', style)} ${section.title} in ${took}`;
  return `${mark('✖', style)} ${section.title}: ${failed} of ${section.rows.size} failed in ${took}`;
}

/** The part of the terminal that is drawn over: the cursor stands below its last line. */
function createBlock(terminal: Terminal): (kept: readonly string[], block: readonly string[]) => void {
  let height = 0;
  return (kept, block) => {
    const back = height > 0 ? `\u001b[${height}A\r\u001b[J` : '';
    const lines = [...kept, ...block];
    height = block.length;
    if (back || lines.length > 0) terminal.write(`${back}${lines.map((line) => `${line}\n`).join('')}`);
  };
}

/**
 * A {@link Screen} for many hosts: what happened scrolls by, and below it a few lines say what is being done. It costs
 * next to no CPU, however many hosts there are.
 */
export function createLightScreen(terminal: Terminal): Screen {
  const draw = createBlock(terminal);
  let section: Section | undefined;
  let kept: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  function paint(): void {
    clearTimeout(timer);
    timer = undefined;
    draw(kept, section ? blockLines(section, terminal) : []);
    kept = [];
    if (section) timer = setTimeout(paint, TICK_MS).unref();
  }

  let soon = false;
  function paintSoon(): void {
    if (soon) return;
    soon = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      soon = false;
      paint();
    }, MIN_INTERVAL_MS).unref();
  }

  function paintNow(): void {
    soon = false;
    paint();
  }

  return {
    open(title, rows) {
      const began = terminal.now().getTime();
      section = { title, began, rows: new Map(rows.map((row) => [row, { doing: '', since: began, end: undefined }])) };
      paintSoon();
    },
    show(row, doing) {
      section?.rows.set(row, { doing, since: terminal.now().getTime(), end: undefined });
      paintSoon();
    },
    keep(row, line) {
      kept.push(`  ${terminal.style.bold(row)}  ${markLine(line, terminal.style)}`);
      paintSoon();
    },
    finish(row, end, remark) {
      if (remark !== undefined) kept.push(`${mark(end === 'done' ? '✔' : '✖', terminal.style)} ${row}  ${remark}`);
      section?.rows.set(row, { doing: '', since: 0, end });
      paintSoon();
    },
    shut() {
      if (section) kept.push(...endLines(section, terminal));
      section = undefined;
      paintNow();
    },
    print(text) {
      kept.push(...wrapText(text, terminal.size().columns).split('\n'));
      paintNow();
    },
    settled() {
      paintNow();
      return Promise.resolve();
    },
  };
}
