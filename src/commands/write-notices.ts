import type { EventSink } from '../model/events.js';
import { printable } from '../report/terminal-text.js';
import type { TextOutput } from '../report/text-output.js';

/** For a verb that reports no run: of its events only notices are printed, each as a line with the host that it is about. */
export function writeNotices(output: TextOutput): EventSink {
  return (event) => {
    if (event.type === 'notice') output.write(`${event.host ?? 'notice'}: ${printable(event.message)}\n`);
  };
}
