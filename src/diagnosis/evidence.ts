import type { ClockReading } from '../facts/clock.js';
import type { EtcdCondition } from '../facts/etcd-condition.js';
import type { EtcdIdentity } from '../facts/etcd-identity.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Cluster, Member } from '../model/cluster.js';

/** What is wrong with a certificate of a member's host. */
export interface CertificateTrouble {
  /** `server`, `peer`: without it the member does not serve; `client`: of the host's own questions; `authority`: what all is verified by. */
  readonly of: 'server' | 'peer' | 'client' | 'authority';
  /** A predicate of the host: `has /etc/etcd/pki/server.crt, which expired on 2026-11-20`. */
  readonly text: string;
}

/** What a host that could be asked shows. It is that host's word, and no other's. */
export interface SeenMember {
  readonly kind: 'seen';
  readonly status: EtcdStatus;
  /** Who the member says that it is; it says so without a quorum, too. */
  readonly identity: EtcdIdentity;
  readonly condition: EtcdCondition;
  readonly certificates: readonly CertificateTrouble[];
  readonly clock: ClockReading;
}

/** A host that could not be asked, or whose answers can't be read. */
export interface LostMember {
  readonly kind: 'lost';
  /** One line. */
  readonly reason: string;
  /** What to type about it. */
  readonly next: string | undefined;
}

/** One member, and what is known of it. */
export interface MemberEvidence {
  readonly member: Member;
  readonly found: SeenMember | LostMember;
}

/** All that a diagnosis is made from. */
export interface Evidence {
  readonly cluster: Cluster;
  /** In the order of the inventory. */
  readonly members: readonly MemberEvidence[];
  /** The inventory as the user typed it, quoted for a command. */
  readonly inventory: string;
  /** Whether certificates are signed by an external CA. */
  readonly isExternalCa: boolean;
}
