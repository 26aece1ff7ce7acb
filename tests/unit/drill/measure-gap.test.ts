import { describe, expect, test } from '@jest/globals';
import { measureGap, readAttempts, type Attempt } from '../../../src/drill/measure-gap.js';

/** `begun-ended` in milliseconds, with `!` for a failure. */
function attempts(text: string): readonly Attempt[] {
  return text.split(' ').map((word) => {
    const [begun = 0, ended = 0] = word.replace('!', '').split('-').map(Number);
    return { what: 'client', begunMs: begun, endedMs: ended, isSuccess: !word.endsWith('!') };
  });
}

describe('the longest gap', () => {
  test.each([
    ['nothing failed: the step', '0-10 50-60 110-120', { longestMs: 60, stepMs: 60, isOver: true, failed: 0 }],
    [
      'from the last success before to the first one after',
      '0-10 50-60! 100-110! 150-160 200-210 250-260! 300-310',
      { longestMs: 150, stepMs: 50, isOver: true, failed: 3 },
    ],
    [
      'attempts that hang while later ones begin blur nothing',
      '0-10 50-1050! 100-1100! 150-160 200-210',
      { longestMs: 150, stepMs: 50, isOver: true, failed: 2 },
    ],
    [
      'an attempt that hung and succeeded in the end counts by its end',
      '0-10 50-1060 100-1100! 1050-1080',
      { longestMs: 1050, stepMs: 50, isOver: true, failed: 1 },
    ],
    [
      'the resolution is the longest step in that time, not elsewhere',
      '0-10 500-510 560-570! 680-690! 700-1200',
      { longestMs: 690, stepMs: 120, isOver: true, failed: 2 },
    ],
    ['it did not come back', '0-10 50-60 100-110! 150-160!', { longestMs: 100, stepMs: 50, isOver: false, failed: 2 }],
    ['one attempt', '0-10', { longestMs: 0, stepMs: 0, isOver: true, failed: 0 }],
  ])('%s', (_, text, gap) => {
    const tried = attempts(text);
    expect(measureGap(tried)).toEqual({ ...gap, attempts: tried.length });
    expect(measureGap(tried.toReversed())).toEqual({ ...gap, attempts: tried.length });
  });
});

test('what the host prints is read; a truncated line is not', () => {
  expect(readAttempts('address 13505.36 13505.37 1\nnoise\nclient 13505.40 13506.40 0\nclient 135')).toEqual([
    { what: 'address', begunMs: 13505360, endedMs: 13505370, isSuccess: true },
    { what: 'client', begunMs: 13505400, endedMs: 13506400, isSuccess: false },
  ]);
});
