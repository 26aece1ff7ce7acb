/** A host as it was typed: `etcd-1=10.0.0.1`. */
export interface NamedHost {
  readonly name: string;
  /** IP address. */
  readonly address: string;
}

/** The load balancer, as it was answered. */
export interface BalancerAnswers {
  readonly ip: string;
  readonly name: string | undefined;
  readonly port: number;
  /** CIDR of the interface that will hold the virtual IP. */
  readonly network: string | undefined;
  /** Hosts of its own; `undefined`: it runs on the etcd hosts. */
  readonly hosts: readonly NamedHost[] | undefined;
}

/** Everything that an inventory is written from. */
export interface InventoryAnswers {
  readonly members: readonly NamedHost[];
  /** `undefined`: clients know every member. */
  readonly balancer: BalancerAnswers | undefined;
  readonly controlPlanes: readonly NamedHost[];
  readonly sshUser: string;
  /** Absolute or `~/…`; `undefined`: the agent, or ssh's own defaults. */
  readonly privateKeyFile: string | undefined;
}
