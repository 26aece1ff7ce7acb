import { execFileSync } from 'node:child_process';
import { freemem } from 'node:os';
import { expect, test } from '@jest/globals';
import { hostOutline, OUTLINE } from '../../src/facts/host-outline.js';
import { scratch } from '../support/scratch.js';

test('a real machine says what it is', () => {
  const stdout = execFileSync('sh', ['-ec', `{ ${hostOutline.script([OUTLINE])}\n} </dev/null`], {
    encoding: 'utf8',
    cwd: scratch(),
  });
  const outline = hostOutline.parse(stdout, [OUTLINE]).get(OUTLINE);
  expect(outline).toMatchObject({ system: expect.stringMatching(/^\w[^"]*$/), hasApt: true });
  expect(outline?.diskMib).toBeGreaterThan(0);
  // As the kernel counts it, within what other programs take meanwhile.
  expect(outline?.memoryMib).toBeGreaterThan(freemem() / 2 ** 20 / 4);
});

test('what is no answer is refused', () => {
  expect(() => hostOutline.parse('S Debian\napt\n', [OUTLINE])).toThrow('neither memory nor disk came back');
});
