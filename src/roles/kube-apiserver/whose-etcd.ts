import { hex } from '../../facts/etcd-membership.js';
import type { EtcdIdentity } from '../../facts/etcd-identity.js';
import type { EtcdStatus } from '../../facts/etcd-status.js';
import type { ControlPlane } from '../../model/cluster.js';
import { described, isSameStore } from '../../gates/same-store.js';
import { ProvisionError } from '../../model/errors.js';
import type { IsKnownServer } from '../../model/known-servers.js';

/** An endpoint that a kube-apiserver uses, and who answers there. */
export interface Endpoint {
  readonly url: string;
  readonly identity: EtcdIdentity;
}

/** A member of this inventory's cluster, as its own host sees it. */
export interface MemberSeen {
  readonly host: string;
  readonly status: EtcdStatus;
  /** Its data directory holds a member; absent where the host cannot be asked. */
  readonly hasData: boolean | undefined;
}

/** All that the judgement is built on. */
export interface Evidence {
  readonly endpoints: readonly Endpoint[];
  readonly members: readonly MemberSeen[];
  /** For what does not answer. */
  readonly isKnown: IsKnownServer;
  readonly controlPlane: Pick<ControlPlane, 'host' | 'manifest'>;
}

/**
 * Why a kube-apiserver may not be moved from these endpoints to this cluster: one is another cluster's, or whose it is is
 * not known. `undefined` when every endpoint answers as this cluster, or is silent and exactly one of its addresses.
 */
export function etcdProblem(evidence: Evidence): ProvisionError | undefined {
  const { endpoints, members, controlPlane } = evidence;
  const { host, manifest } = controlPlane;
  if (endpoints.length === 0)
    return notProved(`${manifest} on ${host} gives no --etcd-servers: whose data it uses is not known`, manifest);
  const ids = new Set(members.flatMap(({ status }) => (status.kind === 'answers' ? [status.clusterId] : [])));
  if (ids.size > 1)
    return new ProvisionError({
      code: 'foreign-etcd',
      message: `the members of this inventory are in different clusters: ${members.flatMap(described).join(', ')}`,
      hint: 'correct the group etcd: all its hosts must be members of one cluster',
    });
  return endpoints.map((endpoint) => endpointProblem(endpoint, evidence)).find((problem) => problem !== undefined);
}

function endpointProblem({ url, identity }: Endpoint, evidence: Evidence): ProvisionError | undefined {
  const { members, isKnown, controlPlane } = evidence;
  const uses = `kube-apiserver on ${controlPlane.host} uses ${url}`;
  if (identity.kind === 'silent') {
    if (isKnown(url)) return undefined;
    const why = `nothing answers there (${identity.reason}), and it is not an address of this inventory's cluster`;
    return notProved(`${uses}; ${why}: whose data it uses is not known`, controlPlane.manifest);
  }
  const statuses = members.flatMap(({ status }) => (status.kind === 'answers' ? [status] : []));
  // More than half of them: one host that lies decides nothing.
  const isMost = (count: number): boolean => count * 2 > members.length;
  if (isMost(statuses.filter((status) => isSameStore(identity, status)).length)) return undefined;
  const answers = `${uses}, and etcd cluster ${hex(identity.clusterId)} at revision ${identity.revision} answers there`;
  if (isMost(statuses.length))
    return foreign(`${answers}, not this inventory's (${members.flatMap(described).join(', ')})`);
  if (members.every(({ hasData }) => hasData === false))
    return foreign(`${answers}; this inventory's members have no data yet`);
  // The members cannot be asked, as with an expired certificate of etcdctl, but this is where they are.
  if (isKnown(url) && members.every(({ hasData }) => hasData !== false)) return undefined;
  const silent = members.flatMap(({ host, status }) => (status.kind === 'silent' ? [`${host}: ${status.reason}`] : []));
  return new ProvisionError({
    code: 'etcd-not-proved',
    message: `${answers}; whether that is this inventory's cluster is not known, for most of its members do not answer: ${silent.join('; ')}`,
    hint: 'let the members answer first: provision verify INVENTORY',
  });
}

function foreign(what: string): ProvisionError {
  return new ProvisionError({
    code: 'foreign-etcd',
    message: `${what}: after the move the kube-apiserver would no longer see its data`,
    hint: 'correct the group etcd, or move the data to this cluster first (etcdctl snapshot save, restore)',
  });
}

function notProved(message: string, manifest: string): ProvisionError {
  return new ProvisionError({
    code: 'etcd-not-proved',
    message,
    hint: `start that etcd, so that it can be asked; where it is gone for good, take it out of --etcd-servers in ${manifest}`,
  });
}
