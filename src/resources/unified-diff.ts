import { structuredPatch } from 'diff';
import { maskSecretLines } from './mask-secret-lines.js';
import { redactKnownSecrets } from './redact-known-secrets.js';

/** Longer diffs are cut: nobody reads them, and the plan must stay readable. */
const MAX_LINES = 200;
/** A longer line is no text for people: a blob, minified code. */
const MAX_LINE_LENGTH = 4096;
/** Ten times what is shown. The time grows with its square: so many take 0.4 s. */
const MAX_EDITS = 2000;

function isBinary(text: string): boolean {
  // U+FFFD is what decoding puts in place of bytes that are not UTF-8.
  return /[\0\uFFFD]/.test(text) || text.split('\n').some((line) => line.length > MAX_LINE_LENGTH);
}

function count(figure: number): string {
  return figure.toLocaleString('en-US');
}

function bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function sizes(what: string, before: string | undefined, after: string): string {
  return before === undefined
    ? `new ${what} (${count(bytes(after))} bytes)`
    : `${what} differs (${count(bytes(before))} → ${count(bytes(after))} bytes)`;
}

function cut(lines: readonly string[]): string[] {
  if (lines.length <= MAX_LINES) return [...lines];
  return [...lines.slice(0, MAX_LINES), `… ${count(lines.length - MAX_LINES)} more diff lines not shown`];
}

function hunkRange(start: number, length: number): string {
  // POSIX: an empty range names the line before it.
  return length === 1 ? `${start}` : `${length === 0 ? start - 1 : start},${length}`;
}

function hunkLines(before: string, after: string): string[] | undefined {
  const patch = structuredPatch('', '', before, after, '', '', { context: 3, maxEditLength: MAX_EDITS });
  return patch?.hunks.flatMap((hunk) => [
    `@@ -${hunkRange(hunk.oldStart, hunk.oldLines)} +${hunkRange(hunk.newStart, hunk.newLines)} @@`,
    ...hunk.lines,
  ]);
}

/**
 * What changes in a file, as the lines of a unified diff with three lines of context: for people, without colours.
 * Secrets are left out on both sides: those that the wanted text marks, the older ones in their places (see
 * {@link maskSecretLines}), private keys, well-known passwords. Binary files are summarised, long diffs are cut and say by
 * how much.
 * @param path the file on the host
 * @param before what it holds now, as it is on the host; undefined when there is no file
 * @param after its wanted content, redacted (`Content.redacted`)
 * @returns no line when there is nothing to show
 */
export function unifiedDiff(path: string, before: string | undefined, after: string): string[] {
  if (before === after) return [];
  if (isBinary(before ?? '') || isBinary(after)) return [sizes('binary file', before, after)];
  const old = redactKnownSecrets(maskSecretLines(before ?? '', after));
  const wanted = redactKnownSecrets(after);
  if (before !== undefined && old === wanted) return ['differs only in what is redacted'];
  const hunks = hunkLines(old, wanted);
  if (!hunks) return [sizes('large file', before, after)];
  if (hunks.length === 0) return ['new empty file'];
  return [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${path}`, ...cut(hunks)];
}
