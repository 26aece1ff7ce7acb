import type { Event, HostFailureReport } from '../model/events.js';
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
    ...(event.hint === undefined ? [] : [`  → ${printable(event.hint)}`]),
  ];
}

function finishedLine({ result }: EventOf<'run-finished'>, command: 'plan' | 'apply', style: Style): string {
  const { changed, unchanged, failed, elapsedMs } = result;
  if (command === 'plan') return style.dim(`Planned in ${duration(elapsedMs)}.`);
  const figures = `${failed > 0 ? `${failed} failed, ` : ''}${changed} changed, ${unchanged} unchanged`;
  const word = failed > 0 ? style.bad('Failed:') : style.good('Done:');
  return `${word} ${figures}, in ${duration(elapsedMs)}.`;
}

/** An empty {@link RunLog}. */
export function createRunLog(): RunLog {
  let command: 'plan' | 'apply' = 'apply';
  let end: EventOf<'run-finished' | 'run-failed'> | undefined;
  return {
    note(event) {
      if (event.type === 'run-started') command = event.command;
      if (event.type === 'run-finished' || event.type === 'run-failed') end = event;
    },
    ending(style) {
      if (end?.type === 'run-failed') return failedLines(end, style);
      return end ? [...(command === 'plan' ? [] : ['']), finishedLine(end, command, style)] : [];
    },
  };
}
