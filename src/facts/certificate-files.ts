import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** Owner and mode of a file; links are followed. */
interface FileStat {
  readonly owner: string;
  readonly group: string;
  /** Four octal digits: `0600`. */
  readonly mode: string;
}

/** What a host has of one certificate: nothing of it is secret. */
export interface CertificateFiles {
  /** Absent: no such file. */
  readonly certificate: FileStat | undefined;
  readonly key: FileStat | undefined;
  /** The certificates in the file, PEM, one after another; empty when there are none. */
  readonly pem: string;
  /**
   * The public half of the key, PEM: `unreadable` when openssl on the host cannot read the key, `unchecked` when the
   * host has no openssl or no key was asked for.
   */
  readonly publicKey: { readonly kind: 'known'; readonly pem: string } | { readonly kind: 'unreadable' | 'unchecked' };
}

/**
 * The key to ask {@link certificateFiles} by.
 * @param keyPath the same as `certificatePath` for a bundle; absent for a trust bundle
 */
export function certificateFilesKey(certificatePath: string, keyPath?: string): string {
  return JSON.stringify(keyPath === undefined ? [certificatePath] : [certificatePath, keyPath]);
}

/**
 * Key: {@link certificateFilesKey}. One `stat` and one `awk` over all files, and one `openssl` a private key. Of a
 * file that holds a private key, only the certificates and the public half are printed.
 */
export const certificateFiles: Fact<CertificateFiles> = {
  name: 'certificate-files',
  script(keys) {
    const asked = askedPaths(keys);
    const every = [...new Set([...asked.certificates, ...asked.privateKeys])].map(quote).join(' ');
    const certificates = asked.certificates.map(quote).join(' ');
    const privateKeys = asked.privateKeys.map(quote);
    return [
      `stat -L --printf '%U\\0%G\\0%u\\0%g\\0%a\\0%n\\0' -- ${every} 2>/dev/null`,
      // An empty word ends the list.
      `printf '\\0'`,
      'set --',
      'number=0',
      'numbers=',
      `for path in ${certificates}; do`,
      '  number=$((number + 1))',
      '  [ -f "$path" ] && [ -s "$path" ] && set -- "$@" "$path" && numbers="$numbers $number"',
      'done',
      `[ $# -eq 0 ] || awk -v numbers="$numbers" '${PRINT_CERTIFICATES}' "$@"`,
      ...(privateKeys.length === 0 ? [] : [publicKeysScript(privateKeys.join(' '))]),
      'true',
    ].join('\n');
  },
  parse(stdout, keys) {
    const end = /(?:^|\0)\0/.exec(stdout);
    if (end === null) throw new Error('the list of files has no end');
    const stats = parseStats(stdout.slice(0, end.index).split('\0'));
    const sections = parseSections(stdout.slice(end.index + end[0].length), askedPaths(keys));
    return new Map(
      keys.map((key) => {
        const [certificatePath, keyPath] = pathsOf(key);
        return [
          key,
          {
            certificate: stats.get(certificatePath),
            key: keyPath === undefined ? undefined : stats.get(keyPath),
            pem: sections.certificates.get(certificatePath) ?? '',
            publicKey: keyPath === undefined ? { kind: 'unchecked' } : publicKeyOf(sections.publicKeys.get(keyPath)),
          },
        ];
      }),
    );
  },
  evidence: (files) => files,
};

/** Sections are identified by the number of their path, and their lines begin with a blank: no file can forge another's. */
const PRINT_CERTIFICATES =
  'BEGIN {split(numbers, number, " ")} FNR==1 {on=0; print "C " number[++file]} /^-----BEGIN CERTIFICATE-----/ {on=1} on {print " " $0} /^-----END CERTIFICATE-----/ {on=0}';

function publicKeysScript(paths: string): string {
  return [
    'if command -v openssl >/dev/null; then',
    '  number=0',
    `  for path in ${paths}; do`,
    '    number=$((number + 1))',
    '    [ -f "$path" ] || continue',
    '    echo "K $number"',
    // An encrypted key must not make openssl ask for its passphrase.
    '    openssl pkey -in "$path" -passin pass: -pubout 2>/dev/null | sed "s/^/ /"',
    '  done',
    'fi',
  ].join('\n');
}

function pathsOf(key: string): readonly [string, string?] {
  return JSON.parse(key) as [string, string?];
}

interface AskedPaths {
  readonly certificates: readonly string[];
  readonly privateKeys: readonly string[];
}

/** Each path once, in the order of their numbers from 1. */
function askedPaths(keys: readonly string[]): AskedPaths {
  const asked = keys.map(pathsOf);
  return {
    certificates: [...new Set(asked.map(([path]) => path))],
    privateKeys: [...new Set(asked.flatMap(([, path]) => (path === undefined ? [] : [path])))],
  };
}

function parseStats(words: readonly string[]): ReadonlyMap<string, FileStat> {
  const stats = new Map<string, FileStat>();
  for (let at = 0; at + 5 < words.length; at += 6) {
    const [owner = '', group = '', uid = '', gid = '', mode = '', path = ''] = words.slice(at);
    stats.set(path, {
      // stat(1) says UNKNOWN of a number that has no name.
      owner: owner === 'UNKNOWN' ? uid : owner,
      group: group === 'UNKNOWN' ? gid : group,
      mode: mode.padStart(4, '0'),
    });
  }
  return stats;
}

interface Sections {
  /** Path → the PEM lines of its certificates. */
  readonly certificates: Map<string, string>;
  /** Path of a private key → the PEM lines of its public half. */
  readonly publicKeys: Map<string, string>;
}

/** Header lines (`C 1`, `K 2`), each followed by PEM lines that begin with a blank. */
function parseSections(text: string, asked: AskedPaths): Sections {
  const sections: Sections = { certificates: new Map(), publicKeys: new Map() };
  let add: (line: string) => void = () => undefined;
  for (const line of text.split('\n')) {
    const [, kind, number] = /^([CK]) (\d+)$/.exec(line) ?? [];
    if (kind === undefined) {
      if (line.startsWith(' ')) add(`${line.slice(1)}\n`);
      continue;
    }
    const path = (kind === 'C' ? asked.certificates : asked.privateKeys)[Number(number) - 1] ?? '';
    const of = kind === 'C' ? sections.certificates : sections.publicKeys;
    of.set(path, '');
    add = (more) => of.set(path, `${of.get(path) ?? ''}${more}`);
  }
  return sections;
}

function publicKeyOf(section: string | undefined): CertificateFiles['publicKey'] {
  if (section === undefined) return { kind: 'unchecked' };
  return section.includes('-----BEGIN PUBLIC KEY-----') ? { kind: 'known', pem: section } : { kind: 'unreadable' };
}
