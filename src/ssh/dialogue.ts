import type { Intake, StdinFile } from '../model/remote.js';
import type { Secret } from '../model/secret.js';
import type { Marks } from '../shell/remote-command.js';
import type { Timing } from './link.js';
import type { MarkedStream } from './marked-stream.js';
import type { SudoWatch } from './sudo.js';

/** How a command ended, as far as the channel tells. */
export type Ending =
  /** The answer came whole; the status is the command's own. */
  | { readonly kind: 'answered'; readonly status: number }
  /** The command ended, but its answer did not come whole. */
  | { readonly kind: 'cut'; readonly status: number }
  /** This side could not take what came, or not read what was to be sent. */
  | { readonly kind: 'given-up'; readonly because: unknown }
  | { readonly kind: 'lost' | 'hung' | 'silent' | 'not-started' | 'too-much-noise' | 'flood' | 'wrong-password' };

/** What is said over one channel. */
export interface Dialogue {
  readonly line: string;
  readonly payload: Buffer;
  /** Follows the payload. */
  readonly file: StdinFile | undefined;
  /** Takes stdout as it comes; absent: it is kept. */
  readonly intake: Intake | undefined;
  readonly marks: Marks;
  readonly timeoutMs: number;
  readonly timing: Pick<Timing, 'startTimeoutMs' | 'guardMs' | 'lingerMs'>;
  readonly outputLimits: { readonly stdout: number; readonly stderr: number };
  /** Set when a password is ready: the payload waits until sudo lets the command in. */
  readonly password: Secret | undefined;
  readonly sudo: SudoWatch | undefined;
}

/** What came back over one channel. */
export interface Answer {
  readonly ending: Ending;
  readonly stdout: MarkedStream;
  readonly stderr: MarkedStream;
  /** sudo let the command in; true also when there is no sudo in between. */
  readonly granted: boolean;
}
