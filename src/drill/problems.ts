import type { HostFailure } from '../engine/run-error.js';

/** Errors that wait until everything is restored. */
export interface Problems {
  readonly all: readonly HostFailure[];
  /** @returns nothing where the work failed */
  noting<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** No {@link Problems} yet. @param host what they are about, unless they name another */
export function collectProblems(host: string): Problems {
  const all: HostFailure[] = [];
  return {
    all,
    async noting(work) {
      try {
        return await work();
      } catch (error) {
        all.push({ host, error: error instanceof Error ? error : new Error(String(error)) });
        return undefined;
      }
    },
  };
}
