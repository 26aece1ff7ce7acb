import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { lockMark, NOT_ROOT, readLockScript, releaseLockScript, takeLockScript } from '../../src/shell/lock.js';
import { quote } from '../../src/shell/quote.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ANNA = '{"user":"anna","inventory":"/srv/it\'s here"}';
const BEN = '{"user":"ben"}';

describe('the lock on a host', () => {
  let directory: string;

  beforeEach(async () => {
    directory = temporaryDirectory('lock');
  });

  /** Runs a script as a host would, with /run in a directory of this test. */
  async function run(script: string): Promise<{ status: number; stdout: string; stderr: string }> {
    const here = script.replaceAll('/run/provision', `${directory}/provision`);
    return createLocalTransport('here').run({ summary: 'lock', script: here });
  }

  async function onHost(script: string): Promise<string> {
    const ended = await run(script);
    if (ended.status !== 0) throw new Error(ended.stderr);
    return ended.stdout;
  }

  test('is taken when free, told to whoever comes second, and free again after its release', async () => {
    expect(await onHost(takeLockScript(ANNA, ''))).toBe('');
    expect(await onHost(takeLockScript(BEN, ''))).toBe(lockMark(ANNA));
    expect(await onHost(readLockScript())).toBe(lockMark(ANNA));
    expect(await onHost(releaseLockScript(lockMark(ANNA)))).toBe('');
    expect(await onHost(readLockScript())).toBe('');
  });

  test('is asked only in turn: of two who look at once, the second sees the first', async () => {
    // A stand-in for flock(1): while this one waited for its turn, another operator took the lock.
    const turn = join(directory, 'bin');
    mkdirSync(turn);
    const taken = `ln -sfT -- ${quote(BEN)} '${directory}/provision/lock'`;
    writeFileSync(join(turn, 'flock'), `#!/bin/sh\n[ "$*" = '-w 10 9' ] && ${taken}\n`, { mode: 0o755 });
    const inTurn = (script: string): string => `PATH='${turn}':$PATH\n${script}`;
    expect(await onHost(inTurn(takeLockScript(ANNA, '')))).toBe(lockMark(BEN));
    await onHost(`ln -sfT -- ${quote(ANNA)} /run/provision/lock`);
    expect(await onHost(inTurn(releaseLockScript(lockMark(ANNA))))).toBe(lockMark(BEN));
    // Who does not get the turn changes nothing.
    writeFileSync(join(turn, 'flock'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    expect((await run(inTurn(takeLockScript(ANNA, lockMark(BEN))))).status).toBe(1);
    expect(await onHost(readLockScript())).toBe(lockMark(BEN));
  });

  test('is taken over only from the one that was known to be left', async () => {
    await onHost(takeLockScript(ANNA, ''));
    expect(await onHost(takeLockScript(BEN, lockMark(`${ANNA}x`)))).toBe(lockMark(ANNA));
    expect(await onHost(takeLockScript(BEN, lockMark(ANNA)))).toBe('');
    expect(await onHost(readLockScript())).toBe(lockMark(BEN));
  });

  test('of another is not released, and the release says that it stands', async () => {
    await onHost(takeLockScript(ANNA, ''));
    expect(await onHost(releaseLockScript(lockMark(BEN)))).toBe(lockMark(ANNA));
  });

  test('may be taken again by who has it: one machine may have two names', async () => {
    await onHost(takeLockScript(ANNA, ''));
    expect(await onHost(takeLockScript(ANNA, ''))).toBe('');
  });

  test.each(['ends in a blank ', 'ends in newlines\n\n', '\u001b[31mred\\n$(id)`id`', '-n', "'", '?', 'ü\udcff'])(
    'is read and broken exactly as it is: %j',
    async (text) => {
      mkdirSync(join(directory, 'provision'), { mode: 0o700 });
      symlinkSync(text, join(directory, 'provision/lock'));
      const mark = await onHost(readLockScript());
      expect(mark).toBe(lockMark(text));
      expect(await onHost(takeLockScript(ANNA, lockMark(text.trim() === text ? `${text}x` : text.trim())))).toBe(mark);
      expect(await onHost(releaseLockScript(mark))).toBe('');
      expect(await onHost(readLockScript())).toBe('');
    },
  );

  test('is not free where anything else stands in its place', async () => {
    mkdirSync(join(directory, 'provision/lock'), { recursive: true, mode: 0o700 });
    expect(await onHost(readLockScript())).toBe('?');
    expect(await onHost(takeLockScript(ANNA, ''))).toBe('?');
  });

  test('goes to one of many that ask at once', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `{"user":"u${index}"}`);
    const answers = await Promise.all(texts.map(async (text) => onHost(takeLockScript(text, ''))));
    const winner = await onHost(readLockScript());
    expect(answers.filter((answer) => answer === '')).toHaveLength(1);
    expect(lockMark(texts[answers.indexOf('')] ?? '')).toBe(winner);
    expect(new Set(answers)).toEqual(new Set(['', winner]));
  });

  describe('and a user who is not root', () => {
    const asNobody = (script: string): string =>
      `setpriv --reuid 65534 --regid 65534 --clear-groups sh -c ${quote(script)}`;

    beforeEach(async () => {
      await onHost(`chmod 755 ${directory}`);
    });

    test('can not hold it, and is refused with that reason', async () => {
      expect(await run(asNobody(takeLockScript(BEN, '')))).toMatchObject({
        status: NOT_ROOT,
        stderr: 'only root can lock a host\n',
      });
    });

    test('can neither see, forge, break nor block it', async () => {
      await onHost(takeLockScript(ANNA, ''));
      const attacks = [
        'ls /run/provision',
        'ln -sf forged /run/provision/lock',
        'rm -rf /run/provision',
        'mv /run/provision /run/other',
        'exec 9</run/provision && flock 9',
      ];
      for (const attack of attacks) expect((await run(asNobody(attack))).status).not.toBe(0);
      expect(await onHost(readLockScript())).toBe(lockMark(ANNA));
      expect(await onHost(takeLockScript(BEN, lockMark(ANNA)))).toBe('');
    });

    test.each([
      ['a directory of theirs', 'mkdir -m 700 /run/provision'],
      ['a link of theirs', 'mkdir -m 700 /run/elsewhere; ln -s /run/elsewhere /run/provision'],
    ])('gets nowhere with %s in its place, where they could make it', async (_, plant) => {
      await onHost(`chmod 777 ${directory}`);
      const here = plant.replaceAll('/run/elsewhere', `${directory}/elsewhere`);
      expect((await run(asNobody(here))).status).toBe(0);
      expect(await run(takeLockScript(ANNA, ''))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('is not a directory for root only') as unknown,
      });
    });

    test('could block a lock that they can open: the check above would notice', async () => {
      await onHost(`mkdir -m 755 ${directory}/provision`);
      expect((await run(asNobody('exec 9</run/provision && flock -n 9'))).status).toBe(0);
      expect((await run(takeLockScript(ANNA, ''))).status).toBe(1);
    });
  });
});
