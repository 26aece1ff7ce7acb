import type { Action, ActionOutline } from './action.js';
import type { Probe } from './remote.js';

/** What a change does to its subject, for programs that read plans; of several things the one that is felt most. */
export const EFFECTS = ['create', 'change', 'delete', 'start', 'stop', 'restart', 'reload'] as const;

/** One of {@link EFFECTS}. */
export type Effect = (typeof EFFECTS)[number];

/** One thing to be changed on one host: what a person reads, and what apply performs. */
export interface Change {
  /** One line: `create /etc/haproxy/haproxy.cfg`, `restart etcd: /etc/default/etcd changes`. */
  readonly summary: string;
  /** Unified diff or detail lines, redacted, without colours. */
  readonly diff: readonly string[];
  readonly actions: readonly Action[];
  readonly effect: Effect;
  /** Clients may notice: a service stops, restarts or loses a connection. */
  readonly disruptive: boolean;
  /** The packages that it installs, in the words of apt: what an earlier play of the same plan installs is not listed again. */
  readonly installs?: readonly string[];
}

/** A change as far as people read it. */
export interface ChangeOutline extends Omit<Change, 'actions' | 'installs'> {
  readonly actions: readonly ActionOutline[];
}

/** What a resource decided. `unknown` is an answer of its own, never a default. */
export type Outcome<C extends ChangeOutline = Change> =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'change'; readonly change: C }
  | { readonly kind: 'unknown'; readonly because: string };

/** Something that a host should have. Deciding looks, and never acts. */
export interface Resource {
  /** Unique on its host: `file:/etc/haproxy/haproxy.cfg`, `service:etcd`. */
  readonly address: string;
  /** The name of the task that it stands for, where a playbook gives it one. */
  readonly task?: string | undefined;
  /** The files that it keeps on the host: a service that runs with them compares their times. */
  readonly paths: readonly string[];
  /** @throws ProvisionError when what is found makes the whole plan unsafe (a held package, a foreign VIP) */
  plan(probe: Probe): Promise<Outcome>;
  /**
   * What a person should know of what was found though nothing may be to do: one line, asked with what planning asks.
   * @returns undefined where nothing is doubtful
   */
  doubt?(probe: Probe): Promise<string | undefined>;
}

/** Nothing to do. */
export const UNCHANGED: Outcome = { kind: 'unchanged' };

/** An outcome that is a change. */
export function changed(change: Change): Outcome {
  return { kind: 'change', change };
}
