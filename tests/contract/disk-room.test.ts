import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { needRoomLines } from '../../src/shell/disk-room.js';
import { DIRECTORY_FUNCTIONS } from '../../src/shell/open-directory.js';
import { createLocalTransport } from '../support/local-transport.js';

const at = tmpdir();

test.each([
  ['half of what is free', 0.5, { status: 0, stdout: 'goes on\n' }],
  ['twice of what is free', 2, { status: 1, stdout: '' }],
])('a script that needs %s', async (_, share, outcome) => {
  const { bavail, bsize } = statfsSync(at);
  const bytes = Math.floor(bavail * bsize * share);
  const lines = needRoomLines({ subject: 'a copy needs', bytes, at: `'${at}'`, place: 'in the place' });
  const script = [DIRECTORY_FUNCTIONS, ...lines, 'echo goes on'].join('\n');
  const ended = await createLocalTransport('here').run({ summary: 'room', script });
  expect(ended).toMatchObject(outcome);
  const kib = String(Math.ceil(bytes / 1024));
  const refused = new RegExp(`^a copy needs ${kib} KiB in the place, and \\d+ are free\\n$`);
  expect(ended.stderr).toMatch(share < 1 ? /^$/ : refused);
});
