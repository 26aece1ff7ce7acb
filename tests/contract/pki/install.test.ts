import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { certificateFiles, type CertificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { CertificateDestination } from '../../../src/model/certificate.js';
import type { Ownership } from '../../../src/model/action.js';
import type { Output } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import { publicKeyText, readCertificates } from '../../../src/pki/inspect.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { installCertificateScript, restoreCertificateScript } from '../../../src/shell/install-certificate.js';
import { BACKUP_ROOT, backupDirectory } from '../../../src/shell/kept-copy.js';
import { createLocalTransport } from '../../support/local-transport.js';
import { hasOpenssl, openssl } from '../../support/openssl.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

let copies = 0;
let directory: string;
let pki: string;
let me: Ownership;
let pair: CertificateDestination & { layout: 'pair' };

beforeEach(async () => {
  directory = temporaryDirectory('install');
  pki = join(directory, "p k'i");
  await mkdir(pki);
  const { username, gid } = userInfo();
  me = { owner: username, group: String(gid), mode: '0600' };
  pair = { layout: 'pair', certificatePath: join(pki, 'server.crt'), keyPath: join(pki, 'server.key') };
});

/** Runs a script as on a host, with the backups inside the test's own directory. */
function onHost(script: string, stdin = '', path?: string): Promise<Output> {
  const transport = createLocalTransport('etcd-1', path === undefined ? {} : { PATH: path });
  const inside = script.replaceAll(BACKUP_ROOT, join(directory, 'backups'));
  return transport.run({ summary: 'test', script: inside, stdin: new Secret(stdin) });
}

async function issue(
  keepPublicKey: string | null = null,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const authority = await authorityFrom(TODAY);
  const { certificatePem, keyPem } = await issueCertificate(
    authority,
    { ...SERVER_PROFILE, keepPublicKey },
    circumstancesAt(TODAY),
  );
  return { certificate: certificatePem, key: keyPem?.reveal() ?? '' };
}

function install(pem: string, destination: CertificateDestination, key: 'new' | 'kept', bytes = pem.length) {
  return onHost(installCertificateScript({ destination, ownership: me, key, bytes }, `run${copies++}.0`), pem);
}

async function look(certificate: string, key?: string, path?: string): Promise<CertificateFiles> {
  const asked = certificateFilesKey(certificate, key);
  const { stdout } = await onHost(certificateFiles.script([asked]), '', path);
  const found = certificateFiles.parse(stdout, [asked]).get(asked);
  if (found === undefined) throw new Error('no answer');
  return found;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

/** All files but for the copies that are kept. */
async function hostFiles(): Promise<readonly string[]> {
  return (await tree(directory)).filter((name) => !name.startsWith('run'));
}

/** The files under a directory, relative to it. */
async function tree(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

describe('a new pair', () => {
  test('lands with owner and mode, and leaves nothing else', async () => {
    const { certificate, key } = await issue();
    expect(await install(certificate + key, pair, 'new')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await readFile(pair.certificatePath, 'utf8')).toBe(certificate);
    expect(await readFile(pair.keyPath, 'utf8')).toBe(key);
    expect(await modeOf(pair.certificatePath)).toBe('644');
    expect(await modeOf(pair.keyPath)).toBe('600');
    expect(await hostFiles()).toEqual(['server.crt', 'server.key']);
  });

  test('lands in two directories as well, and can be rolled back there', async () => {
    const [first, { certificate, key }] = [await issue(), await issue()];
    await mkdir(join(directory, 'private'));
    const apart = { ...pair, keyPath: join(directory, 'private', 'etcd.key') };
    await install(first.certificate + first.key, apart, 'new');
    expect(await install(certificate + key, apart, 'new')).toMatchObject({ status: 0, stderr: '' });
    const contents = () => Promise.all([apart.certificatePath, apart.keyPath].map((path) => readFile(path, 'utf8')));
    expect(await contents()).toEqual([certificate, key]);
    expect(await hostFiles()).toEqual(['etcd.key', 'server.crt']);
    const copy = `run${copies - 1}.0`;
    const undo = restoreCertificateScript({ destination: apart, ownership: me, key: 'new', copy, when: 'kept' });
    expect(await onHost(undo)).toMatchObject({ status: 0, stderr: '' });
    expect(await contents()).toEqual([first.certificate, first.key]);
  });

  test('keeps one copy of what it replaces, and can be rolled back', async () => {
    const [first, second, third] = [await issue(), await issue(), await issue()];
    for (const { certificate, key } of [first, second, third]) await install(certificate + key, pair, 'new');
    expect(await tree(join(directory, 'backups'))).toEqual([`run${copies - 1}.0`, `run${copies - 1}.0`]);
    const copy = `run${copies - 1}.0`;
    const undo = restoreCertificateScript({ destination: pair, ownership: me, key: 'new', copy, when: 'kept' });
    expect(await onHost(undo)).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(pair.certificatePath, 'utf8')).toBe(second.certificate);
    expect(await readFile(pair.keyPath, 'utf8')).toBe(second.key);
    expect(await modeOf(pair.keyPath)).toBe('600');
  });

  test('that did not arrive whole changes nothing', async () => {
    const [old, { certificate, key }] = [await issue(), await issue()];
    await install(old.certificate + old.key, pair, 'new');
    const cut = (certificate + key).slice(0, -40);
    const output = await install(cut, pair, 'new', (certificate + key).length);
    expect(output).toMatchObject({ status: 1, stderr: expect.stringContaining('bytes arrived') });
    expect(await readFile(pair.keyPath, 'utf8')).toBe(old.key);
    expect(await tree(pki)).toEqual(['server.crt', 'server.key']);
  });

  test('takes away what a killed run left', async () => {
    await mkdir(join(pki, '.provision-new.server.crt'));
    await writeFile(join(pki, '.provision-new.server.crt', '.received'), 'planted');
    const { certificate, key } = await issue();
    await install(certificate + key, pair, 'new');
    expect(await readdir(pki)).toEqual(['server.crt', 'server.key']);
  });

  (hasOpenssl() ? test : test.skip)('whose parts do not belong together changes nothing', async () => {
    const [old, one, other] = [await issue(), await issue(), await issue()];
    await install(old.certificate + old.key, pair, 'new');
    const output = await install(one.certificate + other.key, pair, 'new');
    expect(output).toMatchObject({ status: 1, stderr: expect.stringContaining('do not belong together') });
    expect(await readFile(pair.certificatePath, 'utf8')).toBe(old.certificate);
    expect(await readFile(pair.keyPath, 'utf8')).toBe(old.key);
  });
});

describe('a pair that was half renamed, or whose copies are not what they should be', () => {
  const restore = (destination: CertificateDestination, copy: string, when: 'kept' | 'if-kept') =>
    onHost(restoreCertificateScript({ destination, ownership: me, key: 'new', copy, when }));
  const contents = ({ certificatePath, keyPath }: typeof pair) =>
    Promise.all([certificatePath, keyPath].map((path) => readFile(path, 'utf8').catch(() => 'none')));

  test.each<[string, 'together' | 'apart', 'old' | 'none']>([
    ['in one directory', 'together', 'old'],
    ['in one directory, where there was none', 'together', 'none'],
    ['in two directories', 'apart', 'old'],
    ['in two directories, where there was none', 'apart', 'none'],
  ])('is rolled back whole: %s', async (_, place, was) => {
    await mkdir(join(directory, 'private'));
    const to = place === 'together' ? pair : { ...pair, keyPath: join(directory, 'private', 'etcd.key') };
    const [old, { certificate, key }] = [await issue(), await issue()];
    if (was === 'old') await install(old.certificate + old.key, to, 'new');
    const before = await contents(to);
    const bytes = certificate.length + key.length;
    const whole = installCertificateScript({ destination: to, ownership: me, key: 'new', bytes }, 'half.0');
    // The key's rename is done, the certificate's is not.
    const half = whole
      .replace('mv -f -t .. ./server.key ./server.crt', 'mv -f -t .. ./server.key; exit 5')
      .replace(/mv -f -T \.\/server\.crt .*/, 'exit 5');
    expect(await onHost(half, certificate + key)).toMatchObject({ status: 5, stderr: '' });
    expect(await contents(to)).toEqual([before[0], key]);
    expect(await restore(to, 'half.0', 'if-kept')).toMatchObject({ status: 0, stderr: '' });
    expect(await contents(to)).toEqual(before);
  });

  test.each(['server.crt', 'server.key'])('stays whole when the copy of %s is gone', async (name) => {
    const [old, { certificate, key }] = [await issue(), await issue()];
    await install(old.certificate + old.key, pair, 'new');
    await install(certificate + key, pair, 'new');
    const copy = `run${copies - 1}.0`;
    const kept = backupDirectory(join(pki, name)).replace(BACKUP_ROOT, join(directory, 'backups'));
    await rm(join(kept, copy));
    const said = { status: 1, stderr: expect.stringContaining('was not put back') };
    expect(await restore(pair, copy, 'kept')).toMatchObject(said);
    expect(await contents(pair)).toEqual([certificate, key]);
  });

  test('is put back from its own copies, beside a pair with a longer name and a run of another name', async () => {
    const longer = { ...pair, certificatePath: `${pair.certificatePath}.crt`, keyPath: `${pair.certificatePath}.key` };
    const [one, two, three, four] = [await issue(), await issue(), await issue(), await issue()];
    await install(one.certificate + one.key, longer, 'new');
    await install(two.certificate + two.key, longer, 'new');
    const copy = `run${copies - 1}.0`;
    await install(three.certificate + three.key, pair, 'new');
    await install(four.certificate + four.key, pair, 'new');
    expect(await restore(pair, copy, 'kept')).toMatchObject({ status: 1 });
    expect(await restore(longer, copy, 'kept')).toMatchObject({ status: 0, stderr: '' });
    expect(await contents(longer)).toEqual([one.certificate, one.key]);
    expect(await contents(pair)).toEqual([four.certificate, four.key]);
  });
});

(hasOpenssl() ? describe : describe.skip)('a renewed certificate', () => {
  test('lands beside its key, which is not touched', async () => {
    const first = await issue();
    await install(first.certificate + first.key, pair, 'new');
    const before = await stat(pair.keyPath, { bigint: true });
    const [leaf] = readCertificates(first.certificate);
    if (leaf === undefined) throw new Error('no leaf');
    const renewed = await issue(publicKeyText(leaf.publicKey));
    expect(renewed.key).toBe('');
    expect(await install(renewed.certificate, pair, 'kept')).toMatchObject({ status: 0, stderr: '' });
    expect(await readFile(pair.certificatePath, 'utf8')).toBe(renewed.certificate);
    expect((await stat(pair.keyPath, { bigint: true })).ctimeNs).toBe(before.ctimeNs);
    expect(await tree(join(directory, 'backups'))).toEqual([
      // What was there before the key, and then what was there before the certificate.
      expect.stringMatching(/^run\d+\.0\.absent$/),
      expect.stringMatching(/^run\d+\.0$/),
    ]);
  });

  test('for another key changes nothing', async () => {
    const [first, other] = [await issue(), await issue()];
    await install(first.certificate + first.key, pair, 'new');
    expect((await install(other.certificate, pair, 'kept')).status).toBe(1);
    expect(await readFile(pair.certificatePath, 'utf8')).toBe(first.certificate);
  });
});

describe('a bundle', () => {
  test('is one file, certificate first', async () => {
    const path = join(pki, 'etcd-client.pem');
    const { certificate, key } = await issue();
    expect(await install(certificate + key, { layout: 'bundle', path }, 'new')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(await readFile(path, 'utf8')).toBe(certificate + key);
    expect(await modeOf(path)).toBe('600');
    expect(await readdir(pki)).toEqual(['etcd-client.pem']);
  });
});

describe('the certificate-files fact', () => {
  test('says that nothing is there', async () => {
    expect(await look('/nowhere/a.crt', '/nowhere/a.key')).toEqual({
      certificate: undefined,
      key: undefined,
      pem: '',
      publicKey: { kind: 'unchecked' },
    });
  });

  test('answers many at once, each with its own', async () => {
    const [one, other] = [await issue(), await issue()];
    const bundle = join(pki, 'bundle.pem');
    await install(one.certificate + one.key, pair, 'new');
    await install(other.certificate + other.key, { layout: 'bundle', path: bundle }, 'new');
    const keys = [
      certificateFilesKey(pair.certificatePath, pair.keyPath),
      certificateFilesKey(bundle, bundle),
      certificateFilesKey(pair.certificatePath),
      certificateFilesKey('/nowhere'),
    ];
    const { stdout } = await onHost(certificateFiles.script(keys));
    const found = [...certificateFiles.parse(stdout, keys).values()];
    expect(found.map(({ pem }) => pem)).toEqual([one.certificate, other.certificate, one.certificate, '']);
    expect(found.map(({ certificate }) => certificate?.mode)).toEqual(['0644', '0600', '0644', undefined]);
    expect(found.map(({ key }) => key?.mode)).toEqual(['0600', '0600', undefined, undefined]);
  });

  test('prints nothing of a private key, wherever one stands', async () => {
    const { certificate, key } = await issue();
    const bundle = join(pki, 'bundle.pem');
    await install(certificate + key, { layout: 'bundle', path: bundle }, 'new');
    const keys = [certificateFilesKey(bundle, bundle), certificateFilesKey(bundle)];
    const { stdout, stderr } = await onHost(certificateFiles.script(keys));
    const secretLine = key.split('\n')[1] ?? '';
    expect(secretLine).toHaveLength(64);
    expect(stdout + stderr).not.toContain(secretLine);
    expect(stdout + stderr).not.toContain('PRIVATE');
    // The same search finds it where it is.
    expect(await readFile(bundle, 'utf8')).toContain(secretLine);
  });

  (hasOpenssl() ? test : test.skip)('gives the public half of the key', async () => {
    const { certificate, key } = await issue();
    await install(certificate + key, pair, 'new');
    const expected = openssl(['pkey', '-pubout'], key).output;
    expect((await look(pair.certificatePath, pair.keyPath)).publicKey).toEqual({ kind: 'known', pem: expected });
  });

  (hasOpenssl() ? test : test.skip)('a key that openssl cannot read is unreadable, also an encrypted one', async () => {
    await writeFile(pair.certificatePath, '');
    await writeFile(pair.keyPath, 'no key');
    expect((await look(pair.certificatePath, pair.keyPath)).publicKey).toEqual({ kind: 'unreadable' });
    openssl(['genpkey', '-algorithm', 'RSA', '-aes256', '-pass', 'pass:planted', '-out', pair.keyPath]);
    expect((await look(pair.certificatePath, pair.keyPath)).publicKey).toEqual({ kind: 'unreadable' });
  });

  test('says so when the host has no openssl, and installs all the same', async () => {
    const path = join(directory, 'bin');
    await mkdir(path);
    for (const tool of TOOLS) await symlink(await which(tool), join(path, tool));
    const { certificate, key } = await issue();
    const script = installCertificateScript(
      {
        destination: pair,
        ownership: me,
        key: 'new',
        bytes: (certificate + key).length,
      },
      'run.0',
    );
    expect(await onHost(script, certificate + key, path)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const found = await look(pair.certificatePath, pair.keyPath, path);
    expect(found.publicKey).toEqual({ kind: 'unchecked' });
    expect(found.pem).toBe(certificate);
  });
});

/** All that the scripts need of a host: coreutils, and awk. */
const TOOLS = [
  'id',
  'ls',
  'rmdir',
  'readlink',
  'timeout',
  'sh',
  'stat',
  'awk',
  'mktemp',
  'cat',
  'wc',
  'chown',
  'chmod',
  'mv',
  'sync',
  'rm',
  'mkdir',
  'date',
  'cp',
];

async function which(tool: string): Promise<string> {
  return (await onHost(`command -v ${tool}`)).stdout.trim();
}
