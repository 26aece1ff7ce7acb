import { expect, test } from '@jest/globals';
import { readSource } from '../../../src/playbook/task-source.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

test.each([
  ['is not there', 'nothing', 'ENOENT'],
  ['is a directory', '.', 'EISDIR'],
])('a source that %s is refused with what the system said as its cause', (_, src, code) => {
  const directory = temporaryDirectory('source');
  const refused = {
    message: expect.stringContaining(`${src === '.' ? directory : src} cannot be read: `) as unknown,
    cause: expect.objectContaining({ code }) as unknown,
  };
  expect(() => readSource(directory, 'files', src)).toThrow(expect.objectContaining(refused));
});
