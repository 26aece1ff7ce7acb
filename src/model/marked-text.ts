import type { Content } from './content.js';
import { Secret } from './secret.js';

/**
 * A text that knows which of its parts are secret: printed in any way, those are `[redacted]`. What is made of one keeps
 * the marks, so that nobody has to search a text for a secret that may have been changed on its way.
 */
export class MarkedText implements Content {
  /** From the first character to the last. */
  readonly parts: readonly (string | Secret)[];

  constructor(parts: readonly (string | Secret)[]) {
    this.parts = parts;
  }

  get redacted(): string {
    return this.parts.map(String).join('');
  }

  get isSecret(): boolean {
    return this.parts.some((part) => part instanceof Secret);
  }

  /** The text itself. Call it only where it leaves for its destination. */
  reveal(): string {
    return this.parts.map((part) => (part instanceof Secret ? part.reveal() : part)).join('');
  }

  /** Each part changed by itself, as an escape of single characters may be. */
  map(change: (text: string) => string): MarkedText {
    return new MarkedText(
      this.parts.map((part) => (part instanceof Secret ? new Secret(change(part.reveal())) : change(part))),
    );
  }

  /** Without white space at its end. */
  trimEnd(): MarkedText {
    const last = this.parts.at(-1);
    if (last === undefined) return this;
    const kept = last instanceof Secret ? new Secret(last.reveal().trimEnd()) : last.trimEnd();
    return new MarkedText([...this.parts.slice(0, -1), kept]);
  }

  toString(): string {
    return this.redacted;
  }

  toJSON(): string {
    return this.redacted;
  }
}

/** What a template may be given. Secrets, alone or within a text, come out of it as secrets. */
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | Secret
  | MarkedText
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };
