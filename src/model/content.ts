import { Secret } from './secret.js';

/**
 * The wanted content of a file. `redacted` is what may be shown, and what plans are compared by; `reveal()` is what
 * lands on the host. They differ only where a secret is.
 */
export interface Content {
  readonly redacted: string;
  reveal(): string;
}

/**
 * The mode of a configuration that every user of a host may read, as those of packages are: unless there is a secret in
 * it, which is its owner's alone.
 */
export function configurationMode(content: Content): '0600' | '0644' {
  return content.redacted === content.reveal() ? '0644' : '0600';
}

/** Content that holds no secret. @param text the whole file, UTF-8 */
export function plainContent(text: string): Content {
  return { redacted: text, reveal: () => text };
}

/**
 * Content put together from text and secrets, in order.
 * @param parts the file from its first character to its last
 */
export function contentOf(...parts: readonly (string | Secret)[]): Content {
  return {
    redacted: parts.map(String).join(''),
    reveal: () => parts.map((part) => (part instanceof Secret ? part.reveal() : part)).join(''),
  };
}
