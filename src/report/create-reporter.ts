import { createNdjsonReporter } from './ndjson.js';
import { createPlainReporter } from './plain.js';
import type { Reporter } from './reporter.js';

/** Where and how to report. */
export interface ReporterOptions {
  /** `auto`: a live display where that is possible, else plain lines. `text`: plain lines. `json`: one object a line. */
  readonly format: 'auto' | 'text' | 'json';
  readonly stdout: NodeJS.WriteStream;
  readonly isTTY: boolean;
  /** The terminal's size now; it may change. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** `NO_COLOR`, `TERM` and `CI` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
}

/** A terminal on which lines can be drawn again. CI logs are none, even where they say so. */
function canDrawLive({ format, isTTY, env }: ReporterOptions): boolean {
  return format === 'auto' && isTTY && env['TERM'] !== 'dumb' && !env['CI'];
}

/**
 * Whether text may be coloured: on a terminal, unless NO_COLOR is set and not empty (https://no-color.org).
 */
export function wantsColour({ isTTY, env }: Pick<ReporterOptions, 'isTTY' | 'env'>): boolean {
  return isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** The reporter for an output. The events' plan is shown by it: no one else prints it. */
export async function createReporter(options: ReporterOptions): Promise<Reporter> {
  const { stdout, now } = options;
  const write = (text: string): void => {
    stdout.write(text);
  };
  if (options.format === 'json') return createNdjsonReporter(write, now);
  if (!canDrawLive(options)) return createPlainReporter(write, now);
  const { createLiveReporter } = await import('./live.js');
  return createLiveReporter({ stdout, size: options.size, now, colour: wantsColour(options) });
}
