import { Listr, ListrLogger, ProcessOutput, type ListrTask } from 'listr2';
import type { RowEnd, Screen, Terminal } from './screen.js';
import { fit } from './terminal-text.js';
import { duration } from './wording.js';

/** The part of Listr's task that a row needs. */
interface TaskView {
  title: string;
  output: string;
}

/** One row, from before Listr has started it until after. */
interface Row {
  readonly name: string;
  doing: string;
  hidden: boolean;
  over: boolean;
  readonly kept: string[];
  view: TaskView | undefined;
  readonly ended: Promise<RowEnd>;
  end(end: RowEnd): void;
}

/**
 * Listr takes stdout and stderr away from the whole process while it draws; an error message written meanwhile would
 * be lost with a crash. Nobody else writes to our terminal, so it need not.
 */
class SharedOutput extends ProcessOutput {
  override hijack(): void {
    this.active = true;
  }

  override release(): void {
    this.active = false;
  }

  /** Listr ends a section of rows that are all gone with an empty line. */
  override toStdout(text: string, newline?: boolean): boolean {
    return text === '' || super.toStdout(text, newline);
  }
}

function createRow(name: string): Row {
  let end: (end: RowEnd) => void = () => undefined;
  const ended = new Promise<RowEnd>((resolve) => {
    end = resolve;
  });
  return { name, doing: '', hidden: false, over: false, kept: [], view: undefined, ended, end };
}

/** A row to which nothing happened leaves the screen: Listr draws no empty title. */
function endRow(row: Row, end: RowEnd, remark = ''): void {
  if (row.over) return;
  row.over = true;
  row.doing = remark;
  row.hidden = end === 'done' && remark === '' && row.kept.length === 0;
  if (row.view) row.view.title = titleOf(row);
  row.end(end);
}

function titleOf({ name, doing, hidden }: Row): string {
  if (hidden) return '';
  return doing === '' ? name : `${name}  ${doing}`;
}

/** A row as a task that Listr draws: it runs until the row's end is known. */
function taskOf(row: Row): ListrTask {
  const rowOptions = { persistentOutput: true, outputBar: Infinity };
  return {
    title: titleOf(row),
    rendererOptions: rowOptions,
    fallbackRendererOptions: rowOptions,
    async task(_context, view) {
      row.view = view;
      view.title = titleOf(row);
      for (const line of row.kept) view.output = line;
      if ((await row.ended) === 'failed') throw new Error(row.name);
    },
  };
}

async function runSection(rows: readonly Row[], stdout: NodeJS.WriteStream): Promise<void> {
  const rendererOptions = {
    logger: new ListrLogger({ useIcons: true, processOutput: new SharedOutput(stdout) }),
    formatOutput: 'truncate',
    showErrorMessage: false,
    collapseSubtasks: false,
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

/**
 * A {@link Screen} drawn by Listr: every host keeps its row, with what was done below it. For a few hosts: it draws all
 * rows anew ten times a second.
 */
export function createListrScreen(terminal: Terminal, stdout: NodeJS.WriteStream): Screen {
  let rows = new Map<string, Row>();
  let began = 0;
  let title = '';
  // Listr draws in its own time: one section after the other, and printed texts between them.
  let drawn: Promise<void> = Promise.resolve();

  function after(work: () => Promise<void> | void): void {
    drawn = drawn.then(work);
  }

  function update(name: string, change: (row: Row) => void): void {
    const row = rows.get(name);
    if (row) change(row);
  }

  function printLater(text: string): void {
    after(() => {
      terminal.write(`${text}\n`);
    });
  }

  return {
    open(name, names) {
      title = name;
      began = terminal.now().getTime();
      rows = new Map(names.map((row) => [row, createRow(row)]));
      const section = [...rows.values()];
      after(() => runSection(section, stdout));
    },
    show(name, doing) {
      update(name, (row) => {
        row.doing = doing;
        if (row.view) row.view.title = titleOf(row);
      });
    },
    keep(name, line) {
      update(name, (row) => {
        row.kept.push(line);
        if (row.view) row.view.output = fit(line, terminal.size().columns - 6);
      });
    },
    finish(name, end, remark) {
      update(name, (row) => {
        endRow(row, end, remark);
      });
    },
    shut() {
      const quiet = [...rows.values()].every(({ kept }) => kept.length === 0);
      for (const row of rows.values()) endRow(row, 'done');
      rows = new Map();
      // Rows that kept something speak for themselves.
      if (quiet && title !== '')
        printLater(terminal.style.dim(`${title} in ${duration(terminal.now().getTime() - began)}`));
    },
    print: printLater,
    settled: () => drawn,
  };
}
