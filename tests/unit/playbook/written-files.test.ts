import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { builtPlay } from '../../support/built-play.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { playOfWrittenFiles, WRITTEN_FILES, writtenFilesDirectory } from '../../support/written-files.js';

test('copy and template write what Ansible writes, as the contract test asks it', async () => {
  const directory = writtenFilesDirectory();
  writeFileSync(join(directory, 'p.yml'), playOfWrittenFiles('/out'));
  const play = await builtPlay(directory, 'p.yml', 'hosts.yml');
  const paths = WRITTEN_FILES.map((_, index) => `/out/${index}`);
  const probe = fakeProbe({
    'file-states': Object.fromEntries(paths.map((path) => [path, { kind: 'absent' }])),
    'file-contents': Object.fromEntries(paths.map((path) => [path, undefined])),
    'file-origins': Object.fromEntries(paths.map((path) => [path, { kind: 'unknown' }])),
  });
  const written = await Promise.all(
    (play?.resources.get('a') ?? []).map(async (resource, index) => {
      const outcome = await resource.plan(probe);
      const actions = outcome.kind === 'change' ? outcome.change.actions : [];
      return [
        WRITTEN_FILES[index]?.[0],
        ...actions.map((action) => action.kind === 'write-file' && action.content.reveal()),
      ];
    }),
  );
  expect(written).toEqual(WRITTEN_FILES);
});
