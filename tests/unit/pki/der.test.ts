import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readDer, writeDer } from '../../../src/pki/der.js';

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);

describe('DER', () => {
  test.each([
    [0, '3000'],
    [1, '3001'],
    [0x7f, '307f'],
    [0x80, '308180'],
    [0xff, '3081ff'],
    [0x100, '30820100'],
    [0xffff, '3082ffff'],
  ])('writes a length of %i in as few octets as it takes: %s', (length, head) => {
    const content = Buffer.alloc(length, 0x61);
    const written = writeDer(0x30, content);
    expect(written.subarray(0, head.length / 2).toString('hex')).toBe(head);
    expect(readDer(written)).toEqual([{ tag: 0x30, content, raw: written }]);
  });

  test('writes nothing that is too long for it', () => {
    expect(() => writeDer(0x30, Buffer.alloc(0x10000))).toThrow('65536 bytes');
  });

  test('reads what is written, element by element', () => {
    const element = fc.tuple(fc.integer({ min: 0, max: 0xff }), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(element, { maxLength: 4 }), (elements) => {
        const raw = elements.map(([tag, content]) => writeDer(tag, Buffer.from(content)));
        expect(readDer(Buffer.concat(raw))).toEqual(
          elements.map(([tag, content], index) => ({ tag, content: Buffer.from(content), raw: raw[index] })),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('reads lengths that are written longer than they must be, of one to four octets', () => {
    for (const head of [
      [0x81, 2],
      [0x82, 0, 2],
      [0x83, 0, 0, 2],
      [0x84, 0, 0, 0, 2],
    ])
      expect(readDer(bytes(4, ...head, 7, 8)).map(({ content }) => [...content])).toEqual([[7, 8]]);
    expect(readDer(bytes(4, 0x81, 0)).map(({ content }) => [...content])).toEqual([[]]);
  });

  test.each([
    ['no length', bytes(4)],
    ['a length without an end', bytes(4, 0x80, 0, 0)],
    ['a length of five octets', bytes(4, 0x85, 0, 0, 0, 0, 1, 7)],
    ['half a length', bytes(4, 0x82, 0)],
    ['less than its length', bytes(4, 2, 7)],
    ['less than its long length', bytes(4, 0x81, 2, 7)],
    ['a second element that is cut off', bytes(4, 1, 7, 4, 1)],
  ])('that has %s is an error', (_, text) => {
    expect(() => readDer(text)).toThrow(/^DER /);
  });
});
