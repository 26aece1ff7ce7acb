import type { JsonObject } from './json.js';
import type { Probe } from './remote.js';
import type { ServiceName } from './virtual-service.js';

/**
 * A gate's answer. Shut: `reason` is what a person needs to know, `next` the command to type; both are the words of the
 * check that looks at the same.
 */
export type GateAnswer =
  | { readonly open: true; readonly note?: string }
  | {
      readonly open: false;
      readonly reason: string;
      readonly next: string;
      /** How much longer than the gate's own time this very reason may last, in milliseconds, where nothing is wrong. */
      readonly patienceMs?: number;
      /** Waiting does not change it: someone must. The gate is not asked again. */
      readonly isFinal?: boolean;
      /** It is about a host that can't be asked: worth as long a wait as any host that is away. */
      readonly isAway?: boolean;
    };

/** When a gate is asked, and about whom. It only looks. */
export interface GateInput {
  /** Any host of the inventory. */
  readonly probe: (host: string) => Probe;
  /** `action`: a change waits for it, in the middle of the work on one host. */
  readonly when: 'before' | 'after' | 'action';
  /** The hosts of the batch, or the one host of the action. */
  readonly batch: readonly string[];
  /** All hosts of the play that are worked on; an action's own host. */
  readonly play: readonly string[];
  /** What the action told the gate; nothing from a play. */
  readonly arguments: JsonObject;
}

/** May the roll-out go on? Asked again until it opens or the deadline passes. */
export interface Gate {
  /** With the service that it is about, where it is about one: `vip-answers: etcd`. */
  readonly name: string;
  /** How long to go on asking, in milliseconds. */
  readonly deadlineMs: number;
  check(input: GateInput): Promise<GateAnswer>;
}

/** The name of a gate or an order that is about one service, as a play writes it. */
export function aboutService(name: string, service: ServiceName): string {
  return `${name}: ${service}`;
}

/** The order in which a play goes through its hosts. `together`: all in one batch, whatever `serial` says. */
export interface OrderedHosts {
  readonly hosts: readonly string[];
  readonly together: boolean;
}

/** Puts a play's hosts in order from what they are now (who leads, who holds the VIP); it only looks. */
export type Order = (hosts: readonly string[], probe: (host: string) => Probe) => Promise<OrderedHosts>;
