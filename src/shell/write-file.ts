import { posix } from 'node:path';
import type { WriteFile } from '../model/action.js';
import { keepCopyLines, restoreCopyLines, SAME_FUNCTION, stageOf, type KeptCopy } from './kept-copy.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/** A new file's target: all of {@link WriteFile} but its content, which travels on stdin. */
type Target = Omit<WriteFile, 'kind' | 'content'>;

/** What a script that restores is given. */
export interface Restoration extends KeptCopy {
  /** As of {@link WriteFile}. */
  readonly stagingDirectory?: string | undefined;
  /** `kept`: the action was done, and a missing copy is an error. `if-kept`: it failed, perhaps before it kept one. */
  readonly when: 'kept' | 'if-kept';
}

/**
 * A script that reads the content from stdin and puts it in place atomically, from a stage that only root can enter.
 * What stood there is kept. A cut connection leaves a short stage, which the byte count refuses.
 * @param bytes how long the content is
 * @param copy name of the kept copy
 */
export function writeFileScript(target: Target, bytes: number, copy: string): string {
  const stage = stageOf(target.path, target.stagingDirectory);
  const staged = quote(`./${posix.basename(target.path)}`);
  return [
    DIRECTORY_FUNCTIONS,
    ...stage.lines,
    `cat >${staged}`,
    `got=$(wc -c <${staged})`,
    `[ "$got" -eq ${bytes} ] || refuse "only $got of ${bytes} bytes arrived"`,
    `chown ${quote(`${target.owner}:${target.group}`)} ${staged}`,
    `chmod ${quote(target.mode)} ${staged}`,
    ...(target.validate === undefined ? [] : validateLines(target.validate, posix.basename(target.path))),
    // A rename alone may survive a power cut as an empty file: the data goes to disk first, then the name.
    `sync ${staged}`,
    ...keepCopyLines({ path: target.path, name: copy }, stage.target),
    `mv -f -T ${staged} ${stage.target}`,
    `sync ${stage.directory}`,
  ].join('\n');
}

/**
 * The check gets an absolute path: by name where only root can exchange it, else through the directory of a shell that
 * stays in the stage. Not of this one: a script that is fed runs in a subshell, and its `$$` is another process.
 */
function validateLines(validate: string, name: string): readonly string[] {
  // Not its last command: dash would become that one, and go where the check goes.
  const check = [
    'case $1 in /*) ;; *) set -- "/proc/$$/cwd/$1" ;; esac',
    `sh -c ${quote(validate)} validate "$1" || exit $?`,
  ].join('\n');
  return [
    'if [ $trusted = yes ]; then here=$(pwd -P)/; else here=; fi',
    `sh -c ${quote(check)} validate "$here"${quote(name)} >&2`,
  ];
}

/** A script that keeps a copy of a file, or of a link, and removes it. @param copy name of the copy */
export function removeFileScript(path: string, copy: string): string {
  const target = quote(`./${posix.basename(path)}`);
  return [
    DIRECTORY_FUNCTIONS,
    `enter ${quote(posix.dirname(path))}`,
    ...keepCopyLines({ path, name: copy }, target),
    `rm -f ${target}`,
    'sync .',
  ].join('\n');
}

/** A script that puts a path back as it was before {@link writeFileScript} or {@link removeFileScript}. */
export function restoreFileScript({ path, name, stagingDirectory, when }: Restoration): string {
  const stage = stageOf(path, stagingDirectory);
  return [DIRECTORY_FUNCTIONS, SAME_FUNCTION, ...restoreCopyLines({ path, name }, stage, when)].join('\n');
}
