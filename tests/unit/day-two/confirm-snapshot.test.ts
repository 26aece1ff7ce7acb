import { describe, expect, test } from '@jest/globals';
import { requireConfirmed } from '../../../src/day-two/confirm-snapshot.js';
import { chooseSource } from '../../../src/day-two/snapshot-source.js';
import { etcdCompacted, etcdCompactedKey } from '../../../src/facts/etcd-compacted.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { membersThatSay, type Said } from '../../support/said-members.js';

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? String(error);

/** Whether the history before a revision is gone, as `etcd-1`, `etcd-2`, … say. */
type Compacted = readonly ('yes' | 'no' | 'unknown')[];

interface Circumstances {
  /** The member that a person names. */
  readonly from?: string;
  /** What members said before the snapshot. */
  readonly before?: readonly Said[];
  /** Absent: nobody must be asked. */
  readonly compacted?: Compacted;
}

/** @returns the answers of hosts to that question, about revisions that the tests have */
function compactions(said: Compacted): Readonly<Record<string, FakeAnswers>> {
  return Object.fromEntries(
    SAMPLE_CLUSTER.members.flatMap((member, index) => {
      const answer = said[index];
      if (answer === undefined) return [];
      const byRevision = [1, 2, 40].map((revision) => [etcdCompactedKey(member, revision), answer] as const);
      return [[member.host, { [etcdCompacted.name]: Object.fromEntries(byRevision) }]];
    }),
  );
}

describe('the revision of a snapshot', () => {
  /** @param looks what members say at each look after it; the last is repeated */
  async function confirmed(
    revision: number,
    looks: readonly (readonly Said[])[],
    { from, before = [{}, {}, {}], compacted = [] }: Circumstances = {},
  ): Promise<string> {
    const source = await chooseSource(membersThatSay(before), from);
    let [clock, look] = [0, 0];
    const again = {
      cluster: SAMPLE_CLUSTER,
      newProbe: () => membersThatSay(looks[Math.min(look++, looks.length - 1)] ?? [], compactions(compacted)).probe,
      now: () => clock,
      sleep: (ms: number) => Promise.resolve(void (clock += ms)),
    };
    return requireConfirmed(source, revision, again).then(() => `after ${look} looks`, codeOf);
  }
  const at = (...revisions: readonly number[]): readonly Said[] => revisions.map((revision) => ({ revision }));

  test.each<readonly [string, number, readonly (readonly Said[])[], string]>([
    ['nothing was written meanwhile', 40, [at(40, 40, 40)], 'after 1 looks'],
    ['it was written to', 45, [at(47, 47, 47)], 'after 1 looks'],
    ['most are there a moment later', 45, [at(45, 44, 44), at(45, 44, 45)], 'after 2 looks'],
    ['it is older than what most had', 39, [at(41, 41, 41)], 'snapshot-implausible'],
    ['only its own host has got so far', 900, [at(900, 47, 47)], 'snapshot-implausible'],
    ['another one claims little', 45, [at(47, 47, 0)], 'after 1 looks'],
    [
      'those that have got so far are of another cluster',
      900,
      [[{ revision: 47 }, { revision: 900, clusterId: '78' }, { revision: 900, clusterId: '78' }]],
      'snapshot-implausible',
    ],
  ])('where %s', async (_, revision, looks, expected) => {
    expect(await confirmed(revision, looks)).toBe(expected);
  });

  // As etcd counts it: what was deleted last leaves no entry once the history before it is dropped.
  test.each<readonly [string, number, Compacted, readonly number[], string]>([
    ['all have dropped it', 0, ['yes', 'yes', 'yes'], [40, 40, 40], 'after 1 looks'],
    ['most have dropped it', 17, ['yes', 'no', 'yes'], [40, 40, 40], 'after 1 looks'],
    ['it is there', 39, ['no', 'no', 'no'], [40, 40, 40], 'snapshot-implausible'],
    ['one alone says that it is gone', 39, ['yes', 'no', 'no'], [40, 40, 40], 'snapshot-implausible'],
    ['others do not tell', 39, ['yes', 'unknown', 'unknown'], [40, 40, 40], 'snapshot-implausible'],
    // Then an old snapshot could be told from a new one, and was not: the next one can be.
    ['it was written to meanwhile', 39, ['yes', 'yes', 'yes'], [41, 41, 41], 'snapshot-implausible'],
  ])('that is lower than what most had, where of the history %s', async (_, revision, compacted, now, expected) => {
    expect(await confirmed(revision, [at(...now)], { compacted })).toBe(expected);
  });

  test('of a store that nothing was ever written to is 0', async () => {
    expect(await confirmed(0, [at(1, 1, 1)], { before: at(1, 1, 1) })).toBe('after 1 looks');
    const once = { before: at(2, 2, 2), compacted: ['no', 'no', 'no'] } as const;
    expect(await confirmed(0, [at(2, 2, 2)], once)).toBe('snapshot-implausible');
  });

  test('of a member that a person named is what that member has', async () => {
    expect(await confirmed(3, [at(40, 40, 40)], { from: 'etcd-1' })).toBe('after 0 looks');
  });
});
