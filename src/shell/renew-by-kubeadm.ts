import { posix } from 'node:path';
import { certificatesDirOf, filesOf, keyBeside, type KubeadmCertificate } from '../model/kubeadm-certificate.js';
import type { Command } from '../model/remote.js';
import {
  backupDirectory,
  keepCopyLines,
  requireCopyLines,
  restoreCopyLines,
  SAME_FUNCTION,
  stageOf,
  type KeptCopy,
} from './kept-copy.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/** It asks the API server for its configuration, which may not answer, and makes a key; on a busy host both may take a while. */
const TIMEOUT_MS = 180_000;

/**
 * The kubeadm of a host renews one of its certificates. It writes over the files in their places, one after the other and each in
 * pieces; so it is shown copies in those places, in a mount namespace of its own, and what it made lands when it is proved: key
 * first, in one `mv`. What was there is kept.
 * @param serial of the certificate that is renewed: it names the copies
 */
export function renewByKubeadm(certificate: KubeadmCertificate, serial: string): Command {
  const { name, path } = certificate;
  const paths = filesOf(certificate);
  const directory = posix.dirname(path);
  const stage = stageOf(path);
  const staged = paths.map((each) => quote(`./${posix.basename(each)}`));
  const words = ['renew', directory, name, certificatesDirOf(certificate)].map(quote).join(' ');
  return {
    summary: `kubeadm certs renew ${name}`,
    timeoutMs: TIMEOUT_MS,
    script: [
      DIRECTORY_FUNCTIONS,
      ...stage.lines,
      `only_root ${quote(directory)}`,
      `command -v openssl >/dev/null || refuse 'there is no openssl, by which what kubeadm makes is proved; nothing was changed'`,
      ...paths.map(
        (each) => `[ ! -L ${outside(each)} ] || refuse ${quote(`${each} is a symbolic link: it is left as it is`)}`,
      ),
      ...paths.map((each) => `cp -a ${outside(each)} ${quote(`./${posix.basename(each)}`)}`),
      `cp -a ${outside(path)} ./before`,
      `unshare -m --propagation private sh -euc ${quote(IN_PLACE)} ${words} ${staged.join(' ')} >./log 2>&1 || { cat ./log >&2; exit 1; }`,
      ...proofLines(certificate),
      `sync ${staged.join(' ')}`,
      ...copiesOf(certificate, serial).flatMap((copy) => keepCopyLines(copy, outside(copy.path))),
      `mv -f -t .. ${staged.join(' ')}`,
      `sync ${stage.directory}`,
    ].join('\n'),
  };
}

/** A file as it is reached from the stage. */
function outside(path: string): string {
  return quote(`../${posix.basename(path)}`);
}

/** `renew DIRECTORY NAME PKI FILE…`, in a mount namespace of its own: the staged files stand in the places of those of the directory. */
const IN_PLACE = [
  'directory=$1 name=$2 pki=$3',
  'shift 3',
  'for file do mount --bind "$file" "$directory/${file#./}"; done',
  'exec kubeadm certs renew "$name" --cert-dir "$pki"',
].join('\n');

/** Lines that refuse what is not the same certificate for longer: another subject, other names, another key than its own. */
function proofLines({ layout, path, authority }: KubeadmCertificate): readonly string[] {
  const file = quote(`./${posix.basename(path)}`);
  const key = quote(`./${posix.basename(keyBeside(path))}`);
  const read =
    layout === 'pair'
      ? ['certificate() { cat "$1"; }', `key() { cat ${key}; }`]
      : [
          `certificate() { ${inside('certificate')} "$1" | base64 -d; }`,
          `key() { ${inside('key')} ${file} | base64 -d; }`,
        ];
  const same = (what: string, question: string): string =>
    `[ "$(${question.replace('FILE', file)})" = "$(${question.replace('FILE', './before')})" ] || bad ${quote(`has another ${what}`)}`;
  return [
    ...read,
    'shown() { from=$1; shift; certificate "$from" | openssl x509 -noout "$@" 2>/dev/null; }',
    // kubeadm sorts names, and drops those that are there twice.
    `set_of() { shown "$@" | tr ',' '\\n' | sed 's/^ *//' | sort -u; }`,
    `bad() { refuse ${quote(`what kubeadm made of ${path}`)}" $1; nothing was changed"; }`,
    `[ "$(shown ${file} -serial)" != "$(shown ./before -serial)" ] || { cat ./log >&2; bad 'is the old one'; }`,
    `certificate ${file} | openssl verify -CAfile ${quote(authority)} >/dev/null 2>&1 || bad 'was not signed by its authority'`,
    same('subject', 'shown FILE -subject'),
    same('name', 'set_of FILE -ext subjectAltName'),
    same('use', 'set_of FILE -ext extendedKeyUsage'),
    `[ "$(shown ${file} -pubkey)" = "$(key | openssl pkey -pubout)" ] || bad 'does not fit its key'`,
    ...(layout === 'pair' ? [] : kubeconfigProof(file)),
  ];
}

/** An object that every user of kubeadm's kubeconfigs may ask for: who is known gets 200 or 403. */
const ASKED = '/api/v1/namespaces/kube-system';

/**
 * Lines that prove a kubeconfig: it leads where it led, and the API server there knows its user. One that gives no answer is no
 * reason: it may be away until this very renewal. It is asked by curl, else by openssl, which is there; the key goes through a pipe.
 */
function kubeconfigProof(file: string): readonly string[] {
  return [
    `[ "$(${WAY} ${file})" = "$(${WAY} ./before)" ] || bad 'has another server or authority'`,
    `server=$(sed -nE 's/^ *server: *"?([^" ]*)"?$/\\1/p' ${file} | head -n 1)`,
    'place=${server#https://} place=${place%%/*}',
    // An IPv6 address is in brackets.
    'case $place in *:*[!]]) ;; *) place=$place:443 ;; esac',
    'ask() {',
    '  if command -v curl >/dev/null; then',
    `    curl -s -o /dev/null -w '%{http_code}' --max-time 10 --noproxy '*' --globoff --insecure --cert "$1" --key "$2" "$server${ASKED}"`,
    '  else',
    `    printf '%s\\r\\n' 'GET ${ASKED} HTTP/1.0' "Host: $place" 'Connection: close' '' | timeout 10 openssl s_client -quiet -ign_eof -connect "$place" -cert "$1" -key "$2" 2>/dev/null | sed -nE 's/^HTTP\\/1\\.[01] ([0-9]{3}).*/\\1/p'`,
    '  fi',
    '}',
    // Here-documents are pipes, or files without a name.
    'status=$(ask /dev/fd/3 /dev/fd/4 3<<CERTIFICATE 4<<KEY || :',
    `$(certificate ${file})`,
    'CERTIFICATE',
    '$(key)',
    'KEY',
    ')',
    `[ "$status" != 401 ] || bad "is unknown at $server"`,
  ];
}

/** Of a kubeconfig as kubeadm makes it, with one cluster. */
const WAY = `sed -nE 's/^ *(server|certificate-authority-data): *"?([^"]*)"?$/\\1 \\2/p'`;

/** Of a kubeconfig as kubeadm makes it, with one user. */
function inside(what: 'certificate' | 'key'): string {
  return `sed -nE 's/^ *client-${what}-data: *"?([A-Za-z0-9+\\/=]+).*/\\1/p'`;
}

/** A copy is named after the certificate in it: that of an earlier renewal is never taken for it. */
function copiesOf(certificate: KubeadmCertificate, serial: string): readonly KeptCopy[] {
  return filesOf(certificate).map((path) => ({ path, name: `kubeadm-certs-${serial}.0` }));
}

/** Puts back what {@link renewByKubeadm} replaced, all of it or nothing. */
export function restoreRenewed(certificate: KubeadmCertificate, serial: string): Command {
  const copies = copiesOf(certificate, serial);
  const last = copies.at(-1);
  const isKept = last === undefined ? ':' : `[ -e ${quote(`${backupDirectory(last.path)}/${last.name}`)} ]`;
  return {
    summary: `restore ${certificate.path}`,
    script: [
      DIRECTORY_FUNCTIONS,
      SAME_FUNCTION,
      // All are kept before anything is replaced.
      `${isKept} || exit 0`,
      ...requireCopyLines(copies),
      ...copies.flatMap((copy) => restoreCopyLines(copy, stageOf(copy.path), 'kept')),
    ].join('\n'),
  };
}
