import { etcdData, etcdDataKey } from '../../facts/etcd-data.js';
import { etcdIdentity, etcdIdentityKey, type EtcdIdentity } from '../../facts/etcd-identity.js';
import { lookAtMembers } from '../../facts/etcd-phase.js';
import { etcdStatus, etcdStatusKey, type EtcdStatus } from '../../facts/etcd-status.js';
import { nameAddresses } from '../../facts/name-addresses.js';
import type { Cluster, ControlPlane, Member } from '../../model/cluster.js';
import { RemoteError } from '../../model/errors.js';
import type { Probe } from '../../model/remote.js';
import type { EtcdStatusRequest } from '../../shell/etcd-status-request.js';
import { hostOf, knownServers } from '../../model/known-servers.js';
import { etcdProblem, type Endpoint, type MemberSeen } from './whose-etcd.js';

/** What is asked, and from where. */
interface Question {
  readonly cluster: Cluster;
  readonly controlPlane: ControlPlane;
  /** Of the control plane. */
  readonly probe: Probe;
}

/**
 * Refuses to repoint a kube-apiserver unless what it uses now is this inventory's cluster. Who answers at its endpoints is
 * asked from its host with its own files, and compared with what the members say on theirs.
 * @throws ProvisionError `foreign-etcd`, `etcd-not-proved`
 */
export async function refuseForeignEtcd(uses: readonly EtcdStatusRequest[], question: Question): Promise<void> {
  const { cluster, controlPlane, probe } = question;
  const names = [...new Set(uses.flatMap(({ url }) => hostOf(url) ?? []))];
  const [endpoints, members, resolved] = await Promise.all([
    Promise.all(uses.map((use) => askEndpoint(use, probe))),
    askMembers(cluster, probe),
    Promise.all(names.map(async (name) => [name, await probe.ask(nameAddresses, name)] as const)),
  ]);
  const isKnown = knownServers(cluster, new Map(resolved));
  const problem = etcdProblem({ endpoints, members, isKnown, controlPlane });
  if (problem !== undefined) throw problem;
}

async function askEndpoint(use: EtcdStatusRequest, probe: Probe): Promise<Endpoint> {
  return { url: use.url, identity: await identityOf(use, probe) };
}

async function identityOf(use: EtcdStatusRequest, probe: Probe): Promise<EtcdIdentity> {
  const scheme = URL.canParse(use.url) ? new URL(use.url).protocol : '';
  if (scheme !== 'https:' && scheme !== 'http:') return { kind: 'silent', reason: 'it is not an http or https URL' };
  return probe.ask(etcdIdentity, etcdIdentityKey(use));
}

/** Those that the cluster has now: where members are to leave, others may be yet to join. */
async function askMembers(cluster: Cluster, probe: Probe): Promise<readonly MemberSeen[]> {
  const { members } = cluster.formerMembers.length === 0 ? cluster : (await lookAtMembers(cluster, probe)).present;
  return Promise.all(members.map(async (member) => askMember(member, probe.on(member.host))));
}

/** A member whose host is away says nothing: the others know the cluster as well. */
async function askMember(member: Member, probe: Probe): Promise<MemberSeen> {
  const { host } = member;
  try {
    const [status, { hasData }] = await Promise.all([
      probe.ask(etcdStatus, etcdStatusKey(member)),
      probe.ask(etcdData, etcdDataKey(member)),
    ]);
    return { host, status, hasData };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    const status: EtcdStatus = { kind: 'silent', reason: error.message };
    return { host, status, hasData: undefined };
  }
}
