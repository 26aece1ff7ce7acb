import type { DrillMeasurement } from '../model/drill.js';
import type { Event, HostFailureReport, RunCommand } from '../model/events.js';
import { renderDrill } from './drill-text.js';
import { wayToExplain } from './way-to-explain.js';
import type { Style } from './style.js';
import { outputLines, printable } from './terminal-text.js';
import { duration } from './wording.js';

type EventOf<T extends Event['type']> = Extract<Event, { type: T }>;

/** Remembers how a run goes, and tells at its end what failed. */
export interface RunLog {
  note(event: Event): void;
  /** The last lines of the run: which host failed, at which command, with which output; else the figures. */
  ending(style: Style): string[];
}

function failureLines({ host, message }: HostFailureReport, style: Style): string[] {
  const [first = '', ...output] = outputLines(message);
  const subject = host === undefined || first.startsWith(`${host}:`) ? '' : `${style.bold(printable(host))}  `;
  const more = output.map((line) => `      ${line}`);
  return [`  ${subject}${first}`, ...more, ...(more.length === 0 ? [] : [''])];
}

function failedLines(event: EventOf<'run-failed'>, style: Style): string[] {
  return [
    '',
    style.bad(`✖ ${printable(event.message)}`),
    '',
    ...event.failures.flatMap((failure) => failureLines(failure, style)),
    ...[...outputLines(event.hint ?? ''), ...wayToExplain(event.failures.map(({ code }) => code))].map(
      (line) => `  → ${line}`,
    ),
  ];
}

function finishedLine({ result }: EventOf<'run-finished'>, command: RunCommand, style: Style): string {
  const { changed, unchanged, failed, elapsedMs } = result;
  if (command === 'plan') return style.dim(`Planned in ${duration(elapsedMs)}.`);
  if (command === 'drill') return `${style.good('Done:')} everything was restored in ${duration(elapsedMs)}.`;
  const figures = `${failed > 0 ? `${failed} failed, ` : ''}${changed} changed, ${unchanged} unchanged`;
  const word = failed > 0 ? style.bad('Failed:') : style.good('Done:');
  return `${word} ${figures}, in ${duration(elapsedMs)}.`;
}

/** An empty {@link RunLog}. */
export function createRunLog(): RunLog {
  let command: RunCommand = 'apply';
  const measured: DrillMeasurement[] = [];
  let end: EventOf<'run-finished' | 'run-failed'> | undefined;
  return {
    note(event) {
      if (event.type === 'run-started') command = event.command;
      if (event.type === 'drill-measured') measured.push(event);
      if (event.type === 'run-finished' || event.type === 'run-failed') end = event;
    },
    ending(style) {
      const table = measured.length === 0 ? [] : ['', ...renderDrill(measured, style)];
      if (end?.type === 'run-failed') return [...table, ...failedLines(end, style)];
      return end ? [...table, ...(command === 'plan' ? [] : ['']), finishedLine(end, command, style)] : table;
    },
  };
}
