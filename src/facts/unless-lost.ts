import { isHostLost, type RemoteError } from '../model/errors.js';

/**
 * What another host answers, or why it can't be asked: for questions whose asker can decide without it. A host that answers
 * with what can't be read counts as one that does not answer.
 */
export async function unlessLost<V>(asked: Promise<V>): Promise<V | RemoteError> {
  try {
    return await asked;
  } catch (error) {
    if (isHostLost(error)) return error;
    throw error;
  }
}
