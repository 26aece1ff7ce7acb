import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { builtPlay } from '../../support/built-play.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { loopedFiles, loopedFilesDirectory, playOfLoops } from '../../support/looped-files.js';

const each = (answer: unknown): Record<string, unknown> =>
  new Proxy({}, { get: () => answer, getOwnPropertyDescriptor: () => ({ configurable: true, value: answer }) });

test('tasks with loops write what Ansible writes, as the contract test asks it', async () => {
  const directory = loopedFilesDirectory();
  writeFileSync(join(directory, 'p.yml'), playOfLoops('/out'));
  const play = await builtPlay(directory, 'p.yml', 'hosts.yml');
  const probe = fakeProbe({
    'file-states': each({ kind: 'absent' }),
    'file-contents': each(undefined),
    'file-origins': each({ kind: 'unknown' }),
  });
  const written = await Promise.all(
    (play?.resources.get('a') ?? []).map(async (resource) => {
      const outcome = await resource.plan(probe);
      const [action] = outcome.kind === 'change' ? outcome.change.actions : [];
      return action?.kind === 'write-file' ? [basename(action.path), action.content.reveal()] : [];
    }),
  );
  expect(Object.fromEntries(written)).toEqual(loopedFiles());
});
