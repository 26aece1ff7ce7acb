import { ProvisionError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import type { GeneratedSecret } from './authority.js';
import { readIfThere, writeNew } from './store-files.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** keepalived uses no more of an auth_pass. */
const LENGTH = 8;

/** A generated secret, and the right to write it. */
export interface KeepableSecret extends GeneratedSecret {
  /** Mode 0600; does nothing when it is kept already. @throws ProvisionError `store-changed` */
  keep(): Promise<void>;
}

/**
 * keepalived's password: from its file, or made up for this run until it is kept. It stands there in plain
 * (docs/adr/2026-11-21-auth-pass-in-plain.md).
 * @throws ProvisionError `store-broken`
 */
export async function openGeneratedSecret(
  path: string,
  random: (count: number) => Uint8Array,
): Promise<KeepableSecret> {
  const found = (await readIfThere(path))?.trim();
  if (found !== undefined && !/^[!-~]{1,8}$/.test(found)) throw unusable(path);
  const value = new Secret(found ?? generate(random));
  let isKept = found !== undefined;
  return {
    value: () => value,
    isKept: () => isKept,
    async keep() {
      if (isKept) return;
      const suffix = Buffer.from(random(6)).toString('hex');
      if (!(await writeNew(path, `${value.reveal()}\n`, 0o600, suffix))) throw overtaken(path);
      isKept = true;
    },
  };
}

function unusable(path: string): ProvisionError {
  return new ProvisionError({
    code: 'store-broken',
    message: `${path} contains no password that keepalived can use: 1 to ${LENGTH} printable characters were expected`,
    hint: `put it back from a backup; or remove it, and the next apply gives all balancers a new one`,
  });
}

function overtaken(path: string): ProvisionError {
  return new ProvisionError({
    code: 'store-changed',
    message: `another run has written ${path} since this one began`,
    hint: 'run again: it will use that one',
  });
}

/** Bytes past the last whole multiple of the alphabet are discarded: each character is as likely as any other. */
function generate(random: (count: number) => Uint8Array): string {
  const limit = 256 - (256 % ALPHABET.length);
  let text = '';
  while (text.length < LENGTH)
    text += [...random(LENGTH)]
      .filter((byte) => byte < limit)
      .map((byte) => ALPHABET[byte % ALPHABET.length])
      .join('');
  return text.slice(0, LENGTH);
}
