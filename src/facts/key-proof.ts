import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/**
 * The key to ask {@link keyProof} by.
 * @param statement what is signed: it names host, purpose and time, so that a signature is of no use elsewhere or later
 */
export function keyProofKey(keyPath: string, statement: string): string {
  return JSON.stringify([keyPath, statement]);
}

/**
 * Key: {@link keyProofKey}. A signature of the statement (SHA-256) with the private key in the file: proof that the host
 * holds it. `undefined`: it gave none.
 */
export const keyProof: Fact<Buffer | undefined> = {
  name: 'key-proof',
  script: (keys) =>
    keys
      .map((key, index) => {
        const [path = '', statement = ''] = JSON.parse(key) as readonly string[];
        const sign = `openssl dgst -sha256 -sign ${quote(path)} -passin pass: 2>/dev/null`;
        return `printf 'P ${index} %s\\n' "$(printf %s ${quote(statement)} | ${sign} | base64 -w0)"`;
      })
      .join('\n'),
  parse(stdout, keys) {
    const found = new Map(
      [...stdout.matchAll(/^P (\d+) ([A-Za-z0-9+/=]+)$/gm)].map(([, index, text = '']) => [Number(index), text]),
    );
    return new Map(
      keys.map((key, index) => {
        const text = found.get(index);
        return [key, text === undefined ? undefined : Buffer.from(text, 'base64')];
      }),
    );
  },
};
