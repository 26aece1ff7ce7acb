import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import { COPIED_FILE_BYTES, readTextBoundedSync } from '../model/read-bounded.js';

/** Where V8 says that a call was made: a file of ECMAScript, with line and column from 1. */
const PLACE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/**
 * The stack of a bug in lines of `src/`. What is shipped is a bundle: its own lines are those of no file that anyone can read.
 * A place without a source map stays as it is.
 */
export function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return stack.replace(PLACE, (place, url: string, line: string, column: string) => {
    const origin = sourceMap(url)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !('fileName' in origin)) return place;
    const file = origin.fileName.replace(/^.*\/(?=src\/)/, '');
    return `${file}:${String(origin.lineNumber)}:${String(origin.columnNumber)}`;
  });
}

/** What build.mjs wrote beside a file. */
function sourceMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(
      JSON.parse(readTextBoundedSync(`${fileURLToPath(url)}.map`, COPIED_FILE_BYTES)) as SourceMapPayload,
    );
  } catch {
    return undefined;
  }
}
