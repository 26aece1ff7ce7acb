import type { CheckItem } from '../checks/check.js';
import { counted } from '../model/counted.js';
import { canonicalIp } from '../model/ip.js';
import { describeSubject } from '../pki/compare.js';
import { notAfterOf, subjectOf } from '../pki/inspect.js';
import type { FoundMember } from './look-at-member.js';
import { isWildcard } from './node-place.js';

/** The load balancer, as far as it may conflict with a member. */
export interface BalancerPlace {
  readonly hosts: readonly string[];
  readonly port: number;
}

/** What was found of one member, as lines of the report. */
export function memberItems(member: FoundMember, balancer: BalancerPlace, inventory: string): readonly CheckItem[] {
  const { host, status, process, name, address, clientPort, client, server, leaf } = member;
  const how = member.unit === undefined ? `stacked: the static pod of ${member.manifest ?? ''}` : `unit ${member.unit}`;
  const found = (check: string, evidence: string): CheckItem => ({ check, host, verdict: 'ok', evidence });
  const end = notAfterOf(leaf).toISOString().slice(0, 10);
  return [
    found('etcd-process', `etcd ${status.version}, ${how}, process ${process.pid}, ${configuredBy(member)}`),
    found('member', `${name} at ${address}:${clientPort}, data in ${member.dataDir}`),
    found('certificate', `${server.certificate}, ${describeSubject(subjectOf(leaf))}, until ${end}`),
    found('client-pair', `${client.certificate} is accepted at ${member.clientUrl}`),
    ...listenItems(member, balancer),
    ...stateItems(member, inventory),
  ];
}

function configuredBy({ settings, files }: FoundMember): string {
  const sources = [...settings.values()].map(({ source }) => source);
  const kinds = new Set(sources.map(({ kind }) => kind));
  const [config] = sources.flatMap((source) => (source.kind === 'file' ? [source.path] : []));
  if (config !== undefined) return `configured by ${config}`;
  const ways = [
    ...(kinds.has('flag') ? ['flags'] : []),
    ...(kinds.has('variable') ? [files.environment.join(', ') || 'its environment'] : []),
  ];
  return `configured by ${ways.join(' and ') || 'defaults'}`;
}

function listenItems({ host, urls, address }: FoundMember, balancer: BalancerPlace): readonly CheckItem[] {
  const clash = urls.listen.find((url) => isWildcard(url) && url.port === balancer.port);
  if (clash === undefined || !balancer.hosts.includes(host)) return [];
  return [
    {
      check: 'listen-address',
      host,
      verdict: 'warn',
      evidence: `etcd listens on every address at port ${clash.port}: the load balancer cannot have that port of the virtual IP`,
      next: `set another etcd_lb_port; or let etcd listen on https://${address}:${clash.port},https://127.0.0.1:${clash.port} only`,
    },
  ];
}

function stateItems({ host, status, changedSince }: FoundMember, inventory: string): readonly CheckItem[] {
  const warn = (check: string, evidence: string, next: string): CheckItem => ({
    check,
    host,
    verdict: 'warn',
    evidence,
    next,
  });
  return [
    ...(status.isHealthy ? [] : [warn('member', 'cannot commit a proposal', `provision verify ${inventory}`)]),
    ...(status.isLearner ? [warn('member', 'is a learner', 'etcdctl member promote, once it has caught up')] : []),
    ...status.alarms.map((alarm) => warn('member', `alarm ${alarm} is raised`, `provision verify ${inventory}`)),
    ...(changedSince.length === 0
      ? []
      : [
          warn(
            'etcd-process',
            `${changedSince.join(', ')} changed after etcd was started: a restart would apply that too`,
            'look at the change, and restart the member yourself first',
          ),
        ]),
  ];
}

/**
 * Whether what runs on the hosts is one cluster, and just the inventory's.
 * @param isWhole every host of the group was looked at with success
 * @param joined addresses of hosts whose members have joined it already
 */
export function clusterItems(
  members: readonly FoundMember[],
  isWhole: boolean,
  joined: readonly string[] = [],
): readonly CheckItem[] {
  const fail = (evidence: string, next: string): CheckItem => ({ check: 'cluster', verdict: 'fail', evidence, next });
  const clusters = grouped(members, ({ status }) => status.clusterId);
  if (clusters.size > 1) {
    const parts = [...clusters].map(([id, hosts]) => `${hosts.join(', ')} (cluster id ${id})`).join('; ');
    return [fail(`these are ${clusters.size} clusters: ${parts}`, 'make an inventory for each of them')];
  }
  const twice = [...grouped(members, ({ status }) => status.memberId).values()].filter((hosts) => hosts.length > 1);
  const ids = new Set(members.map(({ status }) => status.memberId));
  const listed = members[0]?.status.members ?? [];
  const isJoined = (urls: readonly string[]): boolean =>
    urls.some(
      (url) => URL.canParse(url) && joined.includes(canonicalIp(new URL(url).hostname.replace(/^\[|\]$/g, ''))),
    );
  const strangers = isWhole ? listed.filter(({ id, peerUrls }) => !ids.has(id) && !isJoined(peerUrls)) : [];
  const problems = [
    ...twice.map((hosts) =>
      fail(`${hosts.join(' and ')} are the same member`, 'name each host once in the group etcd'),
    ),
    ...strangers.map(({ name, id, peerUrls, isLearner }) =>
      fail(
        `${isLearner ? 'learner' : 'member'} ${name || id} (${peerUrls.join(', ')}) is in the cluster, and no host of the group etcd is it: the load balancer would leave it out`,
        'put its host into the group etcd; or, if it is gone for good: etcdctl member remove',
      ),
    ),
    ...authorityItems(members),
  ];
  if (problems.length > 0 || members[0] === undefined) return problems;
  const { status, authority } = members[0];
  const evidence = `one cluster of ${counted(members.length, 'member')}, id ${status.clusterId}; authority ${describeSubject(subjectOf(authority))}`;
  return isWhole ? [{ check: 'cluster', verdict: 'ok', evidence }] : [];
}

function authorityItems(members: readonly FoundMember[]): readonly CheckItem[] {
  const signers = grouped(
    members,
    ({ authority }) => `${describeSubject(subjectOf(authority))} (${authority.fingerprint256.slice(0, 11)}…)`,
  );
  if (signers.size > 1)
    return [
      {
        check: 'authority',
        verdict: 'fail',
        evidence: `the server certificates have ${signers.size} authorities: ${[...signers].map(([name, hosts]) => `${name} on ${hosts.join(', ')}`).join('; ')}`,
        next: 'issue them from one authority that every member trusts',
      },
    ];
  return members
    .filter(({ others }) => others > 0)
    .map(({ host, others, trustedCaFile }) => ({
      check: 'authority',
      host,
      verdict: 'warn' as const,
      evidence: `${trustedCaFile} trusts ${others} more; only the one that signed the server certificate is used`,
      next: 'nothing to do if this is intended',
    }));
}

function grouped(
  members: readonly FoundMember[],
  key: (member: FoundMember) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const member of members) groups.set(key(member), [...(groups.get(key(member)) ?? []), member.host]);
  return groups;
}
