import type { Look } from '../facts/batched-probe.js';
import type { SaveSnapshot } from '../model/action.js';
import type { SendRelease } from '../model/action.js';
import type { EventSink } from '../model/events.js';
import type { Gate, Order } from '../model/gate.js';
import type { Connector, StdinFile } from '../model/remote.js';
import type { Signer } from '../pki/authority.js';

/** Everything that apply acts through. The composition root makes one; tests make their own. */
export interface World {
  readonly connector: Connector;
  readonly newLook: () => Look;
  /** Acts on the control machine. */
  readonly signer: Signer;
  /** Saves a snapshot of the cluster on the control machine, and says where. @throws ProvisionError, RemoteError */
  readonly saveSnapshot: (per: SaveSnapshot['per']) => Promise<void>;
  /** What {@link saveSnapshot} needs of a person, before any host is touched. @throws ProvisionError */
  readonly prepareSnapshot: () => Promise<void>;
  /** A release as it is on this machine, which downloads it first where it is elsewhere. @throws ProvisionError */
  readonly openRelease: (release: SendRelease['release']) => Promise<StdinFile>;
  readonly gates: ReadonlyMap<string, Gate>;
  /** How long to wait at a gate, in milliseconds, in place of each gate's own time. */
  readonly gateDeadlineMs?: number | undefined;
  readonly orders: ReadonlyMap<string, Order>;
  /** Every host of the inventory: gates may look at all of them. */
  readonly hosts: readonly string[];
  /** How many hosts are worked on at once. */
  readonly forks: number;
  readonly emit: EventSink;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** So many random bytes, in hex. */
  readonly randomHex: (bytes: number) => string;
  readonly sleep: (ms: number) => Promise<void>;
  /** The user asked to stop: finish the change in progress, and begin no other. */
  readonly interrupted: () => boolean;
}
