import { printableText } from './terminal-text.js';

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
export function textOutput(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): TextOutput {
  return {
    isTTY: stream.isTTY === true,
    write: (text) => stream.write(printableText(text)),
  };
}
