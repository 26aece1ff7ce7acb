import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readLockScript, releaseLockScript, takeLockScript } from '../../src/shell/lock.js';
import { createLocalTransport } from '../support/local-transport.js';

const ANNA = '{"user":"anna","inventory":"/srv/it\'s here"}';
const BEN = '{"user":"ben"}';

describe('the lock on a host', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lock-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  /** Runs a script as a host would, with its lock in a directory of this test. */
  async function onHost(script: string): Promise<string> {
    const here = script.replaceAll('/run/lock', directory);
    const ended = await createLocalTransport('here').run({ summary: 'lock', script: here });
    if (ended.status !== 0) throw new Error(ended.stderr);
    return ended.stdout.trim();
  }

  test('is taken when free, told to whoever comes second, and free again after its release', async () => {
    expect(await onHost(takeLockScript(ANNA, ''))).toBe('');
    expect(await onHost(takeLockScript(BEN, ''))).toBe(ANNA);
    expect(await onHost(readLockScript())).toBe(ANNA);
    await onHost(releaseLockScript(ANNA));
    expect(await onHost(readLockScript())).toBe('');
  });

  test('is taken over only from the one that was known to be left', async () => {
    await onHost(takeLockScript(ANNA, ''));
    expect(await onHost(takeLockScript(BEN, `${ANNA}x`))).toBe(ANNA);
    expect(await onHost(takeLockScript(BEN, ANNA))).toBe('');
    expect(await onHost(readLockScript())).toBe(BEN);
  });

  test('of another is not released', async () => {
    await onHost(takeLockScript(ANNA, ''));
    await onHost(releaseLockScript(BEN));
    expect(await onHost(readLockScript())).toBe(ANNA);
  });

  test('goes to one of many that ask at once', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `{"user":"u${index}"}`);
    const answers = await Promise.all(texts.map(async (text) => onHost(takeLockScript(text, ''))));
    const winner = await onHost(readLockScript());
    expect(answers.filter((answer) => answer === '')).toHaveLength(1);
    expect(texts[answers.indexOf('')]).toBe(winner);
    expect(new Set(answers)).toEqual(new Set(['', winner]));
  });
});
