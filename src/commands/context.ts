/** What a verb gets from the composition root: the process's edges, so that tests can hold them. */
export interface Context {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The exit code for when the verb is done (model/errors `EXIT`). */
  exit(code: number): void;
}
