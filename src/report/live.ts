import type { Event } from '../model/events.js';
import { createLightScreen } from './light-screen.js';
import { createListrScreen } from './listr-screen.js';
import { createLiveDrawing, type LiveDrawing } from './live-drawing.js';
import type { Reporter } from './reporter.js';
import { createRunLog } from './run-log.js';
import { createRunProgress } from './run-progress.js';
import type { Screen } from './screen.js';
import { createStyle } from './style.js';
import { wrapText } from './wrap-text.js';

/** Above this, Listr's drawing costs more CPU than the run itself: it draws every row ten times a second. */
const MAX_LISTR_HOSTS = 15;

/** What a live display needs. */
export interface LiveOptions {
  readonly stdout: NodeJS.WriteStream;
  size(): { readonly columns: number; readonly rows: number };
  now(): Date;
  readonly colour: boolean;
}

/** Shows a run as it goes on a terminal, and leaves a readable log of it there. */
export function createLiveReporter(options: LiveOptions): Reporter {
  const progress = createRunProgress(() => options.now());
  const terminal = {
    ...options,
    progress: () => progress.line(options.now()),
    write(text: string): void {
      options.stdout.write(text);
    },
    style: createStyle(options),
  };
  const log = createRunLog();
  let shown: { readonly screen: Screen; readonly drawing: LiveDrawing } | undefined;
  let isChosen = false;

  function show(screen: Screen): { readonly screen: Screen; readonly drawing: LiveDrawing } {
    return { screen, drawing: createLiveDrawing(screen, terminal) };
  }

  /** Warnings of an inventory come before it is known how many hosts a run has: they are only printed. */
  function choose(event: Event): NonNullable<typeof shown> {
    if (shown !== undefined && (isChosen || event.type === 'notice')) return shown;
    isChosen = event.type !== 'notice';
    const isFew = isChosen && hostsOf(event) <= MAX_LISTR_HOSTS;
    return show(isFew ? createListrScreen(terminal, options.stdout) : createLightScreen(terminal));
  }

  function hostsOf(event: Event): number {
    return 'hosts' in event ? event.hosts.length : 0;
  }

  return {
    sink(event) {
      log.note(event);
      shown = choose(event);
      shown.drawing.draw(event);
      progress.note(event);
    },
    settled: () => shown?.screen.settled() ?? Promise.resolve(),
    async close() {
      shown?.drawing.shut();
      await shown?.screen.settled();
      const ending = log.ending(terminal.style);
      if (ending.length > 0) terminal.write(`${wrapText(ending.join('\n'), options.size().columns)}\n`);
    },
  };
}
