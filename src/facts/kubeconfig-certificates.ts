import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A kubeconfig of a host that holds client certificates. */
export interface KubeconfigCertificates {
  /** Absolute. */
  readonly path: string;
  /** Those within it, PEM, one after another; empty where it holds none. */
  readonly pem: string;
}

/** More than a kubeconfig has, in KiB. */
const LARGEST_KIB = 512;

/** Where people keep their copy of an administrator's kubeconfig, as kubeadm tells them to. */
export const COPIES = ['/root/.kube/config', '/home/*/.kube/config'] as const;

/** A home may be on a file system whose server is gone; in seconds. */
const LIMIT_S = 5;

/** What `*` stands for: a host's names come to be words of commands that people type. */
const NAME = '[A-Za-z0-9._@+-]+';

/**
 * Key: path of a kubeconfig; `*` is any name. Those that are there, each with its client certificates. Keys stay where they are:
 * only what stands between the marks of a certificate is printed.
 */
export const kubeconfigCertificates: Fact<readonly KubeconfigCertificates[]> = {
  name: 'kubeconfig-certificates',
  script: (patterns) =>
    patterns
      .flatMap((pattern, index) => [
        `printf 'D %s\\n' ${index}`,
        `timeout -s KILL ${LIMIT_S} sh -c ${quote(lookScript(pattern))}`,
      ])
      .concat(':')
      .join('\n'),
  parse(stdout, patterns) {
    const parts = stdout.split(/^D \d+$/m).slice(1);
    return new Map(patterns.map((pattern, index) => [pattern, readFiles(parts[index] ?? '', pattern)]));
  },
  evidence: (files) => files,
};

function lookScript(pattern: string): string {
  return [
    `for file in ${pattern.split('*').map(quote).join('*')}; do`,
    '  [ -f "$file" ] || continue',
    // What is no plain name is no home of a person; and root follows no link that stands in one.
    '  case $file in *[!A-Za-z0-9._@+/-]*) continue ;; */.kube/config) [ ! -L "$file" ] && [ ! -L "${file%/*}" ] || continue ;; esac',
    `  printf 'C %s\\n' "$(printf %s "$file" | base64 -w0)"`,
    `  head -c ${LARGEST_KIB}k -- "$file" | sed -nE 's/^[ -]*client-certificate-data: *"?([A-Za-z0-9+\\/=]+).*/\\1/p' | while read -r data; do`,
    // Indented: no line of a file passes for a line of the answer.
    `    printf '%s' "$data" | base64 -d 2>/dev/null | awk '/^-----BEGIN CERTIFICATE-----/ {on=1} on {print " " $0} /^-----END CERTIFICATE-----/ {on=0}'`,
    '  done',
    'done',
  ].join('\n');
}

function readFiles(text: string, pattern: string): readonly KubeconfigCertificates[] {
  const known = new RegExp(`^${pattern.split('*').map(literal).join(NAME)}$`);
  return text
    .split(/^C /m)
    .slice(1)
    .map((part) => {
      const [encoded = '', ...lines] = part.split('\n');
      const pem = lines.flatMap((line) => (line.startsWith(' ') ? [`${line.slice(1)}\n`] : [])).join('');
      const path = Buffer.from(encoded, 'base64').toString('utf8');
      if (!known.test(path)) throw new Error('a file came back that was not asked for');
      return { path, pem };
    });
}

function literal(text: string): string {
  return text.replaceAll(/[.+*?^$()[\]{}|\\]/g, String.raw`\$&`);
}
