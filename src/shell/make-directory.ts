import type { Ownership } from '../model/action.js';
import { backupDirectory, type KeptCopy } from './kept-copy.js';
import { ownershipLines } from './change-ownership.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/**
 * A script that makes a directory, and those above it that are missing: they are root's, 0755, so that every service
 * can pass, whatever the umask. What it finds is noted first, for {@link removeDirectoryScript}.
 * @param copy name of the note
 */
export function makeDirectoryScript(wanted: Ownership & { readonly path: string }, copy: string): string {
  const { path } = wanted;
  const notes = quote(backupDirectory(path));
  return [
    DIRECTORY_FUNCTIONS,
    `missing=0 above=${quote(path)}`,
    'while [ ! -e "$above" ] && [ ! -L "$above" ]; do',
    '  missing=$((missing + 1)) above=${above%/*}',
    '  [ -n "$above" ] || above=/',
    'done',
    `(enter ${notes} 0700; only_root ${notes})`,
    `echo "$missing $(stat -L -c '%u:%g 0%a' "$above")" >${notes}/${quote(copy)}.directory`,
    `sync ${notes}`,
    `enter ${quote(path)} 0755`,
    // Another action may have made it meanwhile, on the way to one below it; no one else's directory is given away.
    'case $trusted$(stat -c %u:%a .) in',
    '*:755 | *:2755 | yes*) ;;',
    `*) refuse ${quote(`${path} was created by another process meanwhile`)} ;;`,
    'esac',
    ...ownershipLines('.', wanted),
  ].join('\n');
}

/** A script that rolls back what {@link makeDirectoryScript} made; a directory that is in use by now is an error. */
export function removeDirectoryScript({ path, name }: KeptCopy): string {
  const note = `${quote(backupDirectory(path))}/${quote(name)}.directory`;
  return [
    DIRECTORY_FUNCTIONS,
    `[ -e ${note} ] || exit 0`,
    `read -r missing owner mode <${note}`,
    `made=${quote(path)}`,
    'if [ "$missing" = 0 ]; then',
    '  enter "$made"',
    '  chown "$owner" .',
    '  chmod "$mode" .',
    'fi',
    'while [ "$missing" -gt 0 ]; do',
    '  if [ -d "$made" ]; then',
    '    (enter "${made%/*}/"; rmdir "./${made##*/}")',
    '  fi',
    '  missing=$((missing - 1)) made=${made%/*}',
    'done',
  ].join('\n');
}
