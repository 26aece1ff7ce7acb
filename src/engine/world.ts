import type { Look } from '../facts/batched-probe.js';
import type { AuthorityProfile } from '../model/certificate.js';
import type { IssueCertificate, KeepSecret } from '../model/change.js';
import type { EventSink } from '../model/events.js';
import type { Gate, Order } from '../model/gate.js';
import type { Connector, Command } from '../model/remote.js';

/** What is done on the control machine. Only apply holds one; the passphrase is asked for when it is first needed. */
export interface ControlMachine {
  /** @throws ProvisionError when there is an authority already */
  createAuthority(profile: AuthorityProfile): Promise<void>;
  keepSecret(name: KeepSecret['name']): Promise<void>;
  /** Signs, and gives the command that installs certificate and key; both travel on its stdin. */
  issue(action: IssueCertificate): Promise<CertificateInstall>;
  /** The authority's public certificates, PEM. */
  trustBundle(): string;
}

/** How a signed certificate lands on its host, and how it is taken back. */
export interface CertificateInstall {
  readonly command: Command;
  readonly undo: Command | undefined;
}

/** Everything that apply acts through. The composition root makes one; tests make their own. */
export interface World {
  readonly connector: Connector;
  readonly newLook: () => Look;
  readonly controlMachine: ControlMachine;
  readonly gates: ReadonlyMap<string, Gate>;
  readonly orders: ReadonlyMap<string, Order>;
  /** Every host of the inventory: gates may look at all of them. */
  readonly hosts: readonly string[];
  /** How many hosts are worked on at once. */
  readonly forks: number;
  readonly emit: EventSink;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** The user asked to stop: finish the change in hand, and begin no other. */
  readonly interrupted: () => boolean;
}
