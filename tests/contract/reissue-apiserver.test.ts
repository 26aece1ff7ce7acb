import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import { reissueApiserver, restoreApiserver, type Reissue } from '../../src/shell/reissue-apiserver.js';
import { hasOpenssl } from '../support/openssl.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { scratch } from '../support/scratch.js';

const present = hasOpenssl();
if (!present) console.warn('skipped: what an API server shows, because this machine has no openssl');
const describeWithOpenssl = present ? describe : describe.skip;

/**
 * In the place of kubeadm: it signs for the names that it is given, but for those that `forget` lists, a key of the `kind` that is
 * asked for, with the authority in the directory of certificates, or with the one that `signer` names; and notes its arguments.
 */
const KUBEADM = `#!/bin/sh
set -e
[ "$1" = version ] && { echo v1.20.2; exit 0; }
[ ! -e "$HERE/fails" ] || { echo 'kubeadm said no' >&2; exit 1; }
printf '%s\\n' "$@" >"$HERE/arguments"
while [ $# -gt 0 ]; do
  case $1 in --cert-dir) dir=$2 ;; --apiserver-cert-extra-sans) names=$2 ;; esac
  shift
done
san=DNS:kubernetes
for name in $(echo "$names" | tr , ' '); do
  grep -qx "$name" "$HERE/forget" 2>/dev/null && continue
  case $name in *[!0-9.]*) san=$san,DNS:$name ;; *) san=$san,IP:$name ;; esac
done
cd "$dir"
printf 'subjectAltName=%s\\n' "$san" >"$HERE/extensions"
kind=$(cat "$HERE/kind" 2>/dev/null || echo 'ec -pkeyopt ec_paramgen_curve:P-256')
openssl req -new -newkey $kind -noenc -subj /CN=kube-apiserver -keyout apiserver.key -out "$HERE/request" 2>/dev/null
signer=$(cat "$HERE/signer" 2>/dev/null || echo ca)
openssl x509 -req -in "$HERE/request" -CA "$signer.crt" -CAkey "$signer.key" -CAserial "$HERE/serial" -CAcreateserial -days 1 -extfile "$HERE/extensions" -out apiserver.crt 2>/dev/null
`;

let directory: string;
let reissue: Reissue;
const inside = (name: string): string => join(directory, name);

/** The directory of an authority: an RSA key takes longer to make than all the rest. */
let made: string;
beforeAll(() => {
  made = temporaryDirectory('reissue-authority');
  const request = ['req', '-x509', '-noenc', '-newkey', 'rsa:2048', '-days', '10', '-subj', '/CN=kubernetes'];
  execFileSync('openssl', [...request, '-keyout', join(made, 'ca.key'), '-out', join(made, 'ca.crt')], {
    stdio: 'pipe',
  });
});

beforeEach(async () => {
  directory = temporaryDirectory('reissue');
  await mkdir(inside('bin'));
  await mkdir(inside('pki'), { mode: 0o755 });
  await writeFile(inside('bin/kubeadm'), KUBEADM, { mode: 0o755 });
  for (const name of ['ca.key', 'ca.crt']) await copyFile(join(made, name), inside(`pki/${name}`));
  await writeFile(inside('pki/apiserver.crt'), 'old certificate\n');
  await writeFile(inside('pki/apiserver.key'), 'old key\n');
  await chmod(inside('pki/apiserver.crt'), 0o644);
  await chmod(inside('pki/apiserver.key'), 0o640);
  reissue = {
    pair: { layout: 'pair', certificatePath: inside('pki/apiserver.crt'), keyPath: inside('pki/apiserver.key') },
    authority: { certificate: inside('pki/ca.crt'), key: inside('pki/ca.key') },
    names: ['10.0.0.11', 'cp-1', '10.0.0.200', 'api.example.com'],
    wanted: ['10.0.0.200', 'api.example.com'],
    address: '10.0.0.11',
    serviceRange: '10.96.0.0/12',
  };
});

function run(script: string): { readonly status: number | null; readonly stderr: string } {
  const env = { HERE: directory, PATH: `${inside('bin')}:${process.env['PATH'] ?? ''}` };
  const { status, stderr } = spawnSync('sh', ['-c', script.replaceAll(BACKUP_ROOT, inside('backups'))], {
    cwd: scratch(),
    env,
    encoding: 'utf8',
  });
  return { status, stderr };
}

const old = async (): Promise<readonly string[]> =>
  Promise.all(['crt', 'key'].map(async (end) => readFile(inside(`pki/apiserver.${end}`), 'utf8')));
const OLD = ['old certificate\n', 'old key\n'];
const FILES = ['apiserver.crt', 'apiserver.key', 'ca.crt', 'ca.key'];
const OWNERSHIP = { owner: 'root', group: 'root', mode: '0640' };

describeWithOpenssl('what an API server shows, issued again by kubeadm', () => {
  test.each([
    ['P-256', 'ec -pkeyopt ec_paramgen_curve:P-256'],
    ['RSA', 'rsa:2048'],
  ])('lands with all names, a key (%s) that fits, owner and mode of before, and nothing beside it', async (_, kind) => {
    await writeFile(inside('kind'), kind);
    expect(run(reissueApiserver(reissue).script)).toEqual({ status: 0, stderr: '' });
    const [pem = '', key = ''] = await old();
    const names = new X509Certificate(pem).subjectAltName ?? '';
    for (const name of [
      'DNS:kubernetes',
      'IP Address:10.0.0.11',
      'DNS:cp-1',
      'IP Address:10.0.0.200',
      'DNS:api.example.com',
    ])
      expect(names).toContain(name);
    expect(execFileSync('openssl', ['pkey', '-pubout'], { input: key, encoding: 'utf8' })).toBe(
      execFileSync('openssl', ['x509', '-noout', '-pubkey'], { input: pem, encoding: 'utf8' }),
    );
    const mode = async (name: string): Promise<number> => (await stat(inside(`pki/${name}`))).mode & 0o777;
    expect([await mode('apiserver.crt'), await mode('apiserver.key')]).toEqual([0o644, 0o640]);
    expect((await readdir(inside('pki'))).sort()).toEqual(FILES);
  });

  test('and the old pair is put back as it was', async () => {
    run(reissueApiserver(reissue).script);
    expect(await old()).not.toEqual(OLD);
    expect(run(restoreApiserver(reissue, OWNERSHIP).script)).toEqual({ status: 0, stderr: '' });
    expect(await old()).toEqual(OLD);
    expect((await readdir(inside('pki'))).sort()).toEqual(FILES);
  });

  test.each([
    ['kubeadm fails', 'fails', '', 'kubeadm said no\n'],
    ['it leaves the address out', 'forget', '10.0.0.200\n', "kubeadm's certificate does not name 10.0.0.200\n"],
    ['it leaves the name out', 'forget', 'api.example.com\n', "kubeadm's certificate does not name api.example.com\n"],
  ])(
    'nothing is touched where %s, and nothing is put back for it, whatever an earlier run kept',
    async (_, file, text, stderr) => {
      run(reissueApiserver({ ...reissue, wanted: [] }).script);
      const before = await old();
      await writeFile(inside(file), text);
      expect(run(reissueApiserver(reissue).script)).toEqual({ status: 1, stderr });
      expect(await old()).toEqual(before);
      expect(run(restoreApiserver(reissue, OWNERSHIP).script)).toEqual({ status: 0, stderr: '' });
      expect(await old()).toEqual(before);
      expect((await readdir(inside('pki'))).sort()).toEqual(FILES);
    },
  );

  test('for the address of the host, and the range of services that its API server has, or kubeadm takes', async () => {
    const asked = async (serviceRange: string | undefined): Promise<readonly string[]> => {
      expect(run(reissueApiserver({ ...reissue, serviceRange }).script).status).toBe(0);
      const words = (await readFile(inside('arguments'), 'utf8')).trimEnd().split('\n');
      return words.toSpliced(words.indexOf('--cert-dir'), 2);
    };
    const always = [
      ...['init', 'phase', 'certs', 'apiserver', '--kubernetes-version', 'v1.20.2'],
      ...['--apiserver-advertise-address', '10.0.0.11'],
      ...['--apiserver-cert-extra-sans', '10.0.0.11,cp-1,10.0.0.200,api.example.com'],
    ];
    expect(await asked('10.112.0.0/12')).toEqual([...always, '--service-cidr', '10.112.0.0/12']);
    expect(await asked(undefined)).toEqual(always);
  });

  describe('lands nothing', () => {
    /** Another authority, in `other.crt` and `other.key`. */
    function makeOther(): void {
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
      const request = ['req', '-x509', '-noenc', ...key, '-days', '10', '-subj', '/CN=other'];
      execFileSync('openssl', [...request, '-keyout', inside('other.key'), '-out', inside('other.crt')], {
        stdio: 'pipe',
      });
    }

    test('where the key belongs to another authority', async () => {
      makeOther();
      const other = { certificate: inside('pki/ca.crt'), key: inside('other.key') };
      expect(run(reissueApiserver({ ...reissue, authority: other }).script).status).not.toBe(0);
      expect(await old()).toEqual(OLD);
    });

    test('where kubeadm has signed with another authority', async () => {
      makeOther();
      await writeFile(inside('signer'), inside('other'));
      const { status, stderr } = run(reissueApiserver(reissue).script);
      expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('verification failed')]);
      expect(status).not.toBe(0);
      expect(await old()).toEqual(OLD);
      // The same signer is no fault where it is the authority.
      const authority = { certificate: inside('other.crt'), key: inside('other.key') };
      expect(run(reissueApiserver({ ...reissue, authority }).script)).toEqual({ status: 0, stderr: '' });
    });

    test('in a directory that others can write in: they could exchange what was checked', async () => {
      await chmod(inside('pki'), 0o777);
      expect(run(reissueApiserver(reissue).script)).toEqual({
        status: 1,
        stderr: `others than root can write on the way to ${inside('pki')}\n`,
      });
      expect(await old()).toEqual(OLD);
    });
  });
});
