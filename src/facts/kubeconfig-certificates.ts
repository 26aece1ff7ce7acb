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

/**
 * Key: path of a kubeconfig; `*` is any name. Those that are there, each with its client certificates. Keys stay where they are:
 * only what stands between the marks of a certificate is printed.
 */
export const kubeconfigCertificates: Fact<readonly KubeconfigCertificates[]> = {
  name: 'kubeconfig-certificates',
  script: (patterns) =>
    [
      // Indented: no line of a file passes for a line of the answer.
      `certificates() { sed -nE 's/^[ -]*client-certificate-data: *"?([A-Za-z0-9+\\/=]+).*/\\1/p' | while read -r data; do printf '%s' "$data" | base64 -d 2>/dev/null | awk '/^-----BEGIN CERTIFICATE-----/ {on=1} on {print " " $0} /^-----END CERTIFICATE-----/ {on=0}'; done; }`,
      ...patterns.flatMap((pattern, index) => [
        `printf 'D %s\\n' ${index}`,
        `for file in ${pattern.split('*').map(quote).join('*')}; do`,
        '  [ -f "$file" ] || continue',
        `  printf 'C %s\\n' "$(printf %s "$file" | base64 -w0)"`,
        `  head -c ${LARGEST_KIB}k -- "$file" | certificates`,
        'done',
      ]),
      ':',
    ].join('\n'),
  parse(stdout, patterns) {
    const parts = stdout.split(/^D \d+$/m).slice(1);
    return new Map(patterns.map((pattern, index) => [pattern, readFiles(parts[index] ?? '')]));
  },
  evidence: (files) => files,
};

function readFiles(text: string): readonly KubeconfigCertificates[] {
  return text
    .split(/^C /m)
    .slice(1)
    .map((part) => {
      const [path = '', ...lines] = part.split('\n');
      const pem = lines.flatMap((line) => (line.startsWith(' ') ? [`${line.slice(1)}\n`] : [])).join('');
      return { path: Buffer.from(path, 'base64').toString('utf8'), pem };
    });
}
