import type { Attributes } from '@opentelemetry/api';

/**
 * All that may be said of a run to a collector: names that the inventory, the playbook or this program gave, and figures. What a host
 * answered, a diff, a summary, a reason or a message has no name here, so that none of it leaves: a collector belongs to others.
 */
export const ATTRIBUTE_NAMES = [
  'provision.batch',
  'provision.change.result',
  'provision.changes.disruptive',
  'provision.changes.performed',
  'provision.changes.planned',
  'provision.changes.unknown',
  'provision.cluster',
  'provision.clusters',
  'provision.command',
  'provision.drill.address_gap',
  'provision.drill.client_gap',
  'provision.drill.recovered',
  'provision.gate',
  'provision.gate.waited',
  'provision.host',
  'provision.hosts',
  'provision.inventory',
  'provision.limit',
  'provision.outcome',
  'provision.play',
  'provision.playbook',
  'provision.resource',
  'provision.resource.kind',
  'provision.service',
  'provision.unchanged',
  'error.type',
] as const;

/** One of {@link ATTRIBUTE_NAMES}. */
export type AttributeName = (typeof ATTRIBUTE_NAMES)[number];

/** Attributes of a span, an event or a figure; what is undefined is left out. */
export type Said = Readonly<Partial<Record<AttributeName, string | number | readonly string[] | undefined>>>;

/** As OpenTelemetry takes them: figures would be sent with an attribute that has no value. */
export function attributes(said: Said): Attributes {
  const known = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === 'object' ? [...value] : value] as const],
  );
  return Object.fromEntries(known);
}

/** `file` of `file:/etc/default/etcd`. */
export function kindOfResource(address: string): string {
  return address.split(':', 1)[0] ?? address;
}

/** The address of a resource, but of a command: one without a name is called by its text. */
export function resourceName(address: string): string {
  const kind = kindOfResource(address);
  return kind === 'command' ? kind : address;
}
