import { beforeAll } from '@jest/globals';

/**
 * Begins what mostly waits, for a deadline that is no parameter, before the tests that follow, which run meanwhile.
 * @param begin what is begun once the `beforeAll` hooks above have ended
 * @returns waits for its end, for the test that says what it must be
 */
export function meanwhile<T>(begin: () => Promise<T>): () => Promise<T> {
  let ending: Promise<T> | undefined;
  beforeAll(() => {
    ending = begin();
    // The test that waits for it tells.
    ending.catch(() => undefined);
  });
  return () => ending ?? Promise.reject(new Error('not begun'));
}
