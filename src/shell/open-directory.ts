/**
 * Shell functions by which root works in directories that others may write in, without ever following what they put
 * there (docs/adr/2026-11-25-root-works-from-an-opened-directory.md). A POSIX shell has no open(2) with O_NOFOLLOW, but
 * it has a current directory: one that is entered stays the same inode, whatever others do to its name. So every name is
 * relative to a directory that was entered and then compared with what stood at its name before.
 *
 * - `enter DIRECTORY [MODE]`: makes it the current directory, and with MODE makes what is missing of it. A symbolic link
 *   on the way is followed only where nobody but root could have put it. Sets `trusted` to `yes` where no one but root
 *   can exchange any part of the way.
 *   What only root can exchange needs no such comparison: that far it goes in one step (`straight`;
 *   `%f` of a directory begins with 4: S_IFDIR in inode(7)).
 * - `only_root DIRECTORY`: refuses it unless it was entered on a trusted way.
 * - `stage NAME`: makes the directory NAME in the current one, empty and closed to all but root, and enters it. What
 *   is there is removed at the end of the script. `..` is the directory that was entered before: only root can move
 *   a directory that only root may write.
 * - `refuse MESSAGE`: ends the script.
 *
 * Of their variables a script sees `me`, `trusted`, `at`, `staged` and `staged_name`: dash has `local`, as Debian Policy 10.4 asks of every shell.
 */
export const DIRECTORY_FUNCTIONS = `
set -eu
umask 077
me=$(id -u)
trusted=no
refuse() {
  printf '%s\\n' "$1" >&2
  exit 1
}
enter() {
  local way rest mode hops part
  way=$1 rest=$1 mode=\${2:-} at= hops=0 trusted=yes
  cd -P /
  straight
  while rest=\${rest#"\${rest%%[!/]*}"} && [ -n "$rest" ]; do
    part=\${rest%%/*}
    rest=\${rest#"$part"}
    if [ -L "./$part" ]; then follow; else descend; fi
  done
}
straight() {
  local ahead here states state
  ahead=$rest here=
  set --
  while ahead=\${ahead#"\${ahead%%[!/]*}"} && [ -n "$ahead" ]; do
    part=\${ahead%%/*}
    case $part in . | ..) break ;; esac
    { [ -d "$here/$part" ] && [ ! -L "$here/$part" ]; } || break
    here=$here/$part ahead=\${ahead#"$part"}
    set -- "$@" "$here"
  done
  { [ $# -gt 0 ] && states=$(stat -c %u:0%a:%f "$@" 2>/dev/null); } || return 0
  for state in $states; do
    case $state in 0:*:4??? | "$me":*:4???) ;; *) return 0 ;; esac
    state=\${state#*:}
    [ $((\${state%:*} & 0022)) -eq 0 ] || return 0
  done
  at=$here rest=$ahead
  cd -P "$at" || exit 1
}
follow() {
  local by link
  hops=$((hops + 1))
  [ $hops -le 40 ] || refuse "$way: too many symbolic links"
  by=$(stat -c %u "./$part")
  [ $trusted = yes ] && { [ "$by" = 0 ] || [ "$by" = "$me" ]; } ||
    refuse "$at/$part is a symbolic link to $(readlink "./$part"), and others than root could have put it there: it is not followed"
  link=$(readlink "./$part"; echo .)
  case "$link" in /*) cd -P / && at= ;; esac
  rest="\${link%??}/$rest"
}
descend() {
  local seen entered
  [ "$part" != .. ] || [ $trusted = yes ] || refuse "$way: .. below a directory of others"
  if [ -n "$mode" ] && [ ! -e "./$part" ]; then mkdir -m "$mode" "./$part"; fi
  seen=$(stat -c %d:%i "./$part" 2>/dev/null) || refuse "there is no directory $at/$part"
  cd -P "./$part" 2>/dev/null || refuse "$at/$part is not a directory"
  entered=$(stat -c '%d:%i %u 0%a' .)
  [ "\${entered%% *}" = "$seen" ] || refuse "$at/$part was exchanged while it was opened: nothing was written there"
  entered=\${entered#* }
  at=$at/$part
  case "\${entered% *}" in 0 | "$me") ;; *) trusted=no ;; esac
  # Who may write may exchange, but for a sticky directory such as /tmp.
  [ $((\${entered#* } & 0022)) -eq 0 ] || [ $((\${entered#* } & 01000)) -ne 0 ] || trusted=no
}
only_root() {
  [ $trusted = yes ] || refuse "others than root can write on the way to $1"
}
stage() {
  local above
  above=$(stat -c %d:%i .) staged_name=$1
  { [ ! -e "./$1" ] && [ ! -L "./$1" ]; } || rm -rf "./$1"
  mkdir -m 0700 "./$1"
  cd -P "./$1" || exit 1
  set -- $(stat -c '%d:%i %u %a' .. .)
  case "$1 $5 $6" in
  "$above $me 700" | "$above $me 2700") empty ;;
  *) false ;;
  esac || refuse "$at/$staged_name was exchanged while it was made: nothing was written there"
  staged=$4
  trap unstage EXIT
}
empty() {
  local inside
  for inside in ./* ./.[!.]* ./..?*; do
    { [ ! -e "$inside" ] && [ ! -L "$inside" ]; } || return 1
  done
}
unstage() {
  [ "$(stat -c %d:%i .)" = "$staged" ] || return 0
  empty || rm -f ./* ./.[!.]*
  cd -P .. && rmdir "./$staged_name" 2>/dev/null || :
}`.trim();
