import { readRun, runNames, type KeptRun } from '../../src/report/journal.js';

/** All runs that were kept, the oldest first. */
export async function keptRuns(directory: string): Promise<readonly KeptRun[]> {
  return Promise.all((await runNames(directory)).map(async (name) => readRun(directory, name)));
}
