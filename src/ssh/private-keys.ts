import { access } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { readTextBounded, SECRET_FILE_BYTES } from '../model/read-bounded.js';
import type { AskSecret, Secret } from '../model/secret.js';
import { quote } from '../shell/quote.js';
import { causeCode, causeMessage } from './cause.js';
import { loadLibrary } from './library.js';

/** The environment variable that holds the passphrase of encrypted private keys. */
export const PASSPHRASE_VARIABLE = 'PROVISION_SSH_KEY_PASSPHRASE';

/** What became of a key file. */
export type KeyFile =
  | { readonly kind: 'missing' }
  | { readonly kind: 'key'; readonly key: ParsedKey }
  /** Encrypted, and no passphrase tried yet. `publicKey` (wire format) is known when a `.pub` file lies beside it. */
  | { readonly kind: 'encrypted'; readonly publicKey: Buffer | undefined }
  /** It can't be used; the reason, and the command that helps. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly hint: string };

/** Private keys, each read (and each passphrase asked for) once. */
export interface PrivateKeys {
  read(file: string): Promise<KeyFile>;
  /** Opens an encrypted key; asks for the passphrase when the environment does not have it. */
  unlock(file: string): Promise<KeyFile>;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readTextBounded(file, SECRET_FILE_BYTES);
  } catch (error) {
    if (causeCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names the formats that ssh2 can't read, which else fail like a wrong password. */
function unusable(file: string, text: string, message: string): KeyFile {
  const convert = `rewrite it in OpenSSH's format: ssh-keygen -p -f ${quote(file)}`;
  if (/BEGIN (ENCRYPTED )?PRIVATE KEY/.test(text))
    return { kind: 'unusable', reason: 'a PKCS#8 key, which is not supported', hint: convert };
  if (/sk-(ssh-ed25519|ecdsa-sha2)/.test(message))
    return {
      kind: 'unusable',
      reason: 'a key on a security token (sk-…), which is not supported',
      hint: 'use a key of another type: ssh-keygen -t ed25519',
    };
  if (/BEGIN \S* ?PRIVATE KEY/.test(text)) return { kind: 'unusable', reason: message, hint: convert };
  return {
    kind: 'unusable',
    reason: 'not a private key',
    hint: `name the private key, not the .pub file or the certificate: ${file}`,
  };
}

async function parse(file: string, text: string, passphrase: Secret | undefined): Promise<KeyFile> {
  const library = await loadLibrary();
  const key = library.parseKey(text, passphrase?.reveal());
  if (typeof key === 'string') {
    const message = key;
    if (passphrase === undefined && /encrypted.*no passphrase/i.test(message)) {
      const publicText = await readText(`${file}.pub`).catch(() => undefined);
      const publicKey = publicText?.split(/\s+/)[1];
      return { kind: 'encrypted', publicKey: publicKey === undefined ? undefined : Buffer.from(publicKey, 'base64') };
    }
    if (passphrase !== undefined)
      return {
        kind: 'unusable',
        reason: 'the passphrase does not open it',
        hint: `check the passphrase: ssh-keygen -y -f ${quote(file)}`,
      };
    return unusable(file, text, message);
  }
  if (!key.isPrivateKey()) return unusable(file, '', 'not a private key');
  return { kind: 'key', key };
}

/** Does a user certificate lie beside the key? ssh2 can't present one. */
export async function hasCertificate(file: string): Promise<boolean> {
  return access(`${file}-cert.pub`).then(
    () => true,
    () => false,
  );
}

/** Where passphrases come from. */
export interface PassphraseSource {
  /** The value of {@link PASSPHRASE_VARIABLE}; it goes before asking. */
  readonly variable: Secret | undefined;
  /** Absent when nobody can be asked. */
  readonly ask: AskSecret | undefined;
}

/** Makes a {@link PrivateKeys}. */
export function createPrivateKeys({ variable, ask }: PassphraseSource): PrivateKeys {
  const files = new Map<string, Promise<KeyFile>>();
  const unlocked = new Map<string, Promise<KeyFile>>();
  // One question at a time: two prompts on one terminal can't be answered.
  let lastQuestion: Promise<unknown> = Promise.resolve();

  async function readKey(file: string): Promise<KeyFile> {
    try {
      const text = await readText(file);
      return text === undefined ? { kind: 'missing' } : await parse(file, text, undefined);
    } catch (error) {
      const what = error instanceof RangeError ? 'not a private key' : 'it cannot be read';
      return {
        kind: 'unusable',
        reason: `${what}: ${causeMessage(error)}`,
        hint: `look at it with: ls -ld ${quote(file)}`,
      };
    }
  }

  function askFor(file: string, ask: AskSecret): Promise<Secret> {
    const answer = lastQuestion.then(() => ask(`Passphrase of ${file}`));
    lastQuestion = answer.catch(() => undefined);
    return answer;
  }

  async function unlockKey(file: string): Promise<KeyFile> {
    const passphrase = variable ?? (ask === undefined ? undefined : await askFor(file, ask));
    if (passphrase !== undefined) return parse(file, (await readText(file)) ?? '', passphrase);
    return {
      kind: 'unusable',
      reason: 'it is encrypted, and there is no terminal to ask for its passphrase on',
      hint: `add it to the agent: ssh-add ${quote(file)}, or set ${PASSPHRASE_VARIABLE}`,
    };
  }

  const once = (cache: Map<string, Promise<KeyFile>>, make: (file: string) => Promise<KeyFile>) => (file: string) => {
    const made = cache.get(file) ?? make(file);
    cache.set(file, made);
    return made;
  };
  return { read: once(files, readKey), unlock: once(unlocked, unlockKey) };
}
