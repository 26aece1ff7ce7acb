/** Directories that the test files of a run made and that are still there. */
export function leftBehind(run: string): string[];
/** What failed, in a few lines each. */
export function whatFailed(results: object, root?: string): string[];
