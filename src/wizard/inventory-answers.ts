import type { BalancerWay, Extra, Repoint } from './answers.js';
import type { Connection } from '../model/inventory.js';

/** A host as it was typed: `etcd-1=10.0.0.1`. */
export interface NamedHost {
  readonly name: string;
  /** IP address. */
  readonly address: string;
  /** How it is reached, of an inventory that was there before; what is absent is as for all hosts. */
  readonly connection?: HostConnection;
}

/** What an earlier inventory says of the way to one host; no secret is taken from there. */
export type HostConnection = Pick<Connection, 'port' | 'user' | 'privateKeyFile' | 'sshArgs'> & {
  /** Address to log in at, where that is not the node's own. */
  readonly address?: string;
};

/** The load balancer, as it was answered. */
export interface BalancerAnswers {
  /** Absent: others run it, and it has a DNS name. */
  readonly ip: string | undefined;
  readonly way: Exclude<BalancerWay, 'none'>;
  readonly name: string | undefined;
  readonly port: number;
  /** CIDR of the interface that will hold the virtual IP. */
  readonly network: string | undefined;
  /** `undefined`: the last byte of the virtual IP, or others run it. */
  readonly routerId: number | undefined;
  /** Hosts of its own; `undefined`: it runs on the etcd hosts, or others run it. */
  readonly hosts: readonly NamedHost[] | undefined;
}

/** Everything that an inventory is written from. */
export interface InventoryAnswers {
  readonly members: readonly NamedHost[];
  /** Control planes whose stacked etcd moves to the members; none elsewhere. */
  readonly leaving: readonly NamedHost[];
  /** `undefined`: clients know every member. */
  readonly balancer: BalancerAnswers | undefined;
  readonly controlPlanes: readonly NamedHost[];
  /** `undefined`: there is nothing to move, or no choice. */
  readonly repoint: Repoint | undefined;
  /** `undefined`: the API servers have no virtual IP. */
  readonly apiserverIp: string | undefined;
  /** `undefined`: the last byte of that address, or there is none. */
  readonly apiserverRouterId: number | undefined;
  readonly extras: readonly Extra[];
  /** `etcd_pki_store`, where the usual place has the authority of another cluster; absent elsewhere. */
  readonly pkiStore?: string | undefined;
  readonly sshUser: string;
  /** Absolute or `~/…`; `undefined`: the agent, or ssh's own defaults. */
  readonly privateKeyFile: string | undefined;
  /** What comes next: an etcd that runs is described, and an authority imported, before anything is planned; `unstack`: a stacked one. */
  readonly next: 'adopt' | 'unstack' | 'import' | 'plan';
}
