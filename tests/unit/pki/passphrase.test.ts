import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ProvisionError } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import { type AskPassphrase, passphraseSource } from '../../../src/pki/passphrase.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('passphrase');
});

const nobody: AskPassphrase = () => Promise.reject(new Error('nobody to ask'));
const ENV = { PROVISION_CA_PASSPHRASE: 'from-the-environment' };

async function fileHolding(text: string): Promise<string> {
  const file = join(directory, 'passphrase');
  await writeFile(file, text);
  return file;
}

const given = (passphrase: Secret): Promise<Secret> => Promise.resolve(passphrase);

/** What only `correct horse` opens. */
function open(passphrase: Secret): Promise<string> {
  if (passphrase.reveal() === 'correct horse') return Promise.resolve('opened');
  return Promise.reject(new ProvisionError({ code: 'wrong-passphrase', message: 'wrong passphrase for x' }));
}

describe('a person who mistypes', () => {
  function typing(...typed: readonly string[]) {
    const questions: string[] = [];
    const ask: AskPassphrase = (question, kind) => {
      questions.push(`${kind}: ${question}`);
      return Promise.resolve(new Secret(typed[questions.length - 1] ?? ''));
    };
    return { questions, source: passphraseSource({ file: undefined, env: {}, ask }) };
  }

  test('is asked again, and not once more for what the same passphrase opens', async () => {
    const { questions, source } = typing('corect horse', 'correct horse');
    expect(await source.opening('x', open)).toBe('opened');
    expect(await source.opening('x', open)).toBe('opened');
    expect(questions).toEqual(['existing: Passphrase of x', 'existing: That was not it. Passphrase of x']);
  });

  test('three times, learns that it is wrong', async () => {
    const { questions, source } = typing('a', 'b', 'c', 'correct horse');
    await expect(source.opening('x', open)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect(questions).toHaveLength(3);
  });

  test('is not asked again for what no passphrase opens', async () => {
    const { questions, source } = typing('a', 'b');
    const damaged = new ProvisionError({ code: 'encrypted-file-damaged', message: 'x is not a complete age file' });
    await expect(source.opening('x', () => Promise.reject(damaged))).rejects.toBe(damaged);
    expect(questions).toHaveLength(1);
  });

  test('is no person where a file or the environment has it: that is wrong at once', async () => {
    const source = passphraseSource({ file: undefined, env: ENV, ask: nobody });
    let tries = 0;
    const counted = (passphrase: Secret): Promise<string> => {
      tries += 1;
      return open(passphrase);
    };
    await expect(source.opening('x', counted)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect(tries).toBe(1);
  });
});

describe('passphraseSource', () => {
  test('the file comes before the environment; its line end is not part of it', async () => {
    const file = await fileHolding(' from the file \r\n');
    const source = passphraseSource({ file, env: ENV, ask: nobody });
    expect((await source.opening('ca.key.age', given)).reveal()).toBe(' from the file ');
  });

  test('the environment comes before a person', async () => {
    const source = passphraseSource({ file: undefined, env: ENV, ask: nobody });
    expect((await source.opening('ca.key.age', given)).reveal()).toBe('from-the-environment');
  });

  test('a person is asked once, in words that fit', async () => {
    const questions: string[] = [];
    const ask: AskPassphrase = (question, kind) => {
      questions.push(`${kind}: ${question}`);
      return Promise.resolve(new Secret('typed by a person'));
    };
    const source = passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '' }, ask });
    await Promise.all([source.chosen('pki/ca.key.age'), source.chosen('pki/ca.key.age')]);
    await source.opening('pki/ca.key.age', given);
    expect(questions).toEqual(['new: New passphrase for pki/ca.key.age']);
  });

  test('a new one must not be short; an old one may be', async () => {
    const source = passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '1234567' }, ask: nobody });
    await expect(source.chosen('ca.key.age')).rejects.toMatchObject({ code: 'passphrase-too-short' });
    expect((await source.opening('ca.key.age', given)).reveal()).toBe('1234567');
    const enough = passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '12345678' }, ask: nobody });
    expect((await enough.chosen('ca.key.age')).reveal()).toBe('12345678');
  });

  test.each([
    ['is empty', '\n'],
    ['holds more than one line', 'one\ntwo\n'],
  ])('a file that %s is refused', async (why, text) => {
    const file = await fileHolding(text);
    const asked = passphraseSource({ file, env: {}, ask: nobody }).opening('ca.key.age', given);
    await expect(asked).rejects.toMatchObject({
      code: 'passphrase-file-unusable',
      message: expect.stringContaining(why),
    });
  });

  test('a file is checked before it is needed, and read once: it may be a pipe', async () => {
    const file = await fileHolding('1234567\n');
    const source = passphraseSource({ file, env: {}, ask: nobody });
    await source.checkFile();
    await expect(source.checkFile('pki')).rejects.toMatchObject({ code: 'passphrase-too-short' });
    await rm(file);
    expect((await source.opening('ca.key.age', given)).reveal()).toBe('1234567');
    const mistyped = passphraseSource({ file: '/nowhere/passphrase', env: ENV, ask: nobody });
    await expect(mistyped.checkFile()).rejects.toMatchObject({ code: 'passphrase-file-unusable' });
  });

  test('where no file is named, nothing is checked and nobody is asked', async () => {
    await passphraseSource({ file: undefined, env: { PROVISION_CA_PASSPHRASE: '1' }, ask: nobody }).checkFile('pki');
  });

  test('a file that is not there is refused by its name', async () => {
    const asked = passphraseSource({ file: '/nowhere/passphrase', env: ENV, ask: nobody }).opening('ca.key.age', given);
    await expect(asked).rejects.toThrow('/nowhere/passphrase cannot be read');
  });
});

test.each([
  ['/tmp', /the passphrase file \/tmp cannot be read: .*EISDIR/],
  ['/dev/zero', /the passphrase file \/dev\/zero cannot be read: .*holds more than 64 KiB/],
])('%s in place of the file is an error that names it', async (file, message) => {
  const asked = passphraseSource({ file, env: {}, ask: nobody }).opening('ca.key.age', given);
  await expect(asked).rejects.toThrow(message);
});
