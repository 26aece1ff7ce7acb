import type { Cluster } from '../model/cluster.js';
import { canonicalIp } from '../model/ip.js';
import type { MetricsPlace } from '../model/metrics.js';
import type { CheckContext } from './check-context.js';
import type { VariableName } from './known-variables.js';
import { SERVICE_VARIABLES } from './service-variables.js';

/** A port that a program of a host is to listen on. */
interface Listening extends MetricsPlace {
  readonly host: string;
  /** For people: `the etcd`. */
  readonly who: string;
  /** What sets the port; absent: it is no one's to change for another one's sake. */
  readonly variable?: VariableName;
  /** Where the inventory has no such variable, what brings the program there. */
  readonly because?: VariableName;
  readonly wayOut?: string;
}

/** Two programs of one host don't listen on one port of one address: the second could not start, or would be what the first one's clients meet. */
export function checkListening(cluster: Cluster, context: CheckContext): void {
  const all = [...served(cluster, context), ...shown(cluster)];
  const told = new Set<string>();
  for (const [index, late] of all.entries()) {
    const early = all.slice(0, index).find((each) => clashes(each, late));
    if (early === undefined) continue;
    const [blamed, other] = doesEarlyGiveWay(early, late, context) ? [early, late] : [late, early];
    // One port is one mistake, on whatever hosts and whoever has it.
    const what = [blamed.variable, blamed.port].join(' ');
    if (!told.has(what)) report(blamed, other, context);
    told.add(what);
  }
}

/** Whether the earlier of two gives way: where nothing sets the port of the later one, or the inventory sets only the earlier one's. */
function doesEarlyGiveWay(early: Listening, late: Listening, { inventory }: CheckContext): boolean {
  const isSet = ({ host, variable }: Listening): boolean =>
    variable !== undefined && inventory.hosts.get(host)?.variables.at(variable) !== undefined;
  return late.variable === undefined || (isSet(early) && !isSet(late));
}

function report(late: Listening, { who, address }: Listening, { inventory, reader, shared }: CheckContext): void {
  const { host, port, variable, because, wayOut = 'expected another port' } = late;
  if (variable === undefined) return;
  const found = inventory.hosts.get(host);
  const at = found?.variables.at(variable) ?? (because === undefined ? undefined : shared.at(because)) ?? found?.at;
  const where = ANY.includes(address) ? 'all addresses' : address;
  reader.report('error', at, variable, `${port}: ${who} of ${host} listens there on ${where}; ${wayOut}`);
}

/** All addresses of a host. */
const ANY = ['0.0.0.0', '::'];

function clashes(one: Listening, other: Listening): boolean {
  if (one.host !== other.host || one.port !== other.port) return false;
  // Two ports of one member: that is reported with the member.
  if (one.variable === 'etcd_client_port' && other.variable === 'etcd_peer_port') return false;
  // A member whose own address is the loopback one listens there once.
  if (one.variable === 'etcd_client_port' && other.variable === 'etcd_client_port') return false;
  const [a, b] = [canonicalIp(one.address), canonicalIp(other.address)];
  return a === b || [a, b].some((address) => ANY.includes(address));
}

/** What serves: where it listens is decided first. */
function served(cluster: Cluster, context: CheckContext): readonly Listening[] {
  const ofMembers = cluster.members.flatMap(({ host, address, clientPort, peerPort }): readonly Listening[] => {
    const client = { host, port: clientPort, who: 'the etcd', variable: 'etcd_client_port' } as const;
    const peer = { host, address, port: peerPort, who: 'the etcd', variable: 'etcd_peer_port' } as const;
    return [{ ...client, address }, { ...client, address: '127.0.0.1' }, peer];
  });
  const ofControlPlanes = cluster.controlPlanes.flatMap(({ host }): readonly Listening[] => {
    const found = context.inventory.hosts.get(host);
    if (found === undefined) return [];
    const address = context.reader.read(found, 'kube_apiserver_bind_address') ?? '0.0.0.0';
    const port = context.reader.readOr(found, 'kube_apiserver_port');
    return [{ host, address, port, who: 'the kube-apiserver', variable: 'kube_apiserver_port' }];
  });
  const ofServices = cluster.services.flatMap(({ name, group, balancers, endpoint, health }) =>
    balancers.flatMap(({ host }): readonly Listening[] => {
      const { port: variable, ip: because } = SERVICE_VARIABLES[name];
      const who = `the ${name} load balancer`;
      const wayOut = `set ${variable} to another one, or put hosts of their own into the group ${group}`;
      const own = { host, address: '127.0.0.1', port: health.ownPort, who };
      // An address that a host has is no virtual IP, and is reported as that.
      const isOfHost = cluster.members.some(({ address }) => address === endpoint.ip);
      if (isOfHost) return [own];
      return [own, { host, address: endpoint.ip, port: endpoint.port, who, variable, because, wayOut }];
    }),
  );
  return [...ofMembers, ...ofControlPlanes, ...ofServices];
}

/** What only shows figures. */
function shown({ members, services, hostMetrics }: Cluster): readonly Listening[] {
  const ofMembers = members.flatMap(({ host, metrics }): readonly Listening[] =>
    metrics === undefined ? [] : [{ ...metrics, host, who: 'the etcd', variable: 'etcd_metrics_port' }],
  );
  const ofBalancers = services.flatMap(({ balancers }) =>
    balancers.flatMap(({ host, proxy: { metrics, statsPort, stats } }): readonly Listening[] => [
      ...(metrics === undefined
        ? []
        : [{ ...metrics, host, who: 'HAProxy', variable: 'haproxy_metrics_port' } as const]),
      ...(statsPort === undefined
        ? []
        : [
            {
              ...{ host, address: stats?.address ?? '127.0.0.1', port: statsPort },
              ...({ who: 'HAProxy', variable: 'haproxy_stats_port' } as const),
            },
          ]),
    ]),
  );
  const ofHosts = hostMetrics.map((place): Listening => ({
    ...place,
    who: 'the exporter',
    variable: 'etcd_host_metrics_port',
  }));
  return [...ofMembers, ...ofBalancers, ...ofHosts];
}
