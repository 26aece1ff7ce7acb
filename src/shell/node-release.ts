import type { NodeProduct, NodeRelease } from '../model/kubernetes.js';
import { PRODUCT_TITLES } from '../model/kubernetes.js';
import type { Command } from '../model/remote.js';
import { needRoomLines } from './disk-room.js';
import { DIRECTORY_FUNCTIONS } from './open-directory.js';
import { quote } from './quote.js';

/** Where releases for nodes are unpacked, a directory each. */
export const NODE_RELEASES = '/usr/local/lib/provision-releases';

/** What a release must have, to be one; and the program that says its version. */
export const NEEDED_PROGRAMS: Readonly<Record<NodeProduct, readonly [string, ...string[]]>> = {
  containerd: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
  runc: ['runc'],
  cni: ['loopback', 'bridge', 'host-local', 'portmap'],
};

/** How the names of programs are found among the entries of a tarball (containerd's docs/getting-started.md); runc is no tarball. */
const ENTRIES: Readonly<Record<Exclude<NodeProduct, 'runc'>, string>> = {
  containerd: String.raw`s#^\(\./\)\{0,1\}bin/\([A-Za-z0-9][A-Za-z0-9._-]*\)$#\2#p`,
  cni: String.raw`s#^\(\./\)\{0,1\}\([a-z0-9][a-z0-9-]*\)$#\2#p`,
};

/** A tarball of containerd has 45 MiB and its programs 130, the CNI plugins less; with room for what comes. */
const NEEDED_BYTES = 512 * 1024 * 1024;

/** A slow line to a distant site: 50 MiB at 0.2 Mbit/s. */
const SEND_TIMEOUT_MS = 35 * 60_000;

/** The directory of a release: another file is another directory. */
export function nodeReleaseDirectory({ product, sha256 }: Pick<NodeRelease, 'product' | 'sha256'>): string {
  return `${NODE_RELEASES}/${product}-${sha256.slice(0, 12)}`;
}

/**
 * The command that unpacks a release, of the file on its stdin, beside those that are there. It is compared with its SHA-256 before
 * anything is read of it; of its entries only the contents of programs are used, by their names; and it must run here. A directory that
 * is there is whole.
 */
export function unpackNodeRelease(release: NodeRelease): Command {
  const { product, sha256 } = release;
  const title = PRODUCT_TITLES[product];
  const place = nodeReleaseDirectory(release);
  const name = quote(`./${place.slice(NODE_RELEASES.length + 1)}`);
  const [first, ...others] = NEEDED_PROGRAMS[product];
  const script = [
    DIRECTORY_FUNCTIONS,
    `enter ${NODE_RELEASES} 0755`,
    `only_root ${NODE_RELEASES}`,
    `[ ! -e ${name} ] || exit 0`,
    `trap 'exit 143' HUP INT TERM`,
    'stage .unpack',
    ...needRoomLines({
      ...{ subject: `a release of ${title} needs`, bytes: NEEDED_BYTES, at: '.', place: `in ${NODE_RELEASES}` },
    }),
    'cat >./.release',
    'got=$(sha256sum <./.release)',
    `[ "\${got%% *}" = ${sha256} ] || refuse "the file of ${title} has SHA-256 \${got%% *}, and ${sha256} was expected: nothing was unpacked"`,
    ...(product === 'runc' ? ['mv ./.release ./runc'] : unpackLines(ENTRIES[product])),
    `for name in ${[first, ...others].join(' ')}; do [ -s "./$name" ] || refuse "the file has no $name: it is no release of ${title}"; done`,
    'chmod 0755 ./*',
    // What does not run here, as on another machine, is met before anything is changed. A plugin wants no argument, and says what it is.
    `said=$(timeout 20 ./${first} ${product === 'cni' ? '' : '--version '}2>&1 </dev/null) || refuse "the ${first} of the release does not run here: $said"`,
    'chmod 0755 .',
    'for name in ./*; do sync "$name"; done',
    'trap - EXIT',
    `mv -T ../.unpack ${quote(`../${place.slice(NODE_RELEASES.length + 1)}`)}`,
    'sync ..',
  ].join('\n');
  return { summary: `unpack ${title} into ${place}`, script, timeoutMs: SEND_TIMEOUT_MS };
}

function unpackLines(entries: string): readonly string[] {
  return [
    'tar -tzf ./.release >./.entries 2>/dev/null || refuse "the file is no tarball (tar -tzf)"',
    `sed -n ${quote(entries)} ./.entries >./.names`,
    'while read -r name; do',
    // Of a link, or anything else that is no file, nothing comes out.
    '  entry=$(grep -Fx -e "$name" -e "./$name" -e "bin/$name" -e "./bin/$name" ./.entries | head -n 1)',
    '  tar -xzf ./.release -O --occurrence=1 -- "$entry" >"./$name" 2>/dev/null || refuse "$entry could not be unpacked: is the disk full?"',
    '  [ -s "./$name" ] || rm "./$name"',
    'done <./.names',
    'rm ./.release ./.entries ./.names',
  ];
}

/** Where the programs of a release are found, and what of them led there before. */
export interface NodeLinks {
  readonly release: Pick<NodeRelease, 'product' | 'sha256'>;
  /** The directory of the links. */
  readonly links: string;
}

/** A command that has the programs of a release found: links, each exchanged in one rename. What others have at their places stays. */
export function linkNodeRelease({ release, links }: NodeLinks): Command {
  const { product } = release;
  const directory = nodeReleaseDirectory(release);
  return {
    summary: `lead ${links} to ${directory}`,
    script: linkScript({ product, links }, directory),
  };
}

/** What takes {@link linkNodeRelease} back. @param before the directory that was in use */
export function linkBackNodeRelease({ release, links }: NodeLinks, before: string | undefined): Command {
  const { product } = release;
  return {
    summary: before === undefined ? `remove the links in ${links}` : `lead ${links} to ${before}`,
    script: linkScript({ product, links }, before),
  };
}

function linkScript(
  { product, links }: { readonly product: NodeProduct; readonly links: string },
  directory?: string,
): string {
  const own = quote(`${NODE_RELEASES}/${product}-`);
  const link = [
    `for program in ${quote(directory ?? '')}/*; do`,
    '  name=${program##*/}',
    '  [ "$(readlink "./$name")" != "$program" ] || continue',
    `  case $(readlink "./$name") in ${own}*) ;; *) [ ! -L "./$name" ] && [ ! -e "./$name" ] || ${product === 'cni' ? 'continue' : 'refuse "$at/$name is of others: it is left as it is"'} ;; esac`,
    '  rm -f "./.$name.provision"; ln -s "$program" "./.$name.provision"; mv -f -T "./.$name.provision" "./$name"',
    'done',
  ];
  return [
    DIRECTORY_FUNCTIONS,
    `enter ${quote(links)} 0755`,
    `only_root ${quote(links)}`,
    ...(directory === undefined ? [] : link),
    // Of another release, what this one has not.
    `for link in ./*; do case $(readlink "$link") in ${quote(`${directory ?? '/nowhere'}/`)}*) ;; ${own}*) rm "$link" ;; esac; done`,
    'sync .',
  ].join('\n');
}
