import type { Resource } from '../model/change.js';

/** One play, ready for the engine: which hosts, in which order, how carefully, and what each should have. */
export interface Play {
  readonly name: string;
  /** In inventory order, after `--limit`. */
  readonly hosts: readonly string[];
  /** Those that `--limit` leaves out. */
  readonly limitedOut?: readonly string[];
  /** How many hosts are worked on at once (`serial`); all when absent. */
  readonly batchSize: number | undefined;
  /** Name of an order: `inventory`, `leader-last`, … */
  readonly order: string;
  /** Names of gates asked before and after each batch. */
  readonly gatesBefore: readonly string[];
  readonly gatesAfter: readonly string[];
  /** Host → its resources, in the order in which changes are made. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
}
