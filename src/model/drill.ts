/** How long something was gone, by attempts one after the other. */
export interface MeasuredGap {
  /** From the last success before to the first one after, in milliseconds. */
  readonly longestMs: number;
  /** The longest step from one attempt to the next in that time: what is shorter can't be seen. Milliseconds. */
  readonly stepMs: number;
  /** False when it did not come back while it was watched. */
  readonly isOver: boolean;
  readonly failed: number;
  readonly attempts: number;
}

/** What one failure of a drill came to. */
export interface DrillMeasurement {
  /** The service that was stopped, and on which host, which held the virtual IP. */
  readonly service: string;
  readonly host: string;
  /** Who held the virtual IP at the end. */
  readonly holder: string | undefined;
  /** The host that measured. */
  readonly observer: string;
  /** The virtual IP on the network. */
  readonly address: MeasuredGap;
  /** Whole exchanges with etcd through it, each on a connection of its own. */
  readonly client: MeasuredGap;
  /** From the start of the service until all gates were open again, in milliseconds; absent: they did not open. */
  readonly recoveredMs: number | undefined;
}
