import type { Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import type { Probe } from '../model/remote.js';
import type { CertificateRules } from '../resources/judge-certificate.js';

/** `warn`: it works, and someone should look at it; `fail`: something is broken, or would be after the next fault. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** One thing that was checked. */
export interface CheckItem {
  /** What is checked, kebab-case, stable: `etcd-member`, `virtual-ip`, … */
  readonly check: string;
  /** Absent for what concerns the cluster as a whole. */
  readonly host?: string | undefined;
  /** Which one of several on the host: a file, a unit. */
  readonly subject?: string | undefined;
  readonly verdict: Verdict;
  /** What was seen, one line. */
  readonly evidence: string;
  /** The next command to type; of items that are not ok. */
  readonly next?: string | undefined;
}

/** What the checks look at. They only look: there is nothing here to act with. */
export interface CheckContext {
  readonly cluster: Cluster;
  readonly probe: (host: string) => Probe;
  /** A second look at a host, for what may have passed since the first. */
  readonly probeAgain: (host: string) => Probe;
  /** How certificates are judged, by the authority in the store. */
  readonly certificates: CertificateRules;
  /** Host → what the playbook wants it to have. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
  /** The inventory as the user typed it, for the commands that items name. */
  readonly inventory: string;
  /** Milliseconds since 1970, on the control machine. */
  readonly now: () => number;
}

/** Looks at one thing on all hosts that it concerns. */
export type Check = (context: CheckContext) => Promise<readonly CheckItem[]>;
