/** How long exchanges of one kind took, in milliseconds. */
export interface LatencyFigures {
  /** How many succeeded. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One way to etcd, as one host measured it. */
export interface WayLatency {
  /** `virtual IP`, `load balancer` of others, or the name of a member. */
  readonly way: string;
  readonly url: string;
  /** Linearised reads, one after the other on one connection; absent: none succeeded. */
  readonly reads?: LatencyFigures | undefined;
  /** New TLS connections, until both sides have verified each other; absent: none succeeded. */
  readonly connections?: LatencyFigures | undefined;
  /** What failed first, for a sentence; absent: nothing. */
  readonly problem?: string | undefined;
}

/** How fast etcd answers a client: through its load balancer, and by way of each member. */
export interface Latency {
  /** Who measured. */
  readonly host: string;
  readonly ways: readonly WayLatency[];
}
