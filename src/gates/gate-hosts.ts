import type { JsonObject } from '../model/json.js';
import type { Probe } from '../model/remote.js';

/**
 * Which of `candidates` a gate is asked about: those of the batch, or all when the batch holds none of them.
 * @param parameters the engine gives the batch as `hosts`
 */
export function gateHosts(parameters: JsonObject, candidates: readonly { readonly host: string }[]): readonly string[] {
  const { hosts } = parameters;
  const batch = new Set(Array.isArray(hosts) ? hosts.map(String) : []);
  const all = candidates.map(({ host }) => host);
  const named = all.filter((host) => batch.has(host));
  return named.length === 0 ? all : named;
}

/** The probe of one host; any probe reaches the others. */
export function probeOf(probes: ReadonlyMap<string, Probe>, host: string): Probe {
  const [any] = probes.values();
  if (any === undefined) throw new Error('a gate was given no host');
  return probes.get(host) ?? any.on(host);
}
