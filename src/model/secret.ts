import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A text that must never be shown: a key, password, passphrase or vault value. Every way of printing it gives
 * `[redacted]`; only {@link Secret.reveal} gives the text, so that the places which use one are easy to find.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Call it only where the secret leaves for its destination (a channel's stdin, a cipher). */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Asks a person for a secret, without echo. @throws when there is nobody to ask, or the person gives up */
export type AskSecret = (question: string) => Promise<Secret>;
