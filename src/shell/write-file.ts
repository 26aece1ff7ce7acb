import { posix } from 'node:path';
import type { Ownership, WriteFile } from '../model/change.js';
import { quote } from './quote.js';

/** Where replaced files are kept, under their own path: outside every configuration directory (kubeadm#2823). */
export const BACKUP_ROOT = '/var/backups/provision';

/** A new file's target: all of {@link WriteFile} but its content, which travels on stdin. */
type Target = Omit<WriteFile, 'kind' | 'content'>;

/** `chown` and `chmod` of one path. */
export function setOwnership(path: string, { owner, group, mode }: Ownership): string {
  return `chown ${quote(`${owner}:${group}`)} ${quote(path)}\nchmod ${quote(mode)} ${quote(path)}`;
}

/**
 * A script that reads the content from stdin and puts it in place atomically. It prints the path of the kept backup,
 * or nothing. A cut connection leaves a short stage, which the byte count refuses.
 * @param bytes how long the content is
 */
export function writeFileScript(target: Target, bytes: number): string {
  const directory = posix.dirname(target.path);
  const staging = target.stagingDirectory ?? directory;
  return [
    'set -eu',
    'umask 077',
    ...makeStage(target.path, staging),
    `cat >"$stage"`,
    `got=$(wc -c <"$stage")`,
    `[ "$got" -eq ${bytes} ] || { echo "only $got of ${bytes} bytes arrived" >&2; exit 1; }`,
    `chown ${quote(`${target.owner}:${target.group}`)} "$stage"`,
    `chmod ${quote(target.mode)} "$stage"`,
    ...(target.validate === undefined ? [] : [`sh -c ${quote(target.validate)} validate "$stage" >&2`]),
    keepBackup(target.path),
    // A rename alone may survive a power cut as an empty file: the data goes to disk first, then the name.
    `sync "$stage"`,
    `mv -T "$stage" ${quote(target.path)}`,
    `sync ${quote(directory)}`,
  ].join('\n');
}

/** Lines that make an empty file to be renamed to `path`, after those which killed runs left. */
function makeStage(path: string, directory: string): readonly string[] {
  const prefix = quote(`${directory}/.${posix.basename(path)}.`);
  return [`rm -f ${prefix}??????`, `stage=$(mktemp ${prefix}XXXXXX)`, `trap 'rm -f "$stage"' EXIT`];
}

/** A script that keeps a dated copy and removes the file. It prints the copy's path. */
export function removeFileScript(path: string): string {
  return ['set -eu', 'umask 077', keepBackup(path), `rm -f ${quote(path)}`].join('\n');
}

/** Shell lines that copy `path`, when there is one, to its dated backup, print that name and drop older ones. */
export function keepBackup(path: string): string {
  const kept = `${BACKUP_ROOT}${path}`;
  return [
    `if [ -e ${quote(path)} ]; then`,
    `  mkdir -p ${quote(posix.dirname(kept))}`,
    `  backup=${quote(kept)}.$(date -u +%Y%m%dT%H%M%S.%NZ)`,
    `  cp -p ${quote(path)} "$backup"`,
    `  sync "$backup"`,
    `  for old in ${quote(kept)}.*Z; do [ "$old" = "$backup" ] || rm -f "$old"; done`,
    `  printf '%s' "$backup"`,
    'fi',
  ].join('\n');
}

/**
 * A script that puts a file back as it was: from its backup, or away when there was none.
 * @param backup what {@link writeFileScript} or {@link removeFileScript} printed
 */
export function restoreFileScript(path: string, backup: string, stagingDirectory: string): string {
  if (backup === '') return `set -eu\nrm -f ${quote(path)}`;
  return [
    'set -eu',
    'umask 077',
    ...makeStage(path, stagingDirectory),
    `cp -p ${quote(backup)} "$stage"`,
    // Not its old time: a service that ran with the failed file must see that this one is newer.
    `touch "$stage"`,
    `sync "$stage"`,
    `mv -T "$stage" ${quote(path)}`,
  ].join('\n');
}
