import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { createLook } from '../../src/facts/batched-probe.js';
import { fileOrigin } from '../../src/facts/file-origin.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Where dpkg keeps the MD5 of each conffile; a machine without dpkg has no conffiles. */
const STATUS = '/var/lib/dpkg/status';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('origin');
});

async function originsOf(paths: readonly string[]): Promise<readonly unknown[]> {
  const transport = createLocalTransport('here');
  const send = (_: string, script: string) => transport.run({ summary: 'look', script });
  const probe = createLook({ send, token: () => 'T0ken' }).probe('here');
  return Promise.all(paths.map((path) => probe.ask(fileOrigin, path)));
}

test('tells our files, others, empty ones and missing ones apart, whatever their names are', async () => {
  const files: readonly (readonly [string, string])[] = [
    [
      'ours.cfg',
      '# Written by provision (playbooks/templates/haproxy.cfg.j2): changes made here are replaced.\nglobal\n',
    ],
    ['ours.sh', '#!/bin/sh\n# Written by provision: x\ntrue\n'],
    ['60.conf', '# Kept by provision.\na = 1\n'],
    ["an other's $file", 'frontend shop\n    bind :8080\n\n# Written by provision\n'],
    ['said', '# not Written by provision\nfrontend shop\n'],
    ['empty', ''],
    ['comments', '# a\n\n  ; b\n! c\n'],
    ['no newline', 'x'],
  ];
  for (const [name, text] of files) await writeFile(join(directory, name), text);
  const found = await originsOf([...files.map(([name]) => join(directory, name)), join(directory, 'none')]);
  expect(found).toEqual([
    ...[{ kind: 'ours' }, { kind: 'ours' }, { kind: 'ours' }],
    ...[
      { kind: 'foreign', lines: 2 },
      { kind: 'foreign', lines: 1 },
    ],
    ...[{ kind: 'empty' }, { kind: 'empty' }, { kind: 'foreign', lines: 1 }, { kind: 'absent' }],
  ]);
});

test.each([
  ['of comments alone', '# a\n', 'empty'],
  ['without anything', '', 'empty'],
  ['of one setting', 'a\n', 'foreign'],
])('a file %s is recognised when it is the only one asked for', async (_, text, kind) => {
  await writeFile(join(directory, 'one'), text);
  expect(await originsOf([join(directory, 'one')])).toEqual([expect.objectContaining({ kind })]);
});

test('knows a conffile that is as dpkg installed it', async () => {
  const status = existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '';
  const unchanged = [...status.matchAll(/^ (\/etc\/\S+) ([0-9a-f]{32})$/gm)].flatMap(([, path = '', sum = '']) =>
    existsSync(path) && createHash('md5').update(readFileSync(path)).digest('hex') === sum ? [path] : [],
  );
  const paths = unchanged.slice(0, 3);
  expect(await originsOf(paths)).toEqual(paths.map(() => ({ kind: expect.stringMatching(/^(package|empty)$/) })));
});
