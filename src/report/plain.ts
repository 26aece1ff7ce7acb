import { counted } from '../model/counted.js';
import type { Event } from '../model/events.js';
import { renderPlan } from './plan-text.js';
import type { Reporter } from './reporter.js';
import { createRunLog } from './run-log.js';
import { createStyle } from './style.js';
import { printable } from './terminal-text.js';
import { briefReason, duration, gateOpened, nameHosts } from './wording.js';

const PLAIN = createStyle({ colour: false });

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** What an event says in one line, without time and host; nothing for those that only a live display shows. */
function lineOf(event: Event): string | undefined {
  switch (event.type) {
    case 'run-started':
      return `${event.command} ${event.inventory}: ${counted(event.hosts.length, 'host')}`;
    case 'play-started':
      return `play ${event.play}: ${nameHosts(event.hosts)}`;
    case 'batch-started':
      return `batch: ${nameHosts(event.hosts)}`;
    case 'gate-waiting':
      return `gate ${event.gate}: waiting: ${event.reason}`;
    case 'gate-opened':
      return `gate ${event.gate}: ${gateOpened(event.waitedMs, event.note)}`;
    case 'change-done':
      return `${event.summary} … ok (${duration(event.elapsedMs)})`;
    case 'rolled-back':
      return `rolled back: ${event.summary}`;
    case 'notice':
      return event.message;
    case 'change-failed':
      return `${event.summary} … FAILED: ${briefReason(event.message, event.host, event.summary)}`;
    default:
      return undefined;
  }
}

/** Tells which events say nothing new: a gate's reason that was shown, a batch that is the whole play. */
function createRepetitionFilter(): (event: Event) => boolean {
  const reasons = new Map<string, string>();
  let playHosts = '';
  return (event) => {
    if (event.type === 'play-started') playHosts = event.hosts.join();
    if (event.type === 'batch-started') return event.hosts.join() === playHosts;
    if (event.type === 'gate-opened') reasons.delete(event.gate);
    if (event.type !== 'gate-waiting') return false;
    const repeated = reasons.get(event.gate) === event.reason;
    reasons.set(event.gate, event.reason);
    return repeated;
  };
}

/**
 * For a pipe or a log: one line an event, with the time and the host; the plan when it is decided; the failures at the
 * end.
 * @param write takes whole lines, with their newlines
 */
export function createPlainReporter(write: (text: string) => void, now: () => Date): Reporter {
  const log = createRunLog();
  const isRepeated = createRepetitionFilter();
  let hostWidth = 0;
  return {
    sink(event) {
      log.note(event);
      if (event.type === 'run-started') hostWidth = Math.max(0, ...event.hosts.map((host) => host.length));
      if (event.type === 'planned') write(`\n${renderPlan(event.plan, { colour: false })}\n`);
      const text = isRepeated(event) ? undefined : lineOf(event);
      if (text === undefined) return;
      const host = 'host' in event && event.host !== undefined ? `${event.host.padEnd(hostWidth)}  ` : '';
      // Only our own notices are meant to have lines; of others, a line break must not make lines that pose as ours.
      const [line = '', ...more] = event.type === 'notice' ? text.split('\n') : [text];
      write(
        [`${clock(now())} ${host}${printable(line)}`, ...more.map((each) => `  ${printable(each)}`), ''].join('\n'),
      );
    },
    settled: () => Promise.resolve(),
    close() {
      const ending = log.ending(PLAIN);
      if (ending.length > 0) write(`${ending.join('\n')}\n`);
      return Promise.resolve();
    },
  };
}
