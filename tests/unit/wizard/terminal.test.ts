import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { cancellable, requireTerminal } from '../../../src/wizard/terminal.js';

function stream(isTTY: boolean) {
  return Object.assign(new PassThrough(), { isTTY });
}

describe('requireTerminal', () => {
  test.each([
    [false, true],
    [true, false],
  ])('input on a terminal: %p, output on one: %p: the other way is named', (input, output) => {
    const terminal = { input: stream(input), output: stream(output) };
    expect(() => {
      requireTerminal(terminal, 'give --yes');
    }).toThrow(expect.objectContaining({ code: 'no-terminal', hint: 'give --yes' }));
  });

  test('is content with a terminal', () => {
    expect(() => {
      requireTerminal({ input: stream(true), output: stream(true) }, 'give --yes');
    }).not.toThrow();
  });
});

describe('cancellable', () => {
  test('tells Ctrl-C in our own words', async () => {
    const ctrlC = Object.assign(new Error('User force closed the prompt'), { name: 'ExitPromptError' });
    await expect(cancellable(() => Promise.reject(ctrlC))).rejects.toMatchObject({
      code: 'cancelled',
      message: 'cancelled: nothing was changed',
    });
  });

  test('lets every other error through', async () => {
    await expect(cancellable(() => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
  });
});
