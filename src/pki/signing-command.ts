import { notAfterOf, readCertificates } from './inspect.js';
import { quote } from '../shell/quote.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What stands in the printed command in place of the path of the authority's key. */
export const KEY_PLACEHOLDER = 'CA.KEY';

/**
 * The command that signs requests where the authority's key is: openssl 3 copies what they ask for. It runs in the
 * store, or in a copy of it.
 * @param names requests below `requests/`, without `.csr`: `etcd-1/etcd-server`
 * @param days how long they should live; less where the authority ends earlier
 */
export function signingCommand(
  names: readonly string[],
  { authorityPem, days, now }: { readonly authorityPem: string; readonly days: number; readonly now: Date },
): string {
  const [authority] = readCertificates(authorityPem);
  const left = authority === undefined ? days : Math.floor((notAfterOf(authority).getTime() - now.getTime()) / DAY_MS);
  return [
    'for name in \\',
    ...names.map((name) => `  ${quote(name)} \\`),
    '; do',
    `  openssl x509 -req -in "requests/$name.csr" -CA ca.crt -CAkey ${KEY_PLACEHOLDER} -days ${Math.min(days, left)} -copy_extensions copy -out "requests/$name.crt"`,
    'done',
  ].join('\n');
}
