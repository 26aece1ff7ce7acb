import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { marksOf } from '../../../src/shell/remote-command.js';
import { createMarkedPassage } from '../../../src/ssh/marked-passage.js';
import { createMarkedStream, type MarkedStream } from '../../../src/ssh/marked-stream.js';

const MARKS = marksOf('cafe');
const LIMITS = { before: 100, inside: 1000 };

function streamOf(...chunks: readonly Uint8Array[]): MarkedStream {
  const stream = createMarkedStream(MARKS, LIMITS);
  for (const chunk of chunks) stream.read(chunk);
  return stream;
}

/** Cuts bytes into pieces of these sizes, and a last one with the rest. */
function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const ends = sizes.reduce<number[]>((all, size) => [...all, (all.at(-1) ?? 0) + size], [0]);
  return ends.map((start, index) => bytes.subarray(start, ends[index + 1]));
}

const noise = fc.uint8Array({ maxLength: 60 });

test('finds the answer, whatever is around it and wherever chunks end', () => {
  fc.assert(
    fc.property(noise, fc.uint8Array({ maxLength: 900 }), noise, fc.nat(255), fc.array(fc.nat(40)), (...parts) => {
      const [before, inside, after, status, sizes] = parts;
      const bytes = Buffer.concat([
        before,
        Buffer.from(MARKS.begin),
        inside,
        Buffer.from(`${MARKS.end}${status}\n`),
        after,
      ]);
      const stream = streamOf(...cut(bytes, sizes));
      expect(stream.state()).toBe('ended');
      expect(stream.status()).toBe(status);
      expect(stream.content().equals(inside)).toBe(true);
    }),
  );
});

describe('limits', () => {
  test.each([
    ['before', Buffer.alloc(101), 'too-much-before'],
    ['inside', Buffer.concat([Buffer.from(MARKS.begin), Buffer.alloc(1001)]), 'too-much-inside'],
    [
      'in an answer that has an end',
      Buffer.from(`${MARKS.begin}${'x'.repeat(1001)}${MARKS.end}0\n`),
      'too-much-inside',
    ],
  ])('too much %s', (_, bytes, state) => {
    expect(streamOf(bytes).state()).toBe(state);
    expect(streamOf(...cut(bytes, Array<number>(bytes.length).fill(1))).state()).toBe(state);
  });

  test('exactly the limits are no flood', () => {
    const stream = streamOf(Buffer.alloc(100), Buffer.from(`${MARKS.begin}${'x'.repeat(1000)}${MARKS.end}0\n`));
    expect(stream.state()).toBe('ended');
  });
});

test('the first end counts: nothing behind it is read', () => {
  const stream = streamOf(Buffer.from(`${MARKS.begin}a${MARKS.end}1\nb${MARKS.end}0\n`));
  expect(stream.content().toString()).toBe('a');
  expect(stream.status()).toBe(1);
});

test.each([
  ['no status', 'x'],
  ['a status of four digits', '1234\n'],
  ['a letter before its status', 'x12\n'],
  ['a status without its line’s end', '7 '],
])('an end with %s is none: what follows it is still the answer', (_, after) => {
  const inside = `a${MARKS.end}${after}b`;
  const bytes = Buffer.from(`${MARKS.begin}${inside}${MARKS.end}3\n`);
  for (const chunks of [[bytes], cut(bytes, Array<number>(bytes.length).fill(1))]) {
    const [stream, passage] = [streamOf(...chunks), createMarkedPassage(MARKS, LIMITS)];
    expect([stream.state(), stream.status(), stream.content().toString()]).toEqual(['ended', 3, inside]);
    for (const chunk of chunks) passage.read(chunk);
    expect([passage.state(), passage.status(), passage.arrived().toString()]).toEqual(['ended', 3, inside]);
  }
});

test('what is handed on as it comes is the same, to the byte', () => {
  fc.assert(
    fc.property(noise, fc.uint8Array({ maxLength: 900 }), noise, fc.nat(255), fc.array(fc.nat(40)), (...parts) => {
      const [before, inside, after, status, sizes] = parts;
      const answer = [before, Buffer.from(MARKS.begin), inside, Buffer.from(`${MARKS.end}${status}\n`), after];
      const passage = createMarkedPassage(MARKS, LIMITS);
      const handed = cut(Buffer.concat(answer), sizes).map((chunk) => {
        passage.read(chunk);
        return passage.arrived();
      });
      expect(passage.state()).toBe('ended');
      expect(passage.status()).toBe(status);
      expect(Buffer.concat(handed).equals(inside)).toBe(true);
    }),
  );
});

test('what is handed on may be just its limit', () => {
  for (const [size, state] of [
    [1000, 'ended'],
    [1001, 'too-much-inside'],
  ] as const) {
    const passage = createMarkedPassage(MARKS, LIMITS);
    passage.read(Buffer.from(`${MARKS.begin}${'x'.repeat(size)}${MARKS.end}0\n`));
    if (state === 'ended') expect(passage.state()).toBe(state);
    else expect(passage.state()).not.toBe('inside');
    expect(passage.arrived()).toHaveLength(size);
  }
});

test('of what is handed on only what came instead of it is kept', () => {
  const passage = createMarkedPassage(MARKS, LIMITS);
  passage.read(Buffer.from('Welcome'));
  expect(passage.content().toString()).toBe('Welcome');
  passage.read(Buffer.alloc(100, 'x'));
  expect([passage.state(), passage.content().toString()]).toEqual(['too-much-before', `Welcome${'x'.repeat(100)}`]);
  const begun = createMarkedPassage(MARKS, LIMITS);
  begun.read(Buffer.from(`${MARKS.begin}some`));
  expect([begun.state(), begun.content()]).toEqual(['inside', Buffer.alloc(0)]);
});

test('of an answer without an end no more is handed on than the limit and a chunk', () => {
  const passage = createMarkedPassage(MARKS, LIMITS);
  passage.read(Buffer.from(MARKS.begin));
  const states = Array.from({ length: 30 }, () => passage.read(Buffer.alloc(100)));
  expect(states.at(-1)).toBe('too-much-inside');
  expect(passage.arrived().length).toBeLessThanOrEqual(1100);
});
