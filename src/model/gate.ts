import type { JsonObject } from './json.js';
import type { Probe } from './remote.js';

/** A gate's answer. `reason` is what a person needs to know while it is shut. */
export type GateAnswer =
  { readonly open: true; readonly note?: string } | { readonly open: false; readonly reason: string };

/** May the roll-out go on? Asked again until it opens or the deadline passes; it only looks. */
export interface Gate {
  readonly name: string;
  /** One line for the plan: what must hold. */
  readonly summary: string;
  /** How long to go on asking, in milliseconds. */
  readonly deadlineMs: number;
  /**
   * @param probes the hosts that the gate looks at, by name
   * @param parameters what the play or the action told the gate
   */
  check(probes: ReadonlyMap<string, Probe>, parameters: JsonObject): Promise<GateAnswer>;
}

/** The order in which a play goes through its hosts. `together`: all in one batch, whatever `serial` says. */
export interface OrderedHosts {
  readonly hosts: readonly string[];
  readonly together: boolean;
}

/** Puts a play's hosts in order from what they are now (who leads, who holds the VIP); it only looks. */
export type Order = (hosts: readonly string[], probe: (host: string) => Probe) => Promise<OrderedHosts>;
