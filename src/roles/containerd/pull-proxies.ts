import { createHash } from 'node:crypto';
import { PROXIES_MARK, runtimeProcess } from '../../facts/runtime-process.js';
import type { Resource } from '../../model/change.js';
import type { Cluster } from '../../model/cluster.js';
import { plainContent } from '../../model/content.js';
import type { Probe } from '../../model/remote.js';
import { absent } from '../../resources/absent.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';

const DIRECTORY = '/etc/systemd/system/containerd.service.d';
const DROP_IN = `${DIRECTORY}/60-provision-proxies.conf`;
const OWNED = { owner: 'root', group: 'root' } as const;

/** What the proxies' settings are made of. */
type Surroundings = Pick<Cluster, 'kubernetes' | 'services'>;

/** The drop-in of containerd's unit with its proxies; it is absent where the inventory names none. */
export function pullProxies(cluster: Surroundings): readonly Resource[] {
  const wanted = environmentOf(cluster, 'with nodes');
  if (wanted === undefined) return [absent({ path: DROP_IN })];
  const lines = [...wanted, [PROXIES_MARK, markOf(cluster) ?? ''] as const].map(
    // systemd would take a % for one of its specifiers.
    ([name, value]) => `Environment="${name}=${value.replaceAll('%', '%%')}"\n`,
  );
  const content = plainContent(`# Written by provision: changes made here are replaced.\n[Service]\n${lines.join('')}`);
  return [
    directory({ path: DIRECTORY, ...OWNED, mode: '0755' }),
    file({ path: DROP_IN, content, ...OWNED, mode: '0644' }),
  ];
}

/**
 * Why a containerd that runs must be restarted for its proxies: a run that was killed may have left it with others. Nodes come and go: which they
 * are is written down, and counts from the next restart on.
 */
export async function otherProxies(cluster: Surroundings, unit: string, probe: Probe): Promise<readonly string[]> {
  const { program, proxies } = await probe.ask(runtimeProcess, unit);
  const wanted = markOf(cluster);
  if (program === undefined || proxies === wanted) return [];
  return [
    wanted === undefined ? 'the process has proxies of an earlier inventory' : 'the process has not these proxies',
  ];
}

function environmentOf(
  { kubernetes, services }: Surroundings,
  which: 'with nodes' | 'without nodes',
): readonly (readonly [string, string])[] | undefined {
  const { nodes, settings } = kubernetes;
  const { pullProxies: wanted, serviceSubnet, podSubnet, dnsDomain } = settings;
  if (wanted === undefined) return undefined;
  const direct = [
    ...['localhost', '127.0.0.1', '::1', '.svc', `.${dnsDomain}`, serviceSubnet, podSubnet],
    ...(which === 'with nodes' ? nodes.map(({ address }) => address) : []),
    ...services.map(({ endpoint }) => endpoint.ip),
    ...wanted.exceptions,
  ].filter((each) => each !== undefined);
  return [
    ...(wanted.http === undefined ? [] : [['HTTP_PROXY', wanted.http] as const]),
    ...(wanted.https === undefined ? [] : [['HTTPS_PROXY', wanted.https] as const]),
    ['NO_PROXY', [...new Set(direct)].join(',')],
  ];
}

function markOf(cluster: Surroundings): string | undefined {
  const wanted = environmentOf(cluster, 'without nodes');
  return wanted && createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 12);
}
