import { describe, expect, test } from '@jest/globals';
import { saveOneOf } from '../../../src/day-two/save-one-of.js';
import type { SnapshotSource } from '../../../src/day-two/snapshot-source.js';
import type { ErrorCode } from '../../../src/model/error-codes.js';
import { ProvisionError, RemoteError } from '../../../src/model/errors.js';
import { healthy } from '../../support/etcd-answers.js';
import { sampleMember } from '../../support/sample-cluster.js';

function sourceOf(number: number): SnapshotSource {
  return { member: sampleMember(number), status: healthy(number), confirmed: 40 };
}

const failing = (code: ErrorCode) => (host: string) => new ProvisionError({ code, message: `${host}: ${code}` });
const lost = (host: string) => new RemoteError({ code: 'command-failed', host, message: `${host}: no space left` });

/** What came of it, and what was reported; `failures`: of each member in turn, absent where its snapshot is good. */
async function save(
  failures: readonly (((host: string) => Error) | undefined)[],
): Promise<readonly [string, readonly string[]]> {
  const told: string[] = [];
  const asked: string[] = [];
  const result = await saveOneOf(
    [sourceOf(1), sourceOf(2), sourceOf(3)],
    ({ member: { host } }) => {
      const failure = failures[asked.length];
      asked.push(host);
      return failure === undefined ? Promise.resolve(`saved ${host}`) : Promise.reject(failure(host));
    },
    (event) => told.push(event.type === 'notice' ? event.message : event.type),
  ).catch((error: unknown) => `${(error as Error).message} after ${asked.join(', ')}`);
  return [result, told];
}

describe('a snapshot before a change', () => {
  test('is that of the first one', async () => {
    expect(await save([])).toEqual(['saved etcd-1', []]);
  });

  test.each<[string, (host: string) => Error, string]>([
    ['its disk fails', lost, 'no space left'],
    ['it gives what most do not confirm', failing('snapshot-implausible'), 'snapshot-implausible'],
    ['it gives what is damaged', failing('snapshot-damaged'), 'snapshot-damaged'],
    ['its tool can not read it', failing('snapshot-unreadable'), 'snapshot-unreadable'],
  ])('is that of another one where %s', async (_, failure, why) => {
    const first = `etcd-1: ${why}; the next one is asked: etcd-2`;
    expect(await save([failure])).toEqual(['saved etcd-2', [first]]);
    expect(await save([failure, failure])).toEqual([
      'saved etcd-3',
      [first, `etcd-2: ${why}; the next one is asked: etcd-3`],
    ]);
  });

  test('is none where all fail', async () => {
    const [result, told] = await save([lost, failing('snapshot-implausible'), lost]);
    expect(result).toBe('etcd-3: no space left after etcd-1, etcd-2, etcd-3');
    expect(told).toHaveLength(2);
  });

  test.each<[string, (host: string) => Error]>([
    ['a person stops it', failing('interrupted')],
    ['there is a file in the way here', failing('file-is-there')],
    ['this machine fails', () => new Error('ENOSPC')],
  ])('is not tried with others where %s', async (_, failure) => {
    const [result, told] = await save([failure]);
    expect(result).toMatch(/ after etcd-1$/);
    expect(told).toEqual([]);
  });
});
