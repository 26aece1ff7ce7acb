import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A file with certificates, below a directory. */
export interface CertificateFile {
  /** Absolute. */
  readonly path: string;
  /** The certificates in it, PEM. */
  readonly pem: string;
}

/** More than a bundle of authorities has, in KiB; what is larger is no certificate. */
const LARGEST_KIB = 512;

/** Key: path of a directory. Its `*.crt` files and those of its directories; none where there is no such directory. */
export const directoryCertificates: Fact<readonly CertificateFile[]> = {
  name: 'directory-certificates',
  script: (directories) =>
    [
      ...directories.flatMap((directory, index) => [
        `printf 'D %s\\n' ${index}`,
        `find ${quote(directory)} -maxdepth 2 -name '*.crt' -size -${LARGEST_KIB}k -exec sh -c '${PRINT}' sh {} + 2>/dev/null`,
      ]),
      'true',
    ].join('\n'),
  parse(stdout, directories) {
    const parts = stdout.split(/^D \d+$/m).slice(1);
    return new Map(directories.map((directory, index) => [directory, readFiles(parts[index] ?? '')]));
  },
};

const PRINT =
  'for path do printf "C %s\\n" "$(printf %s "$path" | base64 -w0)"; ' +
  'awk "/^-----BEGIN CERTIFICATE-----/ {on=1} on {print} /^-----END CERTIFICATE-----/ {on=0}" "$path"; done';

function readFiles(text: string): readonly CertificateFile[] {
  return text
    .split(/^C /m)
    .slice(1)
    .map((part) => {
      const [path = '', ...lines] = part.split('\n');
      return { path: Buffer.from(path, 'base64').toString('utf8'), pem: lines.join('\n') };
    });
}
