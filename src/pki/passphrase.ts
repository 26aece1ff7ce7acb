import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readBounded, SECRET_FILE_BYTES } from '../model/read-bounded.js';
import { Secret } from '../model/secret.js';

/** The environment variable that may hold the passphrase of the authority's key. */
const PASSPHRASE_VARIABLE = 'PROVISION_CA_PASSPHRASE';

/** age's advice: at least 8 to 10 random characters. */
const SHORTEST_NEW = 8;

/** How often a person may type the passphrase of what exists. */
const ATTEMPTS = 3;

/** Where the passphrase of an authority's key comes from. Once it is right, it is not asked for again in a run. */
export interface PassphraseSource {
  /**
   * Opens what exists; a person who mistypes is asked again.
   * @param subject what it opens, for the question
   * @param open tries a passphrase
   * @throws what `open` throws: `wrong-passphrase` at once where no person is asked
   */
  opening<T>(subject: string, open: (passphrase: Secret) => Promise<T>): Promise<T>;
  /** For a key that is being made or brought in. @throws ProvisionError `passphrase-too-short` */
  chosen(subject: string): Promise<Secret>;
}

/** A source that may have a file named for it. */
interface NamedPassphraseSource extends PassphraseSource {
  /**
   * Reads the file that was named, if one was, so that a mistyped name shows before any host is asked. Asks nobody.
   * @param subject a key that is still to be made, where it is
   * @throws ProvisionError `passphrase-file-unusable`, `passphrase-too-short`
   */
  checkFile(subject?: string): Promise<void>;
}

/** How a person is asked; `new` asks twice. @throws ProvisionError when there is no person to ask */
export type AskPassphrase = (question: string, kind: 'existing' | 'new') => Promise<Secret>;

/**
 * The passphrase from a file, else from the environment, else from a person.
 * @param file path from `--passphrase-file`; one line end at its end is not part of the passphrase
 * @param env the process's environment
 */
export function passphraseSource(from: {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ask: AskPassphrase;
}): NamedPassphraseSource {
  let known: Promise<Secret> | undefined;
  let isTyped = false;
  const ask = (question: string, kind: 'existing' | 'new'): Promise<Secret> => {
    isTyped = true;
    return from.ask(question, kind);
  };
  const get = (question: string, kind: 'existing' | 'new'): Promise<Secret> =>
    (known ??= (async () => (await given(from)) ?? (await ask(question, kind)))());
  return {
    async opening(subject, open) {
      for (let attempt = 1; ; attempt += 1) {
        const remark = attempt === 1 ? '' : 'That was not it. ';
        try {
          return await open(await get(`${remark}Passphrase of ${subject}`, 'existing'));
        } catch (error) {
          if (!isTyped || attempt === ATTEMPTS || !isWrongPassphrase(error)) throw error;
          known = undefined;
        }
      }
    },
    async chosen(subject) {
      return longEnough(await get(`New passphrase for ${subject}`, 'new'), subject);
    },
    async checkFile(subject) {
      if (from.file === undefined) return;
      // It may be a pipe, which can be read once.
      const passphrase = await (known ??= readPassphrase(from.file));
      if (subject !== undefined) longEnough(passphrase, subject);
    },
  };
}

function longEnough(passphrase: Secret, subject: string): Secret {
  if (passphrase.reveal().length >= SHORTEST_NEW) return passphrase;
  throw new ProvisionError({
    code: 'passphrase-too-short',
    message: `the new passphrase for ${subject} is shorter than ${SHORTEST_NEW} characters`,
    hint: 'make one, for example: openssl rand -base64 24 > passphrase && chmod 600 passphrase',
  });
}

function isWrongPassphrase(error: unknown): boolean {
  return error instanceof ProvisionError && error.code === 'wrong-passphrase';
}

async function given(from: {
  readonly file: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<Secret | undefined> {
  if (from.file !== undefined) return readPassphrase(from.file);
  const value = from.env[PASSPHRASE_VARIABLE];
  return value === undefined || value === '' ? undefined : new Secret(value);
}

async function readPassphrase(file: string): Promise<Secret> {
  const bytes = await readBounded(file, SECRET_FILE_BYTES).catch((cause: unknown) => {
    throw unusable(file, `cannot be read: ${fileReason(cause)}`, cause);
  });
  const passphrase = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (passphrase === '') throw unusable(file, 'is empty');
  if (passphrase.includes('\n')) throw unusable(file, 'holds more than one line');
  return new Secret(passphrase);
}

function unusable(file: string, why: string, cause?: unknown): ProvisionError {
  return new ProvisionError({
    code: 'passphrase-file-unusable',
    message: `the passphrase file ${file} ${why}`,
    hint: 'give a file that holds the passphrase on one line: --passphrase-file FILE',
    cause,
  });
}
