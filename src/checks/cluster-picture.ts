import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { flagValue } from '../facts/command-flags.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../facts/etcd-status.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import type {
  ClusterPicture,
  MemberState,
  PicturedApiServer,
  PicturedBalancer,
  PicturedMember,
  PicturedService,
} from '../model/cluster-picture.js';
import { RemoteError } from '../model/errors.js';
import { etcdWay } from '../model/etcd-way.js';
import { memberUrls } from '../model/endpoint.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';

/** Whom a picture is made of. */
export interface PictureSources {
  readonly cluster: Cluster;
  readonly probe: (host: string) => Probe;
  /** Hosts that may be asked. */
  readonly isAsked: (host: string) => boolean;
}

/**
 * Looks at a cluster for its picture: one turn of questions, so one exec a host. Hosts that can't be reached are in it as
 * such.
 */
export async function pictureOf({ cluster, probe, isAsked }: PictureSources): Promise<ClusterPicture> {
  const ask: Ask = async (host, question) => {
    if (!isAsked(host)) return 'not asked';
    const answer = await unlessLost(question(probe(host)));
    return answer instanceof RemoteError ? 'unreachable' : answer;
  };
  const [members, services, apiServers] = await Promise.all([
    Promise.all(cluster.members.map((member) => seenMember(member, ask))),
    Promise.all(cluster.services.map((service) => seenService(service, ask))),
    Promise.all(cluster.controlPlanes.map(({ host }) => seenApiServer(host, ask))),
  ]);
  return { members, services, external: externalOf(cluster), apiServers };
}

type Unasked = 'not asked' | 'unreachable';
type Ask = <V>(host: string, question: (there: Probe) => Promise<V>) => Promise<V | Unasked>;

async function seenMember(member: Member, ask: Ask): Promise<PicturedMember> {
  const { host, name, address } = member;
  const status = await ask(host, (there) => there.ask(etcdStatus, etcdStatusKey(member)));
  if (typeof status === 'string') return { host, name, address, state: status };
  if (status.kind === 'silent') return { host, name, address, state: 'does not answer' };
  return { host, name, address, state: stateOf(status), version: status.version };
}

async function seenService({ name, endpoint, proxy, balancers }: VirtualService, ask: Ask): Promise<PicturedService> {
  const { ip, port } = endpoint;
  const seen = balancers.map(async ({ host }): Promise<PicturedBalancer> => {
    const found = await ask(host, (there) => there.ask(hostAddresses, ALL_ADDRESSES));
    if (typeof found === 'string') return { host, holds: 'unknown' };
    return { host, holds: found.some(({ address }) => address === ip) ? 'yes' : 'no' };
  });
  return { name, ip, port, proxy, balancers: await Promise.all(seen) };
}

async function seenApiServer(host: string, ask: Ask): Promise<PicturedApiServer> {
  const found = await ask(host, (there) => there.ask(apiserverProcesses, APISERVER));
  if (typeof found === 'string') return { host, servers: [], absent: found };
  const [first] = found;
  if (first === undefined) return { host, servers: [], absent: 'not running' };
  return { host, servers: serversOf(flagValue(first.argv, 'etcd-servers')) };
}

/** The cluster as its inventory describes it: who leads, and who holds a virtual IP, no inventory says. */
export function describedPicture(cluster: Cluster): ClusterPicture {
  const way = etcdWay(cluster)?.url;
  const servers = (way === undefined ? memberUrls(cluster.members) : [way]).map(placeOf);
  return {
    members: cluster.members.map(({ host, name, address }) => ({ host, name, address, state: 'wanted' })),
    services: cluster.services.map(({ name, endpoint, proxy, balancers }) => ({
      ...{ name, ip: endpoint.ip, port: endpoint.port, proxy },
      balancers: balancers.map(({ host }) => ({ host, holds: 'unknown' })),
    })),
    external: externalOf(cluster),
    apiServers: cluster.controlPlanes.map(({ host, repoint }) =>
      way !== undefined && repoint === 'on-demand'
        ? { host, servers: [], absent: 'stays as it is' }
        : { host, servers },
    ),
  };
}

function externalOf(cluster: Cluster): string | undefined {
  const way = etcdWay(cluster);
  return way?.provider === 'external' ? placeOf(way.url) : undefined;
}

function stateOf(status: Extract<EtcdStatus, { kind: 'answers' }>): MemberState {
  if (status.isLearner) return 'learner';
  if (!status.isHealthy) return 'unhealthy';
  return status.memberId === status.leaderId ? 'leader' : 'follower';
}

function serversOf(flag: string | undefined): readonly string[] {
  return (flag ?? '').split(',').flatMap((url) => (url === '' ? [] : [placeOf(url)]));
}

/** `https://etcd.example:2379` → `etcd.example:2379`: a name or a password before it is nobody's business. */
function placeOf(url: string): string {
  return url
    .replace(/^[a-z]+:\/\//, '')
    .replace(/^.*@/, '')
    .replace(/\/.*$/, '');
}
