import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { type AskPassphrase, passphraseSource } from '../../../src/pki/passphrase.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'provision-passphrase-'));
});

afterEach(() => rm(directory, { recursive: true }));

const nobody: AskPassphrase = () => Promise.reject(new Error('nobody to ask'));
const ENV = { PROVISION_CA_PASSPHRASE: 'from-the-environment' };

async function fileHolding(text: string): Promise<string> {
  const file = join(directory, 'passphrase');
  await writeFile(file, text);
  return file;
}

describe('passphraseSource', () => {
  test('the file comes before the environment; its line end is not part of it', async () => {
    const file = await fileHolding(' from the file \r\n');
    const source = passphraseSource({ file, env: ENV, ask: nobody });
    expect((await source.existing('ca.key.age')).reveal()).toBe(' from the file ');
  });

  test('the environment comes before a person', async () => {
    const source = passphraseSource({ file: undefined, env: ENV, ask: nobody });
    expect((await source.existing('ca.key.age')).reveal()).toBe('from-the-environment');
  });

  test('a person is asked once, in words that fit', async () => {
    const questions: string[] = [];
    const ask: AskPassphrase = (question, kind) => {
      questions.push(`${kind}: ${question}`);
      return Promise.resolve(new Secret('typed by a person'));
    };
    const source = passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '' }, ask });
    await Promise.all([source.chosen('pki/ca.key.age'), source.chosen('pki/ca.key.age')]);
    await source.existing('pki/ca.key.age');
    expect(questions).toEqual(['new: New passphrase for pki/ca.key.age']);
  });

  test('a new one must not be short; an old one may be', async () => {
    const source = passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '1234567' }, ask: nobody });
    await expect(source.chosen('ca.key.age')).rejects.toMatchObject({ code: 'passphrase-too-short' });
    expect((await source.existing('ca.key.age')).reveal()).toBe('1234567');
  });

  test.each([
    ['is empty', '\n'],
    ['holds more than one line', 'one\ntwo\n'],
  ])('a file that %s is refused', async (why, text) => {
    const file = await fileHolding(text);
    const asked = passphraseSource({ file, env: {}, ask: nobody }).existing('ca.key.age');
    await expect(asked).rejects.toMatchObject({
      code: 'passphrase-file-unusable',
      message: expect.stringContaining(why),
    });
  });

  test('a file that is not there is refused by its name', async () => {
    const asked = passphraseSource({ file: '/nowhere/passphrase', env: ENV, ask: nobody }).existing('ca.key.age');
    await expect(asked).rejects.toThrow('/nowhere/passphrase cannot be read');
  });
});

test.each([
  ['/tmp', /the passphrase file \/tmp cannot be read: .*EISDIR/],
  ['/dev/zero', /the passphrase file \/dev\/zero cannot be read: .*holds more than 64 KiB/],
])('%s in place of the file is an error that names it', async (file, message) => {
  const asked = passphraseSource({ file, env: {}, ask: nobody }).existing('ca.key.age');
  await expect(asked).rejects.toThrow(message);
});
