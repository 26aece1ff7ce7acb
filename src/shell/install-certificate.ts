import { posix } from 'node:path';
import type { CertificateDestination } from '../model/certificate.js';
import type { Ownership } from '../model/change.js';
import { quote } from './quote.js';
import { BACKUP_ROOT, keepBackup } from './write-file.js';

/** What {@link installCertificateScript} installs. */
export interface CertificateInstallation {
  readonly destination: CertificateDestination;
  /** Of the key, or of the bundle; a certificate in a file of its own is 0644 and of the same owner. */
  readonly ownership: Ownership;
  /**
   * `new`: the key follows the certificate on stdin. `kept`: the certificate is for the key that the host has. Else the
   * key waits on the host since its certificate was requested.
   */
  readonly key: 'new' | 'kept' | WaitingKey;
  /** How long stdin is. */
  readonly bytes: number;
}

/** Where a key waits; it moves away when its certificate is installed. */
interface WaitingKey {
  readonly path: string;
}

/**
 * A script that reads a certificate, and its key when that is new, as PEM from stdin, and puts them in place. All is
 * staged beside its destination where only root can look, gets owner and mode there, is checked, and only then
 * renamed. A renewed certificate is one rename; a new pair is renamed by one `mv`, key first
 * (docs/adr/2026-11-21-renewal-keeps-the-key.md). One dated copy of what is replaced is kept.
 */
export function installCertificateScript(installation: CertificateInstallation): string {
  const { destination } = installation;
  return destination.layout === 'bundle'
    ? bundleScript(installation, destination.path)
    : pairScript(installation, destination.certificatePath, destination.keyPath);
}

/**
 * A script that puts back what {@link installCertificateScript} replaced, key first. Where there was nothing before,
 * the new files stay: they harm nobody.
 */
export function restoreCertificateScript({ destination, key }: Omit<CertificateInstallation, 'bytes'>): string {
  const keyPath = destination.layout === 'bundle' ? destination.path : destination.keyPath;
  const certificate = destination.layout === 'bundle' ? destination.path : destination.certificatePath;
  const paths = new Set(key === 'kept' ? [certificate] : [keyPath, certificate]);
  return ['set -eu', ...(isWaiting(key) ? waitAgainLines(keyPath, key) : []), ...[...paths].flatMap(restoreLines)].join(
    '\n',
  );
}

function isWaiting(key: CertificateInstallation['key']): key is WaitingKey {
  return typeof key === 'object';
}

/** The key waits again, so that its certificate, signed with some trouble, can still be installed. */
function waitAgainLines(keyPath: string, { path }: WaitingKey): readonly string[] {
  const stage = quote(`${posix.dirname(path)}/.${posix.basename(path)}.restored`);
  return [
    'umask 077',
    `for kept in ${quote(`${BACKUP_ROOT}${keyPath}`)}.*Z; do`,
    '  [ -e "$kept" ] || continue',
    `  awk '${PRINT_KEY}' ${quote(keyPath)} >${stage}`,
    `  mv -f -T ${stage} ${quote(path)}`,
    'done',
  ];
}

function restoreLines(path: string): readonly string[] {
  const stage = quote(`${posix.dirname(path)}/.${posix.basename(path)}.restored`);
  return [
    `for kept in ${quote(`${BACKUP_ROOT}${path}`)}.*Z; do`,
    '  [ -e "$kept" ] || continue',
    `  cp -p "$kept" ${stage}`,
    // Not its old time: a service that ran with the new file must see that this one is newer.
    `  touch ${stage}`,
    `  mv -f -T ${stage} ${quote(path)}`,
    'done',
  ];
}

function bundleScript({ ownership, key, bytes }: CertificateInstallation, path: string): string {
  return [
    ...receive(path, bytes),
    ...(isWaiting(key) ? [stillWaits(key), `cat ${quote(key.path)} >>"$stage/all"`] : []),
    'openssl_matches "$stage/all" "$stage/all"',
    own('"$stage/all"', ownership.mode, ownership),
    keep(path),
    'sync "$stage/all"',
    `mv -f -T "$stage/all" ${quote(path)}`,
    `sync ${quote(posix.dirname(path))}`,
    ...(isWaiting(key) ? [`rm -f ${quote(key.path)}`] : []),
  ].join('\n');
}

function pairScript({ ownership, key, bytes }: CertificateInstallation, certificate: string, keyPath: string): string {
  const staged = `"$stage"/${quote(posix.basename(certificate))}`;
  const begin = [
    ...receive(certificate, bytes),
    `awk '/^-----BEGIN CERTIFICATE-----/ {on=1} on {print} /^-----END CERTIFICATE-----/ {on=0}' "$stage/all" >${staged}`,
    own(staged, '0644', ownership),
  ];
  const land =
    key === 'kept'
      ? [
          `openssl_matches ${staged} ${quote(keyPath)}`,
          keep(certificate),
          `sync ${staged}`,
          `mv -f -T ${staged} ${quote(certificate)}`,
        ]
      : newPairLines({ certificate, keyPath, staged, ownership, key });
  const end = isWaiting(key) ? [`rm -f ${quote(key.path)}`] : [];
  return [...begin, ...land, `sync ${quote(posix.dirname(certificate))}`, ...end].join('\n');
}

interface NewPair {
  readonly certificate: string;
  readonly keyPath: string;
  /** The staged certificate, quoted. */
  readonly staged: string;
  readonly ownership: Ownership;
  readonly key: 'new' | WaitingKey;
}

function newPairLines({ certificate, keyPath, staged, ownership, key }: NewPair): readonly string[] {
  const directory = posix.dirname(certificate);
  const isTogether = posix.dirname(keyPath) === directory;
  const stagedKey = `"$${isTogether ? 'stage' : 'key_stage'}"/${quote(posix.basename(keyPath))}`;
  return [
    ...(isTogether ? [] : ['key_stage=', ...makeStage('key_stage', keyPath)]),
    ...(isWaiting(key) ? [stillWaits(key)] : []),
    `awk '${PRINT_KEY}' ${isWaiting(key) ? quote(key.path) : '"$stage/all"'} >${stagedKey}`,
    own(stagedKey, ownership.mode, ownership),
    `openssl_matches ${staged} ${stagedKey}`,
    keep(keyPath),
    keep(certificate),
    `sync ${staged} ${stagedKey}`,
    // One process and two renames: the two files disagree for microseconds, not for the start of a second `mv`.
    ...(isTogether
      ? [`mv -f -t ${quote(directory)} ${stagedKey} ${staged}`]
      : [`mv -f -T ${stagedKey} ${quote(keyPath)}`, `mv -f -T ${staged} ${quote(certificate)}`]),
  ];
}

const PRINT_KEY = '/^-----BEGIN [A-Z ]*PRIVATE KEY-----/ {on=1} on {print} /^-----END [A-Z ]*PRIVATE KEY-----/ {on=0}';

function stillWaits({ path }: WaitingKey): string {
  const lost = `the key that this certificate was requested for does not wait in ${path}; nothing was changed`;
  return `[ -f ${quote(path)} ] || { echo ${quote(lost)} >&2; exit 1; }`;
}

/** Lines that take stdin into `$stage/all`, and refuse half of it: the connection may be lost on the way. */
function receive(path: string, bytes: number): readonly string[] {
  return [
    'set -eu',
    'umask 077',
    `trap 'rm -rf "\${stage:-}" "\${key_stage:-}"' EXIT`,
    ...makeStage('stage', path),
    'cat >"$stage/all"',
    'got=$(wc -c <"$stage/all")',
    `[ "$got" -eq ${bytes} ] || { echo "only $got of ${bytes} bytes arrived" >&2; exit 1; }`,
    // Only public halves are compared. A host without openssl must believe the check on the control machine.
    'openssl_matches() {',
    '  command -v openssl >/dev/null || return 0',
    '  [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$2" -pubout)" ] && return 0',
    '  echo "the certificate and the key do not belong together; nothing was changed" >&2',
    '  exit 1',
    '}',
  ];
}

/** Lines that make a directory beside `path`, after those which killed runs left. */
function makeStage(variable: string, path: string): readonly string[] {
  const prefix = quote(`${posix.dirname(path)}/.${posix.basename(path)}.`);
  return [`rm -rf ${prefix}??????`, `${variable}=$(mktemp -d ${prefix}XXXXXX)`];
}

function own(staged: string, mode: string, { owner, group }: Ownership): string {
  return `chown ${quote(`${owner}:${group}`)} ${staged}\nchmod ${quote(mode)} ${staged}`;
}

/** Keeps one dated copy of what is about to be replaced, and none of what was there before it. */
function keep(path: string): string {
  const old = `${quote(`${BACKUP_ROOT}${path}`)}.*Z`;
  return `[ -e ${quote(path)} ] || rm -f ${old}\n{\n${keepBackup(path)}\n} >/dev/null`;
}
