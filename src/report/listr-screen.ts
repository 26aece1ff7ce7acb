import { Listr, ListrLogger, ProcessOutput, Spinner, type ListrTask } from 'listr2';
import type { RowEnd, Screen, Terminal } from './screen.js';
import { mark, markLine, type Style } from './style.js';
import { fitWithTime } from './terminal-text.js';
import { duration } from './wording.js';
import { wrapText } from './wrap-text.js';

/** One row, from before Listr has started it until after. */
interface Row {
  readonly name: string;
  /** Of the terminal, now. */
  columns(): number;
  doing: string;
  /** For how long it has been doing that. */
  seconds: number;
  readonly kept: string[];
  /** What Listr draws. */
  drawn: { title?: string | undefined } | undefined;
  ended: RowEnd | undefined;
  /** Lets Listr end the row. */
  release(): void;
  readonly released: Promise<void>;
}

/**
 * Listr takes stdout and stderr away from the whole process while it draws; an error message written meanwhile would
 * be lost with a crash. No one else writes to our terminal, so it need not.
 */
class SharedOutput extends ProcessOutput {
  readonly #size: Terminal['size'];
  readonly #stdout: NodeJS.WriteStream;

  constructor(stdout: NodeJS.WriteStream, size: Terminal['size']) {
    super(stdout);
    this.#stdout = stdout;
    this.#size = size;
  }

  /** Listr's own copies the fields of a stream: the size would be the one of before, and none where another object stands before the terminal. */
  override get stdout(): NodeJS.WriteStream {
    const size = this.#size;
    return Object.create(this.#stdout, {
      columns: { get: () => size().columns },
      rows: { get: () => size().rows },
    }) as NodeJS.WriteStream;
  }

  override hijack(): void {
    this.active = true;
  }

  override release(): void {
    this.active = false;
  }
}

/** How often the running times go on. */
const TICK_MS = 1000;

/** Turns five times a second: measuring every line for each drawing is what costs Listr's CPU. */
class CalmSpinner extends Spinner {
  override start(draw?: () => void): void {
    super.start(draw, 200);
  }
}

function createRow(name: string, columns: () => number): Row {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { name, columns, doing: '', seconds: 0, kept: [], drawn: undefined, ended: undefined, release, released };
}

function titleOf({ name, doing }: Row): string {
  return [name, doing].filter((text) => text !== '').join('  ');
}

/** Past Listr's own setter, which draws at once: the spinner's next turn is soon enough. */
function setDoing(row: Row, doing: string): void {
  if (row.doing !== doing) row.seconds = 0;
  row.doing = doing;
  if (row.drawn) row.drawn.title = movingTitle(row);
}

/** Listr draws a mark and a blank before a row, and cuts it two columns before the end. */
const LISTR_COLUMNS = 4;

/** As long as it moves, it says for how long. */
function movingTitle(row: Row): string {
  const isLong = row.seconds > 0 && row.doing !== '' && row.ended === undefined;
  return fitWithTime(titleOf(row), isLong ? duration(row.seconds * 1000) : '', row.columns() - LISTR_COLUMNS);
}

/** A second has passed. */
function tick(row: Row): void {
  row.seconds += 1;
  if (row.drawn && row.ended === undefined) row.drawn.title = movingTitle(row);
}

function endRow(row: Row, end: RowEnd, remark = ''): void {
  if (row.ended) return;
  setDoing(row, remark);
  row.ended = end;
  row.release();
}

/** A row as a task that Listr draws until its end is known. */
function taskOf(row: Row): ListrTask {
  return {
    title: titleOf(row),
    async task(_context, view) {
      row.drawn = view.task;
      setDoing(row, row.doing);
      await row.released;
      if (row.ended === 'failed') throw new Error(row.name);
    },
  };
}

/** What stays of a row: nothing, where nothing happened. */
function logOf(row: Row, style: Style): string[] {
  if (row.ended === 'done' && row.doing === '' && row.kept.length === 0) return [];
  const heading = `${mark(row.ended === 'failed' ? '✖' : '✔', style)} ${titleOf(row)}`;
  return [heading, ...row.kept.map((line) => `    ${markLine(line, style)}`)];
}

async function runSection(rows: readonly Row[], terminal: Terminal, stdout: NodeJS.WriteStream): Promise<void> {
  const rendererOptions = {
    logger: new ListrLogger({ useIcons: true, processOutput: new SharedOutput(stdout, () => terminal.size()) }),
    formatOutput: 'truncate',
    showErrorMessage: false,
    // Listr measures every line for every drawing: what happened is printed once, by us, when the section ends.
    clearOutput: true,
    spinner: new CalmSpinner(),
  } as const;
  const listr = new Listr(rows.map(taskOf), {
    concurrent: true,
    exitOnError: false,
    // Listr would end the process before connections are closed and locks given back.
    registerSignalListeners: false,
    renderer: 'default',
    rendererOptions,
    // Whether this is a terminal was decided by the caller, not by looking at process.stdout.
    fallbackRenderer: 'default',
    fallbackRendererOptions: rendererOptions,
  });
  await listr.run();
}

/** Draws rows until each has ended, below a row that says how far the whole run is. */
async function runRows(own: readonly Row[], terminal: Terminal, stdout: NodeJS.WriteStream): Promise<void> {
  const whole = createRow('', () => terminal.size().columns);
  const tell = (): void => {
    setDoing(whole, terminal.progress());
  };
  tell();
  const timer = setInterval(() => {
    own.forEach(tick);
    tell();
  }, TICK_MS).unref();
  const ended = Promise.all(own.map(({ released }) => released)).finally(() => {
    clearInterval(timer);
    endRow(whole, 'done');
  });
  await Promise.all([ended, runSection(whole.doing === '' ? own : [whole, ...own], terminal, stdout)]);
}

/**
 * A {@link Screen} drawn by Listr: every host has its row; when a section ends, what was done on each stays. For a few
 * hosts: it draws and measures all rows for each movement.
 */
export function createListrScreen(terminal: Terminal, stdout: NodeJS.WriteStream): Screen {
  const { style } = terminal;
  let rows = new Map<string, Row>();
  let began = 0;
  let title = '';
  // Listr draws in its own time: one section after the other, and printed texts between them.
  let drawn: Promise<void> = Promise.resolve();

  function update(name: string, change: (row: Row) => void): void {
    const row = rows.get(name);
    if (row) change(row);
  }

  function print(text: string): void {
    drawn = drawn.then(() => {
      terminal.write(`${wrapText(text, terminal.size().columns)}\n`);
    });
  }

  return {
    open(name, names) {
      title = name;
      began = terminal.now().getTime();
      rows = new Map(names.map((row) => [row, createRow(row, () => terminal.size().columns)]));
      const section = [...rows.values()];
      drawn = drawn.then(() => runRows(section, terminal, stdout));
    },
    show(name, doing) {
      update(name, (row) => {
        // Listr draws a row that has ended with a mark: beside that nothing moves, also where its host is looked at once more.
        if (row.ended === undefined) setDoing(row, doing);
      });
    },
    keep(name, line) {
      update(name, (row) => {
        row.kept.push(line);
      });
    },
    finish(name, end, remark) {
      update(name, (row) => {
        endRow(row, end, remark);
      });
    },
    shut() {
      for (const row of rows.values()) endRow(row, 'done');
      const log = [...rows.values()].flatMap((row) => logOf(row, style));
      const took = duration(terminal.now().getTime() - began);
      if (log.length > 0) print(log.join('\n'));
      else if (title !== '') print(`${mark('✔', style)} ${title} in ${took}`);
      rows = new Map();
    },
    print,
    settled: () => drawn,
  };
}
