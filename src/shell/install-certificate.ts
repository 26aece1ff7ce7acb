import { posix } from 'node:path';
import type { CertificateDestination } from '../model/certificate.js';
import type { Ownership } from '../model/action.js';
import {
  backupDirectory,
  keepCopyLines,
  type KeptCopy,
  requireCopyLines,
  restoreCopyLines,
  SAME_FUNCTION,
  type Stage,
  stageOf,
} from './kept-copy.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

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
 * staged where only root can look, gets owner and mode there, is checked, and only then renamed. A renewed certificate
 * is one rename; a new pair is renamed by one `mv`, key first (docs/adr/2026-11-21-renewal-keeps-the-key.md). What is
 * replaced is kept.
 * @param copy name of the kept copies
 */
export function installCertificateScript(installation: CertificateInstallation, copy: string): string {
  const { destination } = installation;
  return destination.layout === 'bundle'
    ? bundleScript(installation, destination.path, copy)
    : pairScript(installation, destination, copy);
}

/** What {@link restoreCertificateScript} puts back. */
export interface CertificateRestoration extends Omit<CertificateInstallation, 'bytes'> {
  /** Name of the kept copies. */
  readonly copy: string;
  /** `kept`: a missing copy is an error. `if-kept`: the installation failed, perhaps before it kept one. */
  readonly when: 'kept' | 'if-kept';
}

/**
 * A script that puts back what {@link installCertificateScript} replaced, key first, each from its own copy; where there
 * was nothing, the new files go. A pair of which one copy is gone stays as it is.
 */
export function restoreCertificateScript({ destination, key, copy, when }: CertificateRestoration): string {
  const keyPath = destination.layout === 'bundle' ? destination.path : destination.keyPath;
  const certificate = destination.layout === 'bundle' ? destination.path : destination.certificatePath;
  const paths = [...new Set(key === 'kept' ? [certificate] : [keyPath, certificate])];
  return [
    DIRECTORY_FUNCTIONS,
    SAME_FUNCTION,
    ...(when === 'kept' ? requireCopyLines(paths.map((path) => ({ path, name: copy }))) : []),
    ...(isWaiting(key) ? waitAgainLines({ path: keyPath, name: copy }, key) : []),
    ...paths.flatMap((path) => restoreCopyLines({ path, name: copy }, stageOf(path), when)),
  ].join('\n');
}

function isWaiting(key: CertificateInstallation['key']): key is WaitingKey {
  return typeof key === 'object';
}

/** The key waits again, so that its certificate, signed with some trouble, can still be installed. */
function waitAgainLines(copy: KeptCopy, { path }: WaitingKey): readonly string[] {
  const kept = `${quote(backupDirectory(copy.path))}/${quote(copy.name)}`;
  const stage = quote(`${posix.dirname(path)}/.${posix.basename(path)}.restored`);
  return [
    `if [ ! -e ${quote(path)} ] && { [ -e ${kept} ] || [ -L ${kept} ] || [ -e ${kept}.absent ]; }; then`,
    `  awk '${PRINT_KEY}' ${quote(copy.path)} >${stage}`,
    `  mv -f -T ${stage} ${quote(path)}`,
    'fi',
  ];
}

function bundleScript({ ownership, key, bytes }: CertificateInstallation, path: string, copy: string): string {
  const stage = stageOf(path);
  return [
    ...receive(stage, bytes),
    ...(isWaiting(key) ? [stillWaits(key), `cat ${quote(key.path)} >>./.received`] : []),
    'belong_together ./.received ./.received',
    own('./.received', ownership.mode, ownership),
    'sync ./.received',
    ...keepCopyLines({ path, name: copy }, stage.target),
    `mv -f -T ./.received ${stage.target}`,
    `sync ${stage.directory}`,
    ...(isWaiting(key) ? [`rm -f ${quote(key.path)}`] : []),
  ].join('\n');
}

type Pair = CertificateDestination & { readonly layout: 'pair' };

function pairScript(installation: CertificateInstallation, pair: Pair, copy: string): string {
  const { ownership, key, bytes } = installation;
  const stage = stageOf(pair.certificatePath);
  const staged = quote(`./${posix.basename(pair.certificatePath)}`);
  const isTogether = posix.dirname(pair.keyPath) === posix.dirname(pair.certificatePath);
  const land = key === 'kept' ? renewalLines : isTogether ? pairLines : apartLines;
  return [
    ...receive(stage, bytes),
    `awk '/^-----BEGIN CERTIFICATE-----/ {on=1} on {print} /^-----END CERTIFICATE-----/ {on=0}' ./.received >${staged}`,
    own(staged, '0644', ownership),
    `sync ${staged}`,
    ...land({ installation, pair, copy, stage, staged }),
    `sync ${stage.directory}`,
    ...(isWaiting(key) ? [`rm -f ${quote(key.path)}`] : []),
  ].join('\n');
}

interface Landing {
  readonly installation: CertificateInstallation;
  readonly pair: Pair;
  readonly copy: string;
  readonly stage: Stage;
  /** The staged certificate, quoted. */
  readonly staged: string;
}

function renewalLines({ pair, copy, stage, staged }: Landing): readonly string[] {
  return [
    `belong_together ${staged} ${quote(pair.keyPath)}`,
    ...keepCopyLines({ path: pair.certificatePath, name: copy }, stage.target),
    `mv -f -T ${staged} ${stage.target}`,
  ];
}

function pairLines({ installation, pair, copy, stage, staged }: Landing): readonly string[] {
  const name = posix.basename(pair.keyPath);
  const stagedKey = quote(`./${name}`);
  return [
    ...keyLines(installation, './.received', stagedKey),
    `belong_together ${staged} ${stagedKey}`,
    ...keepCopyLines({ path: pair.keyPath, name: copy }, quote(`../${name}`)),
    ...keepCopyLines({ path: pair.certificatePath, name: copy }, stage.target),
    // One process and two renames: the two files disagree for microseconds, not for the start of a second `mv`.
    `mv -f -t .. ${stagedKey} ${staged}`,
  ];
}

/** The key goes to another directory: a subshell stands in that one's stage, while this shell stays in its own. */
function apartLines({ installation, pair, copy, stage, staged }: Landing): readonly string[] {
  const keyStage = stageOf(pair.keyPath);
  const stagedKey = quote(`./${posix.basename(pair.keyPath)}`);
  return [
    `exec 3<./.received 4<${staged}`,
    ...keepCopyLines({ path: pair.certificatePath, name: copy }, stage.target),
    '(',
    ...keyStage.lines,
    ...keyLines(installation, '/dev/fd/3', stagedKey),
    `belong_together /dev/fd/4 ${stagedKey}`,
    ...keepCopyLines({ path: pair.keyPath, name: copy }, keyStage.target),
    `mv -f -T ${stagedKey} ${keyStage.target}`,
    'sync ..',
    ')',
    `mv -f -T ${staged} ${stage.target}`,
  ];
}

/** @param received a word that names what came on stdin @param stagedKey where the key is put, quoted */
function keyLines({ key, ownership }: CertificateInstallation, received: string, stagedKey: string): readonly string[] {
  return [
    ...(isWaiting(key) ? [stillWaits(key)] : []),
    `awk '${PRINT_KEY}' ${isWaiting(key) ? quote(key.path) : received} >${stagedKey}`,
    own(stagedKey, ownership.mode, ownership),
    `sync ${stagedKey}`,
  ];
}

const PRINT_KEY = '/^-----BEGIN [A-Z ]*PRIVATE KEY-----/ {on=1} on {print} /^-----END [A-Z ]*PRIVATE KEY-----/ {on=0}';

function stillWaits({ path }: WaitingKey): string {
  const lost = `the key that this certificate was requested for does not wait in ${path}; nothing was changed`;
  return `[ -f ${quote(path)} ] || refuse ${quote(lost)}`;
}

/** Lines that take stdin into `.received` in the stage, and refuse half of it: the connection may be lost on the way. */
function receive(stage: Stage, bytes: number): readonly string[] {
  return [
    DIRECTORY_FUNCTIONS,
    ...stage.lines,
    'cat >./.received',
    'got=$(wc -c <./.received)',
    `[ "$got" -eq ${bytes} ] || refuse "only $got of ${bytes} bytes arrived"`,
    // Only public halves are compared. A host without openssl must believe the check on the control machine.
    'belong_together() {',
    '  command -v openssl >/dev/null || return 0',
    '  [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$2" -pubout)" ] && return 0',
    '  refuse "the certificate and the key do not belong together; nothing was changed"',
    '}',
  ];
}

function own(staged: string, mode: string, { owner, group }: Ownership): string {
  return `chown ${quote(`${owner}:${group}`)} ${staged}\nchmod ${quote(mode)} ${staged}`;
}
