import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A repository, as apt tells one from another. */
export interface AptRepository {
  readonly uri: string;
  readonly suite: string;
}

/** A file of sources that names a repository. */
export interface AptSourceFile {
  readonly path: string;
  /** It names others, too. */
  readonly namesOthers: boolean;
}

/** apt reads no file with another name (sources.list(5)), and what a host says becomes a part of a command that people type. */
const PATH = /^\/etc\/apt\/(?:sources\.list|sources\.list\.d\/[A-Za-z0-9._-]+\.(?:list|sources))$/;

/** More is no file of sources. */
const BYTES = 256 * 1024;

/** What {@link aptSources} is asked with: neither slashes at the end of a URI nor `./` for `/` are another repository. */
export function aptSourceKey({ uri, suite }: AptRepository): string {
  return `${trimmed(uri)} ${suite === './' ? '/' : suite}`;
}

function trimmed(uri: string): string {
  return uri.replace(/\/+$/, '');
}

/**
 * Key: a repository, by {@link aptSourceKey}. The files of sources that name it: not in comments, nor in stanzas that say `Enabled: no`.
 */
export const aptSources: Fact<readonly AptSourceFile[]> = {
  name: 'apt-sources',
  script: (keys) => {
    const uris = [...new Set(keys.map((key) => key.slice(0, key.lastIndexOf(' '))))];
    const words = uris.map((uri) => `-e ${quote(uri)}`).join(' ');
    return [
      'for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do',
      '  case ${file##*/} in *[!A-Za-z0-9._-]*) continue ;; esac',
      `  [ -f "$file" ] && grep -qF ${words} "$file" || continue`,
      `  printf 'S %s %s\\n' "$file" "$(head -c ${BYTES} "$file" | base64 -w0)"`,
      'done',
      ':',
    ].join('\n');
  },
  parse(stdout, keys) {
    const files = [...stdout.matchAll(/^S (.*) ([A-Za-z0-9+/=]*)$/gm)].map(([, path = '', encoded = '']) => {
      if (!PATH.test(path)) throw new Error('a file of another name came back');
      return { path, names: repositoriesIn(path, Buffer.from(encoded, 'base64').toString('utf8')).map(aptSourceKey) };
    });
    return new Map(
      keys.map((key) => [
        key,
        files
          .filter(({ names }) => names.includes(key))
          .map(({ path, names }) => ({ path, namesOthers: names.some((each) => each !== key) })),
      ]),
    );
  },
  evidence: (files) => files.map(({ path }) => path),
};

/** sources.list(5). */
function repositoriesIn(path: string, text: string): readonly AptRepository[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return path.endsWith('.sources') ? ofStanzas(lines) : lines.flatMap(ofLine);
}

function ofLine(line: string): readonly AptRepository[] {
  const [, uri = '', suite = ''] = /^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)/.exec(line) ?? [];
  return uri === '' ? [] : [{ uri, suite }];
}

function ofStanzas(lines: readonly string[]): readonly AptRepository[] {
  const stanzas = lines.join('\n').split(/\n[ \t]*(?:\n[ \t]*)+/);
  return stanzas.flatMap((stanza) => {
    if (/^(?:no|false|without|off|disable|0)$/i.test(wordsOf(stanza, 'Enabled')[0] ?? '')) return [];
    return wordsOf(stanza, 'URIs').flatMap((uri) => wordsOf(stanza, 'Suites').map((suite) => ({ uri, suite })));
  });
}

/** The words of a field, with the lines that continue it. */
function wordsOf(stanza: string, field: string): readonly string[] {
  const [, value = ''] = new RegExp(`(?:^|\\n)${field}:([^\\n]*(?:\\n[ \\t][^\\n]*)*)`, 'i').exec(stanza) ?? [];
  return value.split(/\s+/).filter((word) => word !== '');
}
