import { RemoteError } from '../model/errors.js';
import type { CheckItem } from './check.js';

/** What hosts answered, and an item for each that did not. */
export interface HostAnswers<V> {
  readonly heard: ReadonlyMap<string, V>;
  readonly unreachable: readonly CheckItem[];
}

/** Asks hosts at once. One that cannot be reached becomes an item, and hides nothing of the others. */
export async function askHosts<V>(
  hosts: readonly string[],
  ask: (host: string) => Promise<V>,
): Promise<HostAnswers<V>> {
  const asked = await Promise.all(
    hosts.map(async (host) => {
      try {
        return { host, value: await ask(host) };
      } catch (error) {
        if (error instanceof RemoteError) return { host, item: unreachable(error) };
        throw error;
      }
    }),
  );
  return {
    heard: new Map(asked.flatMap((answer) => ('value' in answer ? [[answer.host, answer.value] as const] : []))),
    unreachable: asked.flatMap((answer) => ('item' in answer ? [answer.item] : [])),
  };
}

/** For checks whose items belong to one host each. */
export async function itemsOfHosts(
  hosts: readonly string[],
  ask: (host: string) => Promise<readonly CheckItem[]>,
): Promise<readonly CheckItem[]> {
  const { heard, unreachable: missing } = await askHosts(hosts, ask);
  return [...missing, ...[...heard.values()].flat()];
}

function unreachable({ host, message, hint }: RemoteError): CheckItem {
  const [first = ''] = message.split('\n');
  return { check: 'host', host, verdict: 'fail', evidence: first, next: hint ?? `ssh ${host} true` };
}
