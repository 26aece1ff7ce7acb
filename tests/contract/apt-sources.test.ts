import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aptSourceKey, aptSources } from '../../src/facts/apt-sources.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const FILES = {
  'sources.list': '# deb https://c.example/x/ /\ndeb https://a.example/x/ stable main\n',
  'sources.list.d/one.list':
    'deb [arch=amd64 signed-by=/k.gpg]\thttps://b.example:/core:/v1/deb/ /\ndeb https://a.example/x-other/ /\n',
  'sources.list.d/two.sources':
    'Types: deb\nURIs: https://c.example/x\n  https://d.example/x/\nSuites: /\nSigned-By: /k.gpg\n\n# off\nTypes: deb\nEnabled: no\nURIs: https://e.example/x\nSuites: /\n\nTypes: deb\nuris:https://f.example/x//\nSuites: /\n',
  'sources.list.d/not.saved': 'deb https://g.example/x /\n',
  'sources.list.d/a b.list': 'deb https://h.example/x /\n',
};

test.each([
  ['https://a.example/x', ['sources.list']],
  ['https://b.example:/core:/v1/deb/', ['sources.list.d/one.list']],
  ['https://c.example/x/', ['sources.list.d/two.sources']],
  ['https://d.example/x', ['sources.list.d/two.sources']],
  ['https://e.example/x', []],
  ['https://f.example/x', ['sources.list.d/two.sources']],
  ['https://g.example/x', []],
  ['https://h.example/x', ['sources.list.d/a b.list']],
  ['https://a.example', []],
])('who names %s', async (uri, files) => {
  const directory = temporaryDirectory('apt');
  mkdirSync(join(directory, 'sources.list.d'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
  const keys = [aptSourceKey('https://nobody.example/'), aptSourceKey(uri)];
  const script = aptSources.script(keys).replaceAll('/etc/apt', directory);
  const { stdout } = await createLocalTransport('here').run({ summary: 'look', script: `set -e\n${script}` });
  const found = aptSources.parse(stdout, keys);
  expect(found.get(keys[1] ?? '')).toEqual(files.map((name) => join(directory, name)));
  expect(found.get(keys[0] ?? '')).toEqual([]);
});
