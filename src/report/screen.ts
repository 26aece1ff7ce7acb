import type { Style } from './style.js';

/** How a row ended. */
export type RowEnd = 'done' | 'failed';

/** What a {@link Screen} draws on. */
export interface Terminal {
  write(text: string): void;
  /** The size now; it may change. */
  size(): { readonly columns: number; readonly rows: number };
  now(): Date;
  /** How far the whole run is, in one line; empty: nothing to say. */
  progress(): string;
  readonly style: Style;
}

/**
 * A terminal on which progress is drawn: one section at a time, with one row for each host or gate that is worked on.
 * What was kept or printed stays on the screen; what is only shown moves. All texts are single lines, safe to show.
 */
export interface Screen {
  /** Begins a section. The one before was shut. An empty title: the rows speak for themselves. */
  open(title: string, rows: readonly string[]): void;
  /** What a row is doing now; an empty text: it waits. */
  show(row: string, doing: string): void;
  /** A line about a row that stays. */
  keep(row: string, line: string): void;
  /** @param remark what it came to, when that is not in its kept lines */
  finish(row: string, end: RowEnd, remark?: string): void;
  /** Ends the section; rows that were not finished are done. */
  shut(): void;
  /** Text of one or more lines that stays, between sections or above the moving part. */
  print(text: string): void;
  /** Resolves when all of the above is drawn. */
  settled(): Promise<void>;
}
