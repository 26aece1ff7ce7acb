/** What a terminal has that does not say: the size of a VT100. */
const USUAL = { columns: 80, rows: 24 };

/** How large a terminal is now. A serial line, and a container's before its first resize, says 0 by 0, which is no size. */
export function terminalSize(stream: { readonly columns?: number; readonly rows?: number }): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: stream.columns || USUAL.columns, rows: stream.rows || USUAL.rows };
}
