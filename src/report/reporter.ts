import type { EventSink } from '../model/events.js';

/** Shows a run. */
export interface Reporter {
  readonly sink: EventSink;
  /** Resolves when all events so far are on the screen and nothing moves: before a question is asked. */
  settled(): Promise<void>;
  /** Draws what is left, tells the failures and the figures, and gives the terminal back. Call it also after an error. */
  close(): Promise<void>;
}
