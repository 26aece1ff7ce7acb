import { namesAddress } from '../facts/address-claim.js';
import { clientServersOf } from '../facts/apiserver-manifest.js';
import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { flagValue } from '../facts/command-flags.js';
import { isSame, servesByItsWord } from '../facts/etcd-membership.js';
import { quorum } from '../facts/etcd-phase.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import { askText } from '../facts/file-content.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster, Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import { hostOf, knownServers } from '../model/known-servers.js';
import { etcdWay } from '../model/etcd-way.js';
import { serviceNamed } from '../model/virtual-service.js';
import { askMembers, lookAtPresent } from './ask-members.js';
import { membersHeard } from './judge-members.js';
import { kubeadmUses, type KubeadmUses } from './kubeadm-uses.js';
import type { IsLeaving, Use } from './member-use.js';

/**
 * Nobody is sent to the members of the batch that are to leave (of a batch of others: to any that is to leave), hosts that join
 * have joined, and the others are a quorum without them.
 */
export function formerMembersMayLeave(cluster: Cluster): Gate {
  return {
    name: 'former-members-may-leave',
    deadlineMs: DEADLINE_MS,
    async check(input) {
      const [{ present, yetToJoin }, answers] = await lookAtPresent(cluster, input.probe);
      const listed = cluster.formerMembers.filter((member) => present.members.includes(member));
      const named = listed.filter(({ host }) => input.batch.includes(host));
      const isOfOthers = !cluster.formerMembers.some(({ host }) => input.batch.includes(host));
      const leaving = isOfOthers ? listed : named;
      const doubted = await servingUnlisted(cluster, { present, answers }, input);
      const [serving] = doubted.filter(({ host }) => isOfOthers || input.batch.includes(host));
      if (serving !== undefined) return unlisted(serving);
      if (leaving.length === 0) return { open: true };
      const [joiner] = yetToJoin;
      if (joiner !== undefined)
        return shut(`${joiner.host} has not joined yet: members join before others leave`, APPLY);
      const { uses, unread } = await usesOf(leaving, cluster, input);
      const [use] = uses;
      if (use !== undefined) return shut(uses.map(({ text }) => text).join('; '), use.next);
      if (unread !== undefined) return unread;
      return isOfOthers ? { open: true } : quorumWithout(leaving, cluster, membersHeard(answers));
    },
  };
}

/** A member that has just been stopped may be missed for a moment. */
const DEADLINE_MS = 60_000;

const APPLY = 'provision apply INVENTORY';
const REPOINT = 'provision apply INVENTORY --playbook repoint';

/** Waiting changes none of it. */
function shut(reason: string, next: string): GateAnswer {
  return { open: false, reason, next, isFinal: true };
}

/** Members that are to leave and that those that stay do not list, where they serve in the same cluster by their own word. */
async function servingUnlisted(
  { members, formerMembers }: Cluster,
  { present, answers }: { readonly present: Cluster; readonly answers: ReadonlyMap<string, EtcdStatus> },
  { probe }: GateInput,
): Promise<readonly Member[]> {
  const rest = formerMembers.filter((member) => !present.members.includes(member));
  const asked = await askMembers({ members: rest }, probe);
  const theirs = members.flatMap(({ host }) => clusterIdOf(answers.get(host)) ?? []);
  return rest.filter(({ host }) => {
    const status = asked.answers.get(host);
    return status?.kind === 'answers' && theirs.includes(status.clusterId) && servesByItsWord({ host, ...status });
  });
}

function clusterIdOf(status: EtcdStatus | undefined): string | undefined {
  return status?.kind === 'answers' ? status.clusterId : undefined;
}

/** One that has just been removed says so for a moment. */
function unlisted({ host }: Member): GateAnswer {
  return {
    open: false,
    reason: `the members that stay do not list ${host}, and it serves as a member of their cluster`,
    next: 'provision verify INVENTORY',
  };
}

/** While they are stopped, and listed. Where one member stays, of two, they are not stopped before. */
function quorumWithout(
  leaving: readonly Member[],
  { members }: Cluster,
  heard: ReturnType<typeof membersHeard>,
): GateAnswer {
  const voters = (heard.find(({ isLearner }) => !isLearner)?.members ?? []).filter(({ isLearner }) => !isLearner);
  const rest = voters.filter((listed) => !leaving.some((member) => isSame(listed, member, [])));
  const healthy = heard.filter(({ memberId, isHealthy }) => isHealthy && rest.some(({ id }) => id === memberId));
  const needed = members.length === 1 ? quorum(rest.length) : quorum(voters.length);
  if (rest.length === voters.length || healthy.length >= needed) return { open: true };
  const names = leaving.map(({ host }) => host).join(', ');
  return {
    open: false,
    reason: `${healthy.length} of ${voters.length} voters are healthy without ${names}, and a quorum is ${needed}`,
    next: 'provision verify INVENTORY',
  };
}

async function usesOf(leaving: readonly Member[], cluster: Cluster, input: GateInput): Promise<KubeadmUses> {
  // By the members alone: a load balancer stays, whoever runs it.
  const theirs = { ...cluster, members: leaving, formerMembers: [], services: [], external: undefined };
  const isLeaving = knownServers(theirs, new Map());
  const [apiservers, balancers, { uses, unread }] = await Promise.all([
    apiserverUses(leaving, isLeaving, cluster, input),
    balancerUses(leaving, cluster, input),
    kubeadmUses({ leaving, isLeaving }, cluster, input),
  ]);
  return { uses: [...apiservers, ...balancers, ...uses], unread };
}

async function apiserverUses(
  leaving: readonly Member[],
  isLeaving: IsLeaving,
  cluster: Cluster,
  { probe }: GateInput,
): Promise<readonly Use[]> {
  const hasWay = etcdWay(cluster) !== undefined;
  const all = await Promise.all(
    cluster.controlPlanes.map(async ({ host, manifest, repoint }) => {
      const apply = repoint === 'on-demand' ? REPOINT : APPLY;
      const next = hasWay ? apply : 'provision bypass INVENTORY on';
      const [text, processes] = await Promise.all([
        unlessLost(askText(probe(host), manifest)),
        unlessLost(probe(host).ask(apiserverProcesses, APISERVER)),
      ]);
      const given = [
        ...(typeof text === 'string' ? clientServersOf(manifest, text) : []),
        ...(processes instanceof RemoteError ? [] : processes.flatMap(({ argv }) => serversOf(argv))),
      ];
      const own = leaving.find((member) => member.host === host);
      const used = [...new Set(given)].filter((url) => isLeaving(url) || (own !== undefined && isLoopback(url)));
      return used.map((url) => ({ text: `kube-apiserver on ${host} uses ${url}, which is about to leave`, next }));
    }),
  );
  return all.flat();
}

/** Of both arguments that name etcd servers; `/events#https://a:2379;https://b:2379` in the second. */
function serversOf(argv: readonly string[]): readonly string[] {
  return ['etcd-servers', 'etcd-servers-overrides'].flatMap((name) => (flagValue(argv, name) ?? '').split(/[,;#]/));
}

function isLoopback(url: string): boolean {
  return ['localhost', '127.0.0.1', '::1'].includes(hostOf(url) ?? '');
}

async function balancerUses(
  leaving: readonly Member[],
  cluster: Cluster,
  { probe }: GateInput,
): Promise<readonly Use[]> {
  const balancers = serviceNamed(cluster, 'etcd')?.balancers ?? [];
  const all = await Promise.all(
    balancers.map(async ({ host, proxy }) => {
      const text = await unlessLost(askText(probe(host), proxy.configFile));
      const named = typeof text === 'string' ? leaving.filter(({ address }) => namesAddress(text, address)) : [];
      return named.map((member) => ({
        text: `${proxy.configFile} on ${host} names ${member.host}, which is about to leave`,
        next: APPLY,
      }));
    }),
  );
  return all.flat();
}
