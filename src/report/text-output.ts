import { printableText } from './terminal-text.js';
import { terminalSize } from './terminal-size.js';
import { wrapText } from './wrap-text.js';

/**
 * Where a verb writes for people: every text passes {@link printableText}. No verb has the stream itself, so that none
 * can hand a host's escape sequences to a terminal.
 */
export interface TextOutput {
  readonly isTTY: boolean;
  /** @returns false when the stream wants no more for now, as that of Node */
  write(text: string): boolean;
}

/** What a run is reported on. */
export interface ReportStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The way to a stream for all that is text. */
export function textOutput(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
): TextOutput {
  return {
    isTTY: stream.isTTY === true,
    write(text) {
      const safe = printableText(text);
      // Its columns may change. JSON is for programs, whose strings have no line breaks.
      const isWrapped = stream.isTTY === true && !/^\s*[[{]/.test(text);
      return stream.write(isWrapped ? wrapText(safe, terminalSize(stream).columns) : safe);
    },
  };
}
