import { posix } from 'node:path';
import type { Ownership } from '../model/action.js';
import { stageOf } from './kept-copy.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/** `chown` and `chmod` of what only this script can exchange. @param name a word of the shell */
export function ownershipLines(name: string, { owner, group, mode }: Ownership): readonly string[] {
  return [`chown ${quote(`${owner}:${group}`)} ${name}`, `chmod ${quote(mode)} ${name}`];
}

/**
 * A script that gives a directory owner and mode.
 * @param found what it must have until then; absent: anything
 */
export function changeDirectoryScript(path: string, wanted: Ownership, found?: Ownership): string {
  return [
    DIRECTORY_FUNCTIONS,
    `enter ${quote(path)}`,
    ...stillLines('.', path, found),
    ...ownershipLines('.', wanted),
  ].join('\n');
}

/**
 * A script that gives a file owner and mode, whatever it holds. It is held by a second name in a stage, where nobody can
 * exchange it. A file that has other names is refused where others can write: they may have given it this one.
 * @param found what it must have until then; absent: anything
 */
export function changeFileScript(path: string, wanted: Ownership, found?: Ownership): string {
  const stage = stageOf(path);
  const held = quote(`./${posix.basename(path)}`);
  return [
    DIRECTORY_FUNCTIONS,
    ...stage.lines,
    `ln -P ${stage.target} ${held}`,
    `{ [ -f ${held} ] && [ ! -L ${held} ]; } || refuse ${quote(`${path} is not a file`)}`,
    `[ $trusted = yes ] || [ "$(stat -c %h ${held})" = 2 ] ||`,
    `  refuse ${quote(`${path} has another name (a hard link), and others than root can write in its directory`)}`,
    ...stillLines(held, path, found),
    ...ownershipLines(held, wanted),
  ].join('\n');
}

function stillLines(name: string, path: string, found: Ownership | undefined): readonly string[] {
  if (found === undefined) return [];
  const seen = `${found.owner}:${found.group} ${found.mode}`;
  return [
    `named() { name=$(stat -c "$1" ${name}); [ "$name" != UNKNOWN ] || name=$(stat -c "$2" ${name}); printf %s "$name"; }`,
    `[ "$(named %U %u):$(named %G %g) $(printf %04d "$(stat -c %a ${name})")" = ${quote(seen)} ] ||`,
    `  refuse ${quote(`${path} is not ${seen} any more`)}`,
  ];
}
