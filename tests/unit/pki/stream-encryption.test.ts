import { expect, test } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { decryptStream, encryptStream } from '../../../src/pki/stream-encryption.js';

const SECRET = new Secret('a long passphrase');

const streamOf = (...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> => new Blob(chunks as never).stream();

async function collect(chunks: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const sealed = async (text: string): Promise<Buffer> =>
  collect(await encryptStream(streamOf(Buffer.from(text)), SECRET, 10));
const opened = async (bytes: Buffer, secret = SECRET): Promise<string> =>
  (await collect(decryptStream(streamOf(bytes), secret, 'the snapshot'))).toString();

test('what is encrypted with a passphrase is opened with it alone', async () => {
  const bytes = await sealed('planted');
  // The file format of age: one recipient, a passphrase, and how much work it is to try one.
  expect(bytes.toString('latin1').split('\n').slice(0, 2)).toEqual([
    'age-encryption.org/v1',
    expect.stringMatching(/^-> scrypt \S+ 10$/),
  ]);
  expect(bytes.includes('planted')).toBe(false);
  expect(await opened(bytes)).toBe('planted');
  await expect(opened(bytes, new Secret('another one'))).rejects.toMatchObject({ code: 'wrong-passphrase' });
});

test('what was cut off or changed is damaged, with its name', async () => {
  const bytes = await sealed('x'.repeat(200_000));
  const changed = Buffer.from(bytes);
  changed[bytes.length - 9] = (changed[bytes.length - 9] ?? 0) ^ 1;
  for (const damaged of [bytes.subarray(0, -9), changed])
    await expect(opened(damaged)).rejects.toMatchObject({
      code: 'encrypted-file-damaged',
      message: expect.stringContaining('the snapshot'),
    });
});
