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
    const asked = keys.map(pathsOf);
    const every = [...new Set(asked.flatMap(([path, key]) => [path, key ?? path]))].map(quote).join(' ');
    const certificates = [...new Set(asked.map(([path]) => path))].map(quote).join(' ');
    const privateKeys = [...new Set(asked.flatMap(([, path]) => (path === undefined ? [] : [path])))].map(quote);
    return [
      `stat -L -c 'S %U %G %a %n' -- ${every} 2>/dev/null`,
      'set --',
      `for path in ${certificates}; do [ -f "$path" ] && [ -s "$path" ] && set -- "$@" "$path"; done`,
      `[ $# -eq 0 ] || awk '${PRINT_CERTIFICATES}' "$@"`,
      ...(privateKeys.length === 0 ? [] : [publicKeysScript(privateKeys.join(' '))]),
      'true',
    ].join('\n');
  },
  parse(stdout, keys) {
    const stats = parseStats(stdout);
    const sections = parseSections(stdout);
    return new Map(
      keys.map((key) => {
        const [certificatePath, keyPath] = pathsOf(key);
        return [
          key,
          {
            certificate: stats.get(certificatePath),
            key: keyPath === undefined ? undefined : stats.get(keyPath),
            pem: sections.get(`C ${certificatePath}`) ?? '',
            publicKey: keyPath === undefined ? { kind: 'unchecked' } : publicKeyOf(sections.get(`K ${keyPath}`)),
          },
        ];
      }),
    );
  },
};

const PRINT_CERTIFICATES =
  'FNR==1 {on=0; print "C " FILENAME} /^-----BEGIN CERTIFICATE-----/ {on=1} on {print} /^-----END CERTIFICATE-----/ {on=0}';

function publicKeysScript(paths: string): string {
  return [
    'if command -v openssl >/dev/null; then',
    `  for path in ${paths}; do`,
    '    [ -f "$path" ] || continue',
    `    printf 'K %s\\n' "$path"`,
    // An encrypted key must not make openssl ask for its passphrase.
    '    openssl pkey -in "$path" -passin pass: -pubout 2>/dev/null',
    '  done',
    'fi',
  ].join('\n');
}

function pathsOf(key: string): readonly [string, string?] {
  return JSON.parse(key) as [string, string?];
}

function parseStats(stdout: string): ReadonlyMap<string, FileStat> {
  return new Map(
    [...stdout.matchAll(/^S (\S+) (\S+) (\d+) (.+)$/gm)].map(([, owner = '', group = '', mode = '', path = '']) => [
      path,
      { owner, group, mode: mode.padStart(4, '0') },
    ]),
  );
}

/** Header line (`C path` or `K path`) → the PEM lines after it. */
function parseSections(stdout: string): ReadonlyMap<string, string> {
  const sections = new Map<string, string>();
  let current: string | undefined;
  for (const line of stdout.split('\n')) {
    if (/^[CK] \//.test(line)) {
      current = line;
      sections.set(line, '');
    } else if (current !== undefined && !line.startsWith('S ') && line !== '') {
      sections.set(current, `${sections.get(current) ?? ''}${line}\n`);
    }
  }
  return sections;
}

function publicKeyOf(section: string | undefined): CertificateFiles['publicKey'] {
  if (section === undefined) return { kind: 'unchecked' };
  return section.includes('-----BEGIN PUBLIC KEY-----') ? { kind: 'known', pem: section } : { kind: 'unreadable' };
}
