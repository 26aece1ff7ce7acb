import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createLook, type Look } from '../../src/facts/batched-probe.js';
import { fileContent } from '../../src/facts/file-content.js';
import { fileState } from '../../src/facts/file-state.js';
import { packageState } from '../../src/facts/packages.js';
import { pathExists } from '../../src/facts/path-exists.js';
import { sysctlValue } from '../../src/facts/sysctl.js';
import { groupExists, userState } from '../../src/facts/accounts.js';
import type { Fact } from '../../src/model/remote.js';
import { createLocalTransport, type LocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const hasDpkg = existsSync('/usr/bin/dpkg-query');

let directory: string;
let transport: LocalTransport;
let look: Look;

beforeEach(async () => {
  directory = temporaryDirectory('look');
  transport = createLocalTransport('here');
  look = createLook({
    send: (_, script) => transport.run({ summary: 'look', script }),
    token: () => 'T0ken',
  });
});

const probe = (): ReturnType<Look['probe']> => look.probe('here');

describe('a look', () => {
  test('asks all that is asked in one turn with one exec, however many facts and keys', async () => {
    await writeFile(join(directory, 'x'), 'text');
    const answers = await Promise.all([
      probe().ask(pathExists, join(directory, 'x')),
      probe().ask(pathExists, join(directory, 'none')),
      probe().ask(groupExists, 'root'),
      // A later microtask of the same turn joins the same batch.
      Promise.resolve().then(() => probe().ask(fileContent, join(directory, 'x'))),
      probe().on('here').ask(pathExists, directory),
    ]);
    expect(answers).toEqual([true, false, true, 'text', true]);
    expect(transport.commands).toHaveLength(1);
  });

  test('does not ask the same again', async () => {
    await probe().ask(pathExists, directory);
    await probe().ask(pathExists, directory);
    expect(transport.commands).toHaveLength(1);
  });

  test('keeps answers apart, whatever they print', async () => {
    const rude: Fact<string> = {
      name: 'rude',
      script: () => `cat; printf 'no newline'; exit 0`,
      parse: (stdout, keys) => new Map(keys.map((key) => [key, stdout])),
    };
    expect(await Promise.all([probe().ask(rude, 'k'), probe().ask(pathExists, directory)])).toEqual([
      'no newline',
      true,
    ]);
  });

  test('gives the bytes of an answer as they came', async () => {
    const bytes: Fact<string> = {
      name: 'bytes',
      script: () => `printf '\\377\\000\\n\\n'`,
      parse: (_, keys, raw = Buffer.of()) => new Map(keys.map((key) => [key, Buffer.from(raw).toString('hex')])),
    };
    expect(await probe().ask(bytes, 'k')).toBe(Buffer.from('\xff\0\n\n', 'latin1').toString('hex'));
  });

  test('names the fact that failed, with its output', async () => {
    const broken: Fact<string> = { name: 'broken', script: () => 'echo oops >&2; exit 3', parse: () => new Map() };
    await expect(probe().ask(broken, 'k')).rejects.toMatchObject({
      message: 'here: fact broken: ended with status 3',
      output: 'oops\n',
    });
  });

  test('fails every question when the shell is cut off', async () => {
    const deadly: Fact<string> = { name: 'deadly', script: () => 'kill $$', parse: () => new Map() };
    const asked = [probe().ask(deadly, 'k'), probe().ask(pathExists, directory)];
    for (const answer of await Promise.allSettled(asked)) expect(answer.status).toBe('rejected');
  });
});

describe('facts', () => {
  test('file states: kinds, owners, modes, sums; links are followed; names may be odd', async () => {
    const odd = join(directory, "it's a file");
    await writeFile(odd, 'abc', { mode: 0o640 });
    await mkdir(join(directory, 'd'), { mode: 0o700 });
    await symlink(odd, join(directory, 'link'));
    const ask = (path: string): Promise<unknown> => probe().ask(fileState, path);
    const [file, folder, link, none, device] = await Promise.all([
      ask(odd),
      ask(join(directory, 'd')),
      ask(join(directory, 'link')),
      ask(join(directory, 'none')),
      ask('/dev/null'),
    ]);
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(file).toMatchObject({ kind: 'file', mode: '0640', sha256 });
    expect((file as { changedAt: number }).changedAt).toBeCloseTo(Date.now() / 1000, -2);
    expect(folder).toMatchObject({ kind: 'directory', mode: '0700', sha256: undefined });
    expect(link).toMatchObject({ kind: 'file', sha256 });
    expect(none).toEqual({ kind: 'absent' });
    expect(device).toMatchObject({ kind: 'other' });
    expect(transport.commands).toHaveLength(1);
  });

  test('file contents survive as they are', async () => {
    const text = 'zeile ä\n\ttab  two spaces\n\n';
    await writeFile(join(directory, 'f'), text);
    expect(await probe().ask(fileContent, join(directory, 'f'))).toBe(text);
    expect(await probe().ask(fileContent, join(directory, 'none'))).toBeUndefined();
  });

  test('accounts', async () => {
    const [root, nobody] = await Promise.all([probe().ask(userState, 'root'), probe().ask(userState, 'no-such-user')]);
    expect(root).toMatchObject({ home: '/root', groups: expect.arrayContaining(['root']) });
    expect(nobody).toBeUndefined();
    expect(await probe().ask(groupExists, 'no-such-group')).toBe(false);
  });

  test('kernel settings', async () => {
    expect(await probe().ask(sysctlValue, 'kernel.ostype')).toBe('Linux');
    expect(await probe().ask(sysctlValue, 'no.such.key')).toBeUndefined();
  });

  if (!hasDpkg) console.warn('skipped: package facts, because this machine has no dpkg');
  (hasDpkg ? test : test.skip)('packages', async () => {
    const [libc, none] = await Promise.all([
      probe().ask(packageState, 'coreutils'),
      probe().ask(packageState, 'no-such-package'),
    ]);
    expect(libc).toMatchObject({ installed: expect.stringMatching(/^\d/), held: false });
    expect(none).toEqual({ installed: undefined, candidate: undefined, held: false });
  });
});
