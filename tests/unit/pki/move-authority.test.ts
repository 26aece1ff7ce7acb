import { describe, expect, test } from '@jest/globals';
import type { AuthorityMove } from '../../../src/model/authority-move.js';
import { bundleAfter } from '../../../src/pki/move-authority.js';

type Step = Exclude<AuthorityMove, 'finish'>;

describe('what hosts are to trust after a step: who signs comes first, others last', () => {
  test.each<[Step, 'old' | 'new', string | undefined]>([
    ['trust-both', 'old', 'old new one two'],
    ['trust-both', 'new', 'new old one two'],
    ['sign-by-new', 'old', 'new old one two'],
    ['sign-by-new', 'new', 'new old one two'],
    ['sign-by-old', 'old', 'old new one two'],
    ['sign-by-old', 'new', 'old new one two'],
    ['trust-new', 'new', 'new one two'],
    ['trust-old', 'old', 'old one two'],
    // Nobody would trust what is signed.
    ['trust-new', 'old', undefined],
    ['trust-old', 'new', undefined],
  ])('%s, while the %s one signs: %s', (move, signing, expected) => {
    const rotation = { old: 'old', new: ' new\n\n', others: ['one\n', 'two'], signing, trusted: 'both' } as const;
    expect(bundleAfter(move, rotation)).toBe(
      expected
        ?.split(' ')
        .map((pem) => `${pem}\n`)
        .join(''),
    );
  });
});
