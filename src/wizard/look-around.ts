import { counted } from '../model/counted.js';
import type { Secret } from '../model/secret.js';
import { describeHost, remarksOn, type HostLook, type HostLooks, type Login, type NetworkLook } from './host-look.js';
import type { Ask } from './interview.js';

/** Looks that were made, so that going back and forth makes none again. Holds the sudo password for as long as it lives. */
export interface LookMemory {
  readonly looks: Map<string, ReadonlyMap<string, HostLook>>;
  /** By the network and hosts that were asked. */
  readonly networks: Map<string, NetworkLook>;
  sudoPassword: Secret | undefined;
}

/** What looking needs. */
export interface LookEdges extends HostLooks {
  readonly memory: LookMemory;
  /** How far a clock may be off, in milliseconds. */
  readonly maxSkewMs: number;
}

/**
 * Tries the connection to all hosts at once, and looks at them. What stands in the way is asked for here: trust in new host keys, the
 * sudo password; for all else it is tried again, or left.
 * @returns what was seen, also of those that failed
 */
export async function lookAround(
  ask: Ask,
  how: Pick<Login, 'hosts' | 'user' | 'privateKeyFile'>,
  { lookAtHosts, memory, maxSkewMs }: LookEdges,
): Promise<ReadonlyMap<string, HostLook>> {
  const key = JSON.stringify(how);
  const before = memory.looks.get(key);
  if (before !== undefined) return before;
  let trusted: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const login: Login = { ...how, trusted, sudoPassword: memory.sudoPassword };
    const looks = await ask.watch(
      'Connecting to all hosts',
      how.hosts.map(({ name }) => name),
      (tell) => lookAtHosts(login, tell),
    );
    const failed = [...looks].flatMap(([name, look]) => (look.kind === 'failed' ? [{ name, ...look }] : []));
    const unknown = failed.filter(({ code }) => code === 'host-key-unknown');
    const sudo = failed.filter(({ code }) => /^become-password-(?:missing|wrong)$/.test(code));
    for (const { message } of failed) ask.note(`✖ ${message}`);
    if (unknown.length > 0) {
      const question = `Compare these keys. Trust ${counted(unknown.length, 'host key')} and remember ${unknown.length === 1 ? 'it' : 'them'}?`;
      if (await ask.confirm(question)) {
        trusted = new Map([...trusted, ...unknown.map(({ name, fingerprint = '' }) => [name, fingerprint] as const)]);
        continue;
      }
    } else if (sudo.length > 0) {
      memory.sudoPassword = await ask.secret('sudo password');
      continue;
    } else if (failed.length > 0) {
      for (const hint of new Set(failed.map(({ hint }) => hint ?? ''))) if (hint !== '') ask.note(`→ ${hint}`);
      if (await ask.confirm(`${counted(failed.length, 'host')} failed. Try again? (no: go on without)`)) continue;
    }
    for (const host of how.hosts) {
      const look = looks.get(host.name);
      if (look?.kind !== 'seen') continue;
      ask.note(`✔ ${host.name}: ${describeHost(host, look.host)}`);
      for (const remark of remarksOn(host, look.host, maxSkewMs)) ask.note(`! ${remark}`);
    }
    memory.looks.set(key, looks);
    return looks;
  }
}
