import type { ErrorCode } from '../model/error-codes.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { EventSink } from '../model/events.js';
import type { SnapshotSource } from './snapshot-source.js';

/** What is wrong with the snapshot of one member alone, and says nothing of the others. */
const OF_ONE_MEMBER: readonly ErrorCode[] = ['snapshot-implausible', 'snapshot-damaged', 'snapshot-unreadable'];

/**
 * Saves the first of them; where its host fails, or gives what can't be kept, the next one: one host with a failing disk, or that lies, ends
 * no run of others. Each that failed is reported.
 * @throws the error of the last one; at once what has nothing to do with a member, such as a full disk here
 */
export async function saveOneOf<Saved>(
  [source, ...others]: readonly [SnapshotSource, ...(readonly SnapshotSource[])],
  save: (source: SnapshotSource) => Promise<Saved>,
  emit: EventSink,
): Promise<Saved> {
  try {
    return await save(source);
  } catch (error) {
    const [next, ...rest] = others;
    if (next === undefined || !isOfOneMember(error)) throw error;
    emit({ type: 'notice', message: `${error.message}; the next one is asked: ${next.member.host}` });
    return saveOneOf([next, ...rest], save, emit);
  }
}

function isOfOneMember(error: unknown): error is ProvisionError {
  return error instanceof RemoteError || (error instanceof ProvisionError && OF_ONE_MEMBER.includes(error.code));
}
