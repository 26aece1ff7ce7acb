import type { Fact } from '../model/remote.js';
import { opensslConnection } from '../shell/https-request.js';
import { blocksByKey } from './blocks-by-key.js';

/** What a server shows of itself in a handshake. */
export type PresentedCertificate =
  { readonly kind: 'presented'; readonly pem: string } | { readonly kind: 'silent'; readonly reason: string };

/** A handshake with a server, with files of the host that asks. */
export interface Handshake {
  /** `https://10.0.0.1:2380`. */
  readonly url: string;
  readonly certificate: string;
  readonly key: string;
}

/** The key to ask {@link presentedCertificate} by. */
export function presentedKey({ url, certificate, key }: Handshake): string {
  return JSON.stringify([url, certificate, key]);
}

/** No handshake takes longer, in seconds. */
const LIMIT_S = 5;

/**
 * Key: {@link presentedKey}. The certificate that a server shows to a new connection, whatever lies on the disk. It is not
 * verified: who signed it is judged here.
 */
export const presentedCertificate: Fact<PresentedCertificate> = {
  name: 'presented-certificates',
  script: (keys) =>
    [
      ...keys.map((asked, index) => {
        const [url = '', certificate = '', key = ''] = JSON.parse(asked) as readonly string[];
        // Not -quiet: that prints no certificate.
        const connect = opensslConnection({ url, certificate, key }).replace(' -quiet -ign_eof', '');
        return [
          `echo 'H ${index}'`,
          `timeout ${LIMIT_S} ${connect} </dev/null 2>&1 | sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/s/^/ /p'`,
        ].join('\n');
      }),
      ':',
    ].join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^H \d+\n/m, keys, parseBlock),
};

function parseBlock(block: string): PresentedCertificate {
  const pem = block.replaceAll(/^ /gm, '');
  return pem.includes('-----END CERTIFICATE-----')
    ? { kind: 'presented', pem }
    : { kind: 'silent', reason: 'it showed no certificate' };
}
