import { hex, isSame, listersOf } from '../facts/etcd-membership.js';
import { mebibytes } from '../model/mebibytes.js';
import { etcdctlByHand } from '../shell/etcdctl.js';
import {
  journalLines,
  MISMATCH_SIGN,
  namesOf,
  processState,
  straysOf,
  verbOf,
  verdictFor,
  type ClusterView,
  type Seen,
} from './cluster-view.js';
import type { EvidenceLine, FindCause, Finding } from './finding.js';

/** What is typed for members whose data is of no use: others have it, or nobody has. */
function replaceOrRestore(view: ClusterView, hosts: readonly string[]): string {
  const left = view.members.length - hosts.length;
  const [first = ''] = hosts;
  if (left >= view.quorum) return `provision member replace ${view.inventory} ${first}`;
  return left === 0
    ? `provision snapshot list ${view.inventory}`
    : `provision recover ${view.inventory} --lost ${hosts.join(' --lost ')}`;
}

/** One alarm, who reports it, and for which member. */
interface Alarm {
  readonly reporters: readonly string[];
  /** Members that answered and report no such alarm. */
  readonly others: readonly string[];
  /** The hosts of the members that raised it, where their reporters agree; else the reporters. */
  readonly of: readonly string[];
  /** More than half of those that answered report it: alarms are replicated, so that all list the same. */
  readonly isAgreed: boolean;
}

function alarmNamed({ seen }: ClusterView, name: string): Alarm | undefined {
  const heard = seen.flatMap(({ host, status }) => (status.kind === 'answers' ? [{ host, status }] : []));
  const reporting = heard.filter(({ status }) => status.alarms.includes(name));
  if (reporting.length === 0) return undefined;
  const reporters = reporting.map(({ host }) => host);
  const raisers = new Set(
    reporting.flatMap(({ status }) =>
      (status.raisedBy ?? []).flatMap(({ alarm, memberId }) => (alarm === name ? [memberId] : [])),
    ),
  );
  const of = heard.filter(({ status }) => raisers.has(status.memberId)).map(({ host }) => host);
  return {
    reporters,
    others: heard.filter(({ host }) => !reporters.includes(host)).map(({ host }) => host),
    of: of.length === 0 ? reporters : of,
    isAgreed: reporting.length * 2 > heard.length,
  };
}

/** What is said of an alarm that most members do not list: nothing is decided on it. */
function disputed(view: ClusterView, alarm: Alarm, cause: 'nospace' | 'corrupt', name: string): Finding {
  const [other] = view.seen.filter(({ host }) => alarm.others.includes(host));
  return {
    cause,
    verdict: 'warn',
    hosts: alarm.reporters,
    summary: `${namesOf(alarm.reporters)} ${verbOf(alarm.reporters, 'reports', 'report')} the alarm ${name}, which ${namesOf(alarm.others)} ${verbOf(alarm.others, 'does', 'do')} not list: it is not confirmed`,
    evidence: alarm.reporters.map((host) => ({ host, text: `lists the alarm ${name}` })),
    next: other === undefined ? `provision verify ${view.inventory}` : etcdctlByHand(other.member, 'alarm list'),
  };
}

/** The database of a member has reached its quota: etcd refuses every write until the alarm is disarmed. */
export const findNospace: FindCause = (view) => {
  const alarm = alarmNamed(view, 'NOSPACE');
  if (alarm === undefined) return [];
  if (!alarm.isAgreed) return [disputed(view, alarm, 'nospace', 'NOSPACE')];
  const sizes = view.seen.flatMap(({ host, status, member }): EvidenceLine[] =>
    status.kind === 'answers'
      ? [
          {
            host,
            text: `reports a database of ${mebibytes(status.dbSize)}; its quota is ${quotaOf(member.quotaBackendBytes)}`,
          },
        ]
      : [],
  );
  return [
    {
      cause: 'nospace',
      verdict: 'fail',
      hosts: alarm.of,
      summary: `The alarm NOSPACE is raised: the database of ${namesOf(alarm.of)} reached its quota, and etcd refuses all writes`,
      evidence: [
        { text: `${namesOf(alarm.reporters)} ${verbOf(alarm.reporters, 'lists', 'list')} the alarm NOSPACE` },
        ...sizes,
      ],
      next: `provision defrag ${view.inventory}`,
      stopsAll: true,
    },
  ];
};

function quotaOf(bytes: number): string {
  return bytes === 0 ? "etcd's own, 2 GiB" : mebibytes(bytes);
}

/** etcd's own words for data that it can't use, in lines of failure: a healthy start names its corruption checks, too. */
const CORRUPT_SIGN =
  /(?:panic|fatal|\bC \||\bE \||"level":"(?:error|panic|dpanic|fatal)").*(?:crc mismatch|checksum mismatch|\bcorrupt|freepages|invalid database|file size too small|is out of range \[lastIndex\([1-9]|failed to (?:recover|read) .*(?:backend|snapshot|WAL)|page \d+ already freed|unexpected EOF)|walpb: crc mismatch|wal: max entry size limit exceeded/i;

/** A voter whose data is gone, and that is started all the same, ends like this, again and again (etcd#21178). */
const WIPED_SIGN = /tocommit\(\d+\) is out of range \[lastIndex\(0\)\]/;

/** Data that a member can't use: an alarm that the members agree on, or what it said when it ended. */
export const findCorrupt: FindCause = (view) => {
  const alarm = alarmNamed(view, 'CORRUPT');
  const ended = view.seen.flatMap((each) => {
    const signs = processState(each) === 'running' ? [] : journalLines(each, CORRUPT_SIGN);
    const line = signs.filter((sign) => !WIPED_SIGN.test(sign)).at(-1);
    return line === undefined ? [] : [{ host: each.host, text: `its journal says: ${line}` }];
  });
  const isAgreed = alarm?.isAgreed === true;
  const hosts = [...new Set([...(isAgreed ? alarm.of : []), ...ended.map(({ host }) => host)])];
  const doubt = alarm === undefined || isAgreed ? [] : [disputed(view, alarm, 'corrupt', 'CORRUPT')];
  if (hosts.length === 0) return doubt;
  return [
    {
      cause: 'corrupt',
      verdict: 'fail',
      hosts,
      summary: `The data of ${namesOf(hosts)} is corrupt`,
      evidence: [
        ...(isAgreed
          ? [{ text: `${namesOf(alarm.reporters)} ${verbOf(alarm.reporters, 'lists', 'list')} the alarm CORRUPT` }]
          : []),
        ...ended,
      ],
      next: replaceOrRestore(view, hosts),
      ...(isAgreed ? { stopsAll: true as const } : {}),
    },
    ...doubt,
  ];
};

/** Members of different clusters: one that does not belong to the cluster of the others, or two clusters. */
export const findWrongCluster: FindCause = (view) => {
  const { clusters, seen } = view;
  const reported = clusters.flatMap(({ id, hosts }) =>
    hosts.map((host) => ({ host, text: `reports the cluster ${hex(id)}${revisionOf(seen, host)}` })),
  );
  const refused = seen.flatMap((each): EvidenceLine[] => {
    const line = each.identity.kind === 'answers' ? undefined : journalLines(each, MISMATCH_SIGN).at(-1);
    return line === undefined ? [] : [{ host: each.host, text: `its journal says: ${line}` }];
  });
  const strays = straysOf(clusters);
  if (strays.length > 0)
    return [
      {
        cause: 'wrong-cluster',
        verdict: 'fail',
        hosts: strays,
        summary: `The member of ${namesOf(strays)} belongs to another cluster than those of ${namesOf(clusters[0]?.hosts ?? [])}`,
        evidence: [...reported, ...refused],
        next: replaceOrRestore(view, strays),
      },
    ];
  return clusters.length < 2 ? [] : [twoClusters(view, reported)];
};

/** As many members report the one as the other: which is right is for a person to say, after both are saved. */
function twoClusters({ clusters, seen, inventory }: ClusterView, evidence: readonly EvidenceLine[]): Finding {
  const hosts = clusters.flatMap((each) => each.hosts);
  const newest = seen
    .filter(({ identity }) => identity.kind === 'answers')
    .toSorted((a, b) => revision(b) - revision(a))[0]?.host;
  return {
    cause: 'wrong-cluster',
    verdict: 'fail',
    hosts,
    summary: `There are ${clusters.length} clusters: ${clusters.map((each) => `${hex(each.id)} on ${namesOf(each.hosts)}`).join(', ')}; save what each has before anything else`,
    evidence,
    next: `provision snapshot save ${inventory} --from ${newest ?? hosts[0] ?? ''}`,
  };
}

function revision({ identity }: Seen): number {
  return identity.kind === 'answers' ? identity.revision : 0;
}

function revisionOf(seen: readonly Seen[], host: string): string {
  const each = seen.find((one) => one.host === host);
  return each?.identity.kind === 'answers' ? `, revision ${each.identity.revision}` : '';
}

const REMOVED_SIGN = /permanently removed from the cluster|member has been removed|removed from the cluster/i;

/** A member that its cluster has removed, and that is started all the same: it ends at once. */
export const findRemoved: FindCause = (view, explained) => {
  const evidence = view.seen.flatMap((each) => {
    if (explained.has(each.host) || view.healthy.has(each.host)) return [];
    const state = processState(each);
    // It ends without an error: to systemd it is one that was stopped by hand. Who is listed again was stopped since.
    const isOver = state === 'running' || (state === 'stopped' && !isUnlisted(view, each));
    const line = isOver ? undefined : journalLines(each, REMOVED_SIGN).at(-1);
    return line === undefined ? [] : [{ host: each.host, text: `its journal says: ${line}` }];
  });
  const hosts = evidence.map(({ host }) => host);
  if (hosts.length === 0) return [];
  return [
    {
      cause: 'removed',
      verdict: 'fail',
      hosts,
      summary: `The cluster has removed the member of ${namesOf(hosts)}, and its old data is still there`,
      evidence,
      next: replaceOrRestore(view, hosts),
    },
  ];
};

/** Most members that answer list others, and not this one. */
function isUnlisted({ seen }: ClusterView, { host, member }: Seen): boolean {
  const heard = seen.flatMap((each) =>
    each.status.kind === 'answers' && each.host !== host ? [{ ...each.status, host: each.host }] : [],
  );
  const lists = listersOf(heard);
  const without = lists.filter(({ members }) => !members.some((listed) => isSame(listed, member, [])));
  return 2 * without.length > lists.length;
}

/** Members without data, while others have some. */
export const findNoData: FindCause = (view, explained) => {
  const evidence = view.seen.flatMap((each): (EvidenceLine & { readonly host: string })[] => {
    const { host, member, condition } = each;
    // What serves has its data somewhere, whatever the inventory says of the place.
    if (explained.has(host) || view.healthy.has(host)) return [];
    if (!condition.hasData) return [{ host, text: `reports no data in ${member.dataDir}` }];
    const line = processState(each) === 'running' ? undefined : journalLines(each, WIPED_SIGN).at(-1);
    return line === undefined ? [] : [{ host, text: `its journal says: ${line}` }];
  });
  if (evidence.length === 0) return [];
  const hosts = evidence.map(({ host }) => host);
  const finding = { cause: 'no-data', verdict: verdictFor(view, hosts), hosts, evidence } as const;
  if (view.seen.filter(({ condition }) => !condition.hasData).length === view.members.length)
    return [
      { ...finding, summary: 'No member has data: there is no cluster', next: `provision plan ${view.inventory}` },
    ];
  const left = view.members.length - hosts.length;
  const isLost = left < view.quorum;
  const summary = isLost
    ? `The data of ${namesOf(hosts)} is gone: ${left} of ${view.members.length} members can have data, fewer than the quorum of ${view.quorum}, which is lost for good`
    : `The data of ${namesOf(hosts)} is gone; the other members have it`;
  return [{ ...finding, summary, next: replaceOrRestore(view, hosts) }];
};
