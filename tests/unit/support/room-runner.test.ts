import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dealOut } from '../../support/room-runner.mjs';

const some = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 });

test('every file is in one of the parts, and no part has two more files than another', () => {
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 5 }), (names, parts) => {
      const dealt = Array.from({ length: parts }, (_, part) => dealOut(names, { always: [], parts, part }));
      expect(dealt.flat().toSorted()).toEqual(names.toSorted());
      const sizes = dealt.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(2);
    }),
  );
});

test.each([
  [0, ['a', 'long', 'd']],
  [1, ['long', 'b', 'e']],
  [2, ['long', 'c']],
])('part %i of three: in their order, with those of every part', (part, files) => {
  const names = ['a', 'long', 'b', 'c', 'd', 'e'];
  expect(dealOut(names, { always: ['long'], parts: 3, part })).toEqual(files);
});
