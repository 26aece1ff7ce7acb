import type { Secret } from './secret.js';

/** How a verb asks a person. Each throws a ProvisionError that names the way to do without where nobody can be asked. */
export interface Questions {
  /** A text that is not shown while it is typed. */
  readonly secret: (question: string) => Promise<Secret>;
  /** A passphrase; a new one is asked for twice. */
  readonly passphrase: (question: string, kind: 'existing' | 'new') => Promise<Secret>;
  /** A text that is shown while it is typed; `otherWay`: how to do without. */
  readonly typed: (question: string, otherWay: string) => Promise<string>;
  /** Yes or no; no by default. */
  readonly confirm: (question: string) => Promise<boolean>;
}
