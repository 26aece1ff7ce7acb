/** New rules are asked for so long whether the cluster comes in, in seconds: a connection that is tried again, and some adverts. */
export const PROOF_S = 15;

/** What keepalived takes as `advert_int` at most, in seconds (keepalived.conf(5)). */
export const MAX_ADVERT_S = 255;

/**
 * How long a balancer hears nothing before it takes the virtual IP itself, in seconds: three intervals and a skew that is
 * shorter than one (master-down interval; RFC 5798, section 6.1). New rules have as long to let an advert in.
 */
export function hearingTimeS(advertIntervalS: number): number {
  return Math.max(PROOF_S, 4 * advertIntervalS);
}

/** What the host itself notes while new rules are on trial, and by what the length of the trial is measured. */
export interface FirewallTrial {
  /** Ports where connections that the rules let in are noted, whether or not a program answers there. */
  readonly ports: readonly number[];
  /** The configuration files of keepalived on the host. */
  readonly keepalived: readonly string[];
}
