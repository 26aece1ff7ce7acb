import type { ProxyName, ServiceName } from './virtual-service.js';

/**
 * What a member was seen to be. `wanted`: the inventory describes it, and nobody has looked; `not asked`: `--limit` leaves
 * its host out.
 */
export type MemberState =
  'leader' | 'follower' | 'learner' | 'unhealthy' | 'does not answer' | 'unreachable' | 'not asked' | 'wanted';

/** One etcd member of a picture. */
export interface PicturedMember {
  readonly host: string;
  readonly name: string;
  readonly address: string;
  readonly state: MemberState;
  /** The version of etcd that answers; absent: none does. */
  readonly version?: string | undefined;
}

/** A host that may hold a virtual IP. */
export interface PicturedBalancer {
  readonly host: string;
  /** `unknown`: it was not asked, or did not answer. */
  readonly holds: 'yes' | 'no' | 'unknown';
}

/** A service behind a virtual IP. */
export interface PicturedService {
  readonly name: ServiceName;
  readonly ip: string;
  readonly port: number;
  readonly proxy: ProxyName;
  readonly balancers: readonly PicturedBalancer[];
}

/** One API server, and where its process finds etcd. */
export interface PicturedApiServer {
  readonly host: string;
  /** `HOST:PORT` of each etcd server that it is given; empty: none runs there, or it was not asked. */
  readonly servers: readonly string[];
  /** Why {@link servers} is empty. */
  readonly absent?: 'not running' | 'unreachable' | 'not asked' | 'stays as it is' | undefined;
}

/** A cluster as it was seen at one moment, or as its inventory describes it. */
export interface ClusterPicture {
  readonly members: readonly PicturedMember[];
  readonly services: readonly PicturedService[];
  /** `HOST:PORT` of a load balancer of others. */
  readonly external: string | undefined;
  readonly apiServers: readonly PicturedApiServer[];
}
