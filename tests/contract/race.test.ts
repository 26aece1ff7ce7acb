import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { changeDirectoryScript, changeFileScript } from '../../src/shell/change-ownership.js';
import { BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import { installCertificateScript } from '../../src/shell/install-certificate.js';
import { makeDirectoryScript, removeDirectoryScript } from '../../src/shell/make-directory.js';
import { quote } from '../../src/shell/quote.js';
import { removeFileScript, restoreFileScript, writeFileScript } from '../../src/shell/write-file.js';
import { createLocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** `nobody`, `nogroup` in Debian's base-passwd. */
const APP = 65534;
const OWNED = { owner: 'nobody', group: 'nogroup', mode: '0644' };
/** How often all that root does is tried against each variant. */
const ROUNDS = 4;
const TIMEOUT_MS = 240_000;

const isRoot = userInfo().uid === 0;
if (!isRoot) console.warn('skipped: races with another user, because they need root');

let root: string;
let app: string;
let victim: string;
let victims: string;
let backups: string;

const transport = createLocalTransport('here');

beforeEach(async () => {
  root = temporaryDirectory('race');
  await chmod(root, 0o755);
  [app, victims, backups] = [join(root, 'app'), join(root, 'victims'), join(root, 'backups')];
  victim = join(victims, 'victim');
  for (const directory of [app, join(app, 'conf'), victims]) await mkdir(directory);
  for (const directory of [app, join(app, 'conf')]) await chown(directory, APP, APP);
  await writeFile(victim, 'precious\n');
  await chmod(victim, 0o644);
});

/** What is root's: content, owner and mode of the file, and what is beside it. */
async function precious(): Promise<unknown> {
  const [own, above] = [await stat(victim), await stat(victims)];
  return {
    text: await readFile(victim, 'utf8'),
    owners: [own.uid, own.mode, above.uid, above.mode],
    names: await readdir(victims),
  };
}

async function run(script: string, stdin = ''): Promise<number> {
  const inside = script.replaceAll(BACKUP_ROOT, backups);
  return (await transport.run({ summary: 'act', script: inside, stdin })).status;
}

/** All that root does with a path in a directory of app's. */
async function actOn(path: string, round: number): Promise<readonly number[]> {
  const [written, removed] = [`run${round}.0`, `run${round}.1`];
  const pair = { layout: 'pair', certificatePath: `${path}.crt`, keyPath: `${path}.key` } as const;
  const install = installCertificateScript({ destination: pair, ownership: OWNED, key: 'new', bytes: 4 }, written);
  const directory = { path: join(path, '..', 'made', 'deep'), ...OWNED, mode: '0755' };
  const statuses = [];
  for (const [script, stdin] of [
    [writeFileScript({ path, ...OWNED }, 4, written), 'new\n'],
    [changeFileScript(path, OWNED), ''],
    [removeFileScript(path, removed), ''],
    [restoreFileScript({ path, name: removed, when: 'if-kept' }), ''],
    [restoreFileScript({ path, name: written, when: 'if-kept' }), ''],
    [install.replace('command -v openssl >/dev/null ||', 'true &&'), 'new\n'],
    [makeDirectoryScript(directory, written), ''],
    [changeDirectoryScript(join(path, '..'), { ...OWNED, mode: '0755' }), ''],
    [removeDirectoryScript({ path: directory.path, name: written }), ''],
  ] as const)
    statuses.push(await run(script, stdin));
  return statuses;
}

/** Runs work while app exchanges what it can. */
async function against(kind: string, work: () => Promise<void>): Promise<void> {
  const attacker = spawn('perl', [resolve('tests/support/race.pl'), kind, app, victim, victims], {
    ...{ uid: APP, gid: APP, cwd: '/' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(attacker, 'close');
  await once(attacker.stdout, 'data');
  await work().finally(() => attacker.stdin.end());
  await ended;
}

(isRoot ? describe : describe.skip)('root, in a directory of another user', () => {
  test.each(['stage', 'target', 'dangling', 'directory'])(
    'follows nothing that is exchanged while it works: %s',
    async (kind) => {
      const before = await precious();
      const path = kind === 'directory' ? join(app, 'conf', 'app.conf') : join(app, 'app.conf');
      await against(kind, async () => {
        for (let round = 0; round < ROUNDS; round += 1) await actOn(path, round);
      });
      expect(await precious()).toEqual(before);
    },
    TIMEOUT_MS,
  );

  test.each(['stage', 'directory'])(
    'would be caught following, had it worked by names as it did: %s',
    async (kind) => {
      const before = await precious();
      const directory = kind === 'directory' ? join(app, 'conf') : app;
      const naive = `stage=$(mktemp ${directory}/.app.conf.XXXXXX); cat >"$stage"; sleep 0.01; chown nobody "$stage"; chmod 600 "$stage"; mv -T "$stage" ${directory}/app.conf`;
      await against(kind, async () => {
        while (JSON.stringify(await precious()) === JSON.stringify(before)) await run(naive, 'new\n');
      });
      expect(await precious()).not.toEqual(before);
    },
    TIMEOUT_MS,
  );

  test('does all of it where nobody interferes', async () => {
    expect(await actOn(join(app, 'app.conf'), 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect((await readdir(app)).sort()).toEqual(['app.conf.crt', 'app.conf.key', 'conf']);
  });

  test('gives nobody what has another name elsewhere: a hard link', async () => {
    await link(victim, join(app, 'app.conf'));
    const before = await precious();
    expect(await run(changeFileScript(join(app, 'app.conf'), OWNED))).not.toBe(0);
    expect(await run(writeFileScript({ path: join(app, 'app.conf'), ...OWNED }, 4, 'run.0'), 'new\n')).toBe(0);
    expect(await run(restoreFileScript({ path: join(app, 'app.conf'), name: 'run.0', when: 'kept' }))).toBe(0);
    expect(await precious()).toEqual(before);
  });

  test('refuses links on the way that others may have put there, and follows its own', async () => {
    await symlink(victims, join(app, 'link'));
    await symlink(app, join(root, 'own'));
    const before = await precious();
    for (const script of [
      writeFileScript({ path: join(app, 'link', 'planted'), ...OWNED }, 4, 'run.0'),
      makeDirectoryScript({ path: join(app, 'link', 'planted'), ...OWNED }, 'run.1'),
      removeFileScript(join(app, 'link', 'victim'), 'run.2'),
      changeDirectoryScript(join(app, 'link'), OWNED),
    ])
      expect(await run(script, 'new\n')).toBe(1);
    expect(await precious()).toEqual(before);
    expect(await run(writeFileScript({ path: join(root, 'own', 'a.conf'), ...OWNED }, 4, 'run.3'), 'new\n')).toBe(0);
    expect(await readFile(join(app, 'a.conf'), 'utf8')).toBe('new\n');
  });

  test('has a file checked where it is staged, also when the script is fed by a pipe, as over SSH', async () => {
    const path = join(app, 'app.conf');
    const target = { path, ...OWNED, validate: 'cd /; grep -q new "$1" && [ "${1#/}" != "$1" ]' };
    const script = `printf 'new\\n' | eval ${quote(writeFileScript(target, 4, 'run.0'))}`;
    expect(await run(script)).toBe(0);
    expect(await readFile(path, 'utf8')).toBe('new\n');
    const refused = { ...target, validate: 'grep -q good "$1"' };
    expect(await run(`printf 'new\\n' | eval ${quote(writeFileScript(refused, 4, 'run.1'))}`)).toBe(1);
    expect(await readdir(app)).toEqual(['app.conf', 'conf']);
  });

  test('stages elsewhere only where no one else can write on the way', async () => {
    const target = { path: join(app, 'conf', 'a.conf'), ...OWNED, stagingDirectory: app };
    expect(await run(writeFileScript(target, 4, 'run.0'), 'new\n')).toBe(1);
    expect(await readdir(join(app, 'conf'))).toEqual([]);
  });
});

(isRoot ? describe : describe.skip)('directories', () => {
  test('are made with parents that everyone can pass, whatever the umask, and rolled back', async () => {
    const path = join(victims, 'a', 'b', 'c');
    const script = `umask 077\n${makeDirectoryScript({ path, ...OWNED, mode: '0700' }, 'run.0')}`;
    expect(await run(script)).toBe(0);
    expect((await stat(join(victims, 'a', 'b'))).mode & 0o777).toBe(0o755);
    expect(await stat(path)).toMatchObject({ uid: APP, gid: APP });
    expect(await run(removeDirectoryScript({ path, name: 'run.0' }))).toBe(0);
    expect(await readdir(victims)).toEqual(['victim']);
  });

  test('that are in use by then are left, and said to be', async () => {
    const path = join(victims, 'a');
    await run(makeDirectoryScript({ path, ...OWNED }, 'run.0'));
    await writeFile(join(path, 'data'), '');
    expect(await run(removeDirectoryScript({ path, name: 'run.0' }))).not.toBe(0);
    expect(await readdir(path)).toEqual(['data']);
  });

  test('change owner and mode only from what was found', async () => {
    const found = { owner: 'root', group: 'root', mode: '0755' };
    expect(await run(changeDirectoryScript(victims, OWNED, { ...found, mode: '0700' }))).toBe(1);
    expect(await run(changeDirectoryScript(victims, OWNED, found))).toBe(0);
    expect(await run(changeDirectoryScript(victims, found))).toBe(0);
    expect((await stat(victims)).uid).toBe(0);
  });
});
