// What stands in the files of an authority, and what is never taken for "none".
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { placeCertificate, readAuthorityFiles, writeAuthorityFiles } from '../../../src/pki/authority-files.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { authorityFrom, TODAY } from '../../support/test-authority.js';

let pem: string;
beforeAll(async () => {
  pem = (await authorityFrom(TODAY)).certificatePem;
});

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('authority-files');
});

const at = (name: string): string => join(directory, name);

const GIVEN = { certificate: 'ca.crt', key: 'ca.key.age', draft: 'ca.crt.making' } as const;

test.each<[string, readonly (keyof typeof GIVEN)[], { bundle: boolean; hasKey: boolean; isDraft: boolean }]>([
  ['nothing', [], { bundle: false, hasKey: false, isDraft: false }],
  ['a certificate alone', ['certificate'], { bundle: true, hasKey: false, isDraft: false }],
  ['both', ['certificate', 'key'], { bundle: true, hasKey: true, isDraft: false }],
  ['a draft whose run was killed before it wrote the key', ['draft'], { bundle: false, hasKey: false, isDraft: false }],
  ['a draft with its key', ['draft', 'key'], { bundle: true, hasKey: true, isDraft: true }],
  ['all three', ['certificate', 'key', 'draft'], { bundle: true, hasKey: true, isDraft: false }],
])('%s is read as what it is', async (_, names, { bundle, ...rest }) => {
  for (const name of names) await writeFile(at(GIVEN[name]), pem);
  expect(await readAuthorityFiles(directory)).toEqual({ bundle: bundle ? pem : undefined, ...rest });
});

test('a key alone is a store that lost its certificate', async () => {
  await writeFile(at('ca.key.age'), 'key');
  await expect(readAuthorityFiles(directory)).rejects.toMatchObject({
    code: 'store-broken',
    message: `${at('ca.key.age')} has no ${at('ca.crt')} beside it`,
  });
});

test.each([
  ['empty', () => '', 'no certificate'],
  ['text', () => 'nothing', 'no certificate'],
  ['a certificate and a half', () => pem + pem.slice(0, 200), '2 PEM blocks, and only 1 readable certificates'],
  [
    'damaged',
    () => pem.replace(/^(-----BEGIN.*\n).{8}/, '$1AAAAAAAA'),
    '1 PEM blocks, and only 0 readable certificates',
  ],
])('one that is %s is damaged, also as a draft', async (_, text, holds) => {
  for (const name of ['ca.crt', 'ca.crt.making']) {
    await writeFile(at('ca.key.age'), 'key');
    await writeFile(at(name), text());
    await expect(readAuthorityFiles(directory)).rejects.toMatchObject({
      code: 'store-broken',
      message: `${at(name)} is damaged: it holds ${holds}. No new authority is made in its place: the hosts trust this one`,
    });
    directory = temporaryDirectory('authority-files');
  }
});

test.each(['ca.crt', 'ca.key.age', 'ca.crt.making'])('a directory in place of %s is no "none"', async (name) => {
  await mkdir(at(name));
  await expect(readAuthorityFiles(directory)).rejects.toMatchObject({
    code: 'store-broken',
    message: expect.stringContaining(`${at(name)} cannot be read: `) as unknown,
    hint: expect.stringContaining(`ls -ld ${at(name)}`) as unknown,
  });
});

const files = async (): Promise<readonly string[]> =>
  Promise.all(
    (await readdir(directory)).sort().map(async (name) => {
      const { mode } = await stat(at(name));
      return `${name} ${(mode & 0o777).toString(8)} ${await readFile(at(name), 'utf8')}`;
    }),
  );

test('an authority is written, and no second one over it', async () => {
  expect(await writeAuthorityFiles(directory, 'one', 'key', 's')).toBe(true);
  expect(await files()).toEqual(['ca.crt 644 one', 'ca.key.age 600 key']);
  expect(await writeAuthorityFiles(directory, 'two', 'other key', 's')).toBe(false);
  expect(await files()).toEqual(['ca.crt 644 one', 'ca.key.age 600 key']);
});

test('a certificate that came in between stays, and so does the draft that fits the key', async () => {
  await writeFile(at('ca.crt'), 'theirs', { mode: 0o644 });
  expect(await writeAuthorityFiles(directory, 'ours', 'key', 's')).toBe(false);
  expect(await files()).toEqual(['ca.crt 644 theirs', 'ca.crt.making 644 ours', 'ca.key.age 600 key']);
});

test('the last step needs no draft: another run may have removed it', async () => {
  expect(await placeCertificate(directory, 'one', 's')).toBe(true);
  expect(await placeCertificate(directory, 'two', 's')).toBe(false);
  expect(await files()).toEqual(['ca.crt 644 one']);
});
