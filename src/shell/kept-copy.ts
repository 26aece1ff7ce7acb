import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { quote } from './quote.js';

/** Where replaced files are kept, for root only: outside every configuration directory (kubeadm#2823). */
export const BACKUP_ROOT = '/var/backups/provision';

/** NAME_MAX in limits.h is 255. */
const NAME_BYTES = 200;

/**
 * The directory of the copies of one path, and of no other: `/var/backups/provision/%2Fetc%2Fhosts`. A path that makes
 * too long a name is replaced by its SHA-256.
 */
export function backupDirectory(path: string): string {
  const name = encodeURIComponent(path);
  const isLong = name.length > NAME_BYTES;
  return posix.join(BACKUP_ROOT, isLong ? `sha256-${sha256(path)}` : name);
}

/** One copy: of what stood at `path` before the action that named it `name`. */
export interface KeptCopy {
  readonly path: string;
  /** `RUN.NUMBER`, unique among the actions of all runs: {@link copyName}. */
  readonly name: string;
}

/**
 * Names the copies that one action makes.
 * @param run when the work on the host began, milliseconds since 1970
 * @param number of the action, in this run
 */
export function copyName(run: number, number: number): string {
  return `${new Date(run).toISOString().replaceAll(/[-:]/g, '')}.${number}`;
}

/**
 * Shell lines that keep what is at a path: a file with its owner, mode and times, a link as a link, or the note that
 * there is nothing. All is on disk before they end, so that from then on {@link restoreCopyLines} knows what was there.
 * Copies of earlier runs go. Run after `DIRECTORY_FUNCTIONS`.
 * @param from the path as it is reached from the current directory, as a word of the shell
 */
export function keepCopyLines({ path, name }: KeptCopy, from: string): readonly string[] {
  const directory = quote(backupDirectory(path));
  const copy = `${directory}/${quote(name)}`;
  const run = quote(name.slice(0, name.lastIndexOf('.')));
  return [
    `(enter ${directory} 0700; only_root ${directory})`,
    `if [ -L ${from} ] || [ -e ${from} ]; then`,
    // -a never follows: what is exchanged meanwhile is copied as what it is, and then refused.
    `  cp -a ${from} ${copy}`,
    `  [ -L ${copy} ] || [ -f ${copy} ] || { rm -rf ${copy}; refuse ${quote(`${path} is not a file`)}; }`,
    'else',
    `  : >${copy}.absent`,
    'fi',
    `for old in ${directory}/*; do case "$old" in ${directory}/${run}.*) ;; *) rm -f "$old" ;; esac; done`,
    `if [ -f ${copy} ] && [ ! -L ${copy} ]; then sync ${copy} ${directory}; else sync ${directory}; fi`,
  ];
}

/** Where a file is staged, and how its path is reached from there. */
export interface Stage {
  /** Shell lines that enter the stage. */
  readonly lines: readonly string[];
  /** The path, and its directory, as words of the shell. */
  readonly target: string;
  readonly directory: string;
}

/**
 * The stage of a path: below the path's own directory, or in another one of the same file system. That one and the
 * path's own are then reached by name, and so must be out of the reach of others.
 */
export function stageOf(path: string, stagingDirectory?: string): Stage {
  const [directory, base] = [posix.dirname(path), posix.basename(path)];
  const name = quote(`.provision-new.${base.length > NAME_BYTES ? sha256(base) : base}`);
  if (stagingDirectory === undefined)
    return { lines: [`enter ${quote(directory)}`, `stage ${name}`], target: quote(`../${base}`), directory: '..' };
  const apart = [directory, stagingDirectory].map(quote);
  return {
    lines: [...apart.flatMap((way) => [`enter ${way}`, `only_root ${way}`]), `stage ${name}`],
    target: quote(path),
    directory: quote(directory),
  };
}

/**
 * Shell lines that put back what {@link keepCopyLines} kept, or take away what was made where nothing stood. Nothing is
 * touched that is as it was. Run after `DIRECTORY_FUNCTIONS` and {@link SAME_FUNCTION}; they change the directory.
 * @param when `kept`: a missing copy is an error. `if-kept`: it means that the action ended before it changed anything
 */
export function restoreCopyLines({ path, name }: KeptCopy, stage: Stage, when: 'kept' | 'if-kept'): readonly string[] {
  const copy = `${quote(backupDirectory(path))}/${quote(name)}`;
  const lost = `the copy ${backupDirectory(path)}/${name} is gone: ${path} was not put back`;
  return [
    `if [ -L ${copy} ] || [ -e ${copy} ]; then`,
    ...stage.lines.map((line) => `  ${line}`),
    `  if ! same ${copy} ${stage.target}; then`,
    `    cp -a ${copy} ./old`,
    // Not its old time: a service that ran with the failed file must see that this one is newer.
    '    touch -h ./old',
    '    [ -L ./old ] || sync ./old',
    `    mv -f -T ./old ${stage.target}`,
    `    sync ${stage.directory}`,
    '  fi',
    '  unstage',
    `elif [ -e ${copy}.absent ]; then`,
    `  enter ${quote(posix.dirname(path))}`,
    `  rm -f ${quote(`./${posix.basename(path)}`)}`,
    ...(when === 'kept' ? ['else', `  refuse ${quote(lost)}`] : []),
    'fi',
  ];
}

/**
 * Shell lines that refuse, before anything is touched, when the copy of one of several paths is gone: they belong
 * together, and half of them beside the other new half is worse than both new. Run after `DIRECTORY_FUNCTIONS`.
 */
export function requireCopyLines(copies: readonly KeptCopy[]): readonly string[] {
  return copies.map(({ path, name }) => {
    const file = `${backupDirectory(path)}/${name}`;
    const lost = `the copy ${file} is gone: ${copies.map((copy) => copy.path).join(' and ')} was not put back`;
    return `[ -L ${quote(file)} ] || [ -e ${quote(file)} ] || [ -e ${quote(file)}.absent ] || refuse ${quote(lost)}`;
  });
}

/** Shell function `same COPY PATH`: is what is at the path just what was kept? */
export const SAME_FUNCTION = `
same() {
  [ "$(stat -c '%f %u %g' "$1")" = "$(stat -c '%f %u %g' "$2" 2>/dev/null)" ] || return 1
  if [ -L "$1" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; else [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]; fi
}`.trim();

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
