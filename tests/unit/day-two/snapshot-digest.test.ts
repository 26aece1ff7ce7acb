import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestSnapshot } from '../../../src/day-two/snapshot-digest.js';
import { sealedSnapshot } from '../../support/sealed-snapshot.js';

function digestOf(bytes: Buffer, sizes: readonly number[] = []): ReturnType<ReturnType<typeof digestSnapshot>['end']> {
  const digest = digestSnapshot();
  let at = 0;
  for (const size of sizes) {
    digest.add(bytes.subarray(at, at + size));
    at += size;
  }
  digest.add(bytes.subarray(at));
  return digest.end();
}

test('knows the seal of etcd wherever chunks end', () => {
  const snapshot = sealedSnapshot(4096);
  fc.assert(
    fc.property(fc.array(fc.nat(600), { maxLength: 20 }), (sizes) => {
      expect(digestOf(snapshot, sizes)).toEqual({
        bytes: 4096 + 32,
        sha256: createHash('sha256').update(snapshot).digest('hex'),
        isSealed: true,
      });
    }),
  );
});

test('a flipped bit anywhere breaks the seal', () => {
  fc.assert(
    fc.property(fc.nat(4096 + 31), fc.nat(7), (at, bit) => {
      const broken = sealedSnapshot(4096);
      broken[at] = (broken[at] ?? 0) ^ (1 << bit);
      expect(digestOf(broken).isSealed).toBe(false);
    }),
  );
});

test.each([0, 1, 31, 32, 33, 512, 4095])('what was cut to %d bytes has no seal', (size) => {
  expect(digestOf(sealedSnapshot(4096).subarray(0, size)).isSealed).toBe(false);
});
