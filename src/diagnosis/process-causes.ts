import type { HeardMember } from '../facts/etcd-membership.js';
import { agreementProblems, membersHeard, ownProblems } from '../gates/judge-members.js';
import { journalByHand, startByHand } from '../shell/by-hand.js';
import { quote } from '../shell/quote.js';
import {
  journalLines,
  namesOf,
  processState,
  shownLine,
  straysOf,
  verdictFor,
  type ClusterView,
  type Seen,
} from './cluster-view.js';
import type { CertificateTrouble } from './evidence.js';
import type { EvidenceLine, FindCause } from './finding.js';

const EXPIRED_SIGN = /certificate has expired or is not yet valid/;

/** Certificates with which nobody can talk to a member, or a member to the others. */
export const findCertificates: FindCause = (view) => {
  const bad = view.seen.filter(({ certificates }) => certificates.length > 0);
  if (bad.length === 0) return [];
  const hosts = bad.map(({ host }) => host);
  const all = bad.flatMap(({ certificates }) => certificates);
  const signs = bad.flatMap((each) => {
    const line = view.healthy.has(each.host) ? undefined : journalLines(each, EXPIRED_SIGN).at(-1);
    return line === undefined ? [] : [{ host: each.host, text: `its journal says: ${line}` }];
  });
  return [
    {
      cause: 'certificate',
      verdict: 'fail',
      hosts,
      summary: `${kindsOf(all)} of ${namesOf(hosts)} cannot be used`,
      evidence: [
        ...bad.flatMap(({ host, certificates }) => certificates.map(({ text }) => ({ host, text }))),
        ...signs,
      ],
      next: renewal(view, all),
      // Without the client certificate of its host a member serves all others.
      explains: bad.flatMap(({ host, certificates }) =>
        certificates.every(({ of }) => of === 'client') ? [] : [host],
      ),
    },
  ];
};

function kindsOf(troubles: readonly CertificateTrouble[]): string {
  const kinds = [...new Set(troubles.map(({ of }) => (of === 'authority' ? 'authority (CA)' : `${of} certificate`)))];
  return `The ${namesOf(kinds)}`;
}

/** An apply signs leaves again; what has ended itself can sign nothing. */
function renewal({ inventory, cluster, isExternalCa }: ClusterView, troubles: readonly CertificateTrouble[]): string {
  if (troubles.some(({ of, text }) => of === 'authority' && / expired on /.test(text)))
    return `provision ca show ${quote(cluster.certificates.store)}`;
  return isExternalCa ? `provision ca request ${inventory}` : `provision apply ${inventory}`;
}

/** Members that someone has stopped: they have data, and no process. */
export const findStopped: FindCause = (view, explained) => {
  const stopped = view.seen.filter(
    (each) => !explained.has(each.host) && ['stopped', 'absent'].includes(processState(each)),
  );
  const [first] = stopped;
  if (first === undefined) return [];
  const hosts = stopped.map(({ host }) => host);
  const left = view.members.length - hosts.length;
  const absent = stopped.find((each) => processState(each) === 'absent');
  return [
    {
      cause: 'stopped',
      verdict: 'fail',
      hosts,
      summary: `etcd is stopped on ${namesOf(hosts)}${left < view.quorum ? `: at most ${left} of ${view.members.length} members run, fewer than the quorum of ${view.quorum}` : ''}`,
      evidence: stopped.flatMap((each) => [{ host: each.host, text: unitText(each) }, ...lastLine(each)]),
      next:
        absent === undefined
          ? startByHand(stopped.map(({ member }) => member))
          : `ssh ${absent.host} systemctl status ${absent.member.unit}`,
    },
  ];
};

function unitText({ member, condition: { unit } }: Seen): string {
  if (unit.load !== 'loaded') return `has no unit ${member.unit}: ${unit.load || 'systemd says nothing of it'}`;
  const restarts = unit.restarts === 0 ? '' : `, restarted ${unit.restarts} times`;
  return `${member.unit} is ${unit.active} (${unit.sub}), result ${unit.result}${restarts}`;
}

/** What says why it ended; systemd's own lines only say that it did. */
const FATAL_SIGN = /panic|fatal|\bC \||\bE \||"level":"(?:error|dpanic)"|permission denied|address already in use/i;

function lastLine({ condition: { journal }, ...each }: Seen): readonly EvidenceLine[] {
  const own = journal.map(({ text }) => text).filter((text) => !text.startsWith('systemd['));
  const line = own.filter((text) => FATAL_SIGN.test(text)).at(-1) ?? own.at(-1);
  return line === undefined ? [] : [{ host: each.host, text: `its journal says: ${shownLine(line)}` }];
}

/** Members that end by themselves, for none of the reasons that are known. */
export const findCrash: FindCause = (view, explained) => {
  const crashed = view.seen.filter((each) => !explained.has(each.host) && processState(each) === 'crashed');
  const [first] = crashed;
  if (first === undefined) return [];
  const hosts = crashed.map(({ host }) => host);
  return [
    {
      cause: 'crash',
      verdict: 'fail',
      hosts,
      summary: `etcd ends by itself on ${namesOf(hosts)}`,
      evidence: crashed.flatMap((each) => [{ host: each.host, text: unitText(each) }, ...lastLine(each)]),
      next: journalByHand(first.host, first.member.unit),
    },
  ];
};

/** Enough members run that nothing else explains, and they have no leader. */
export const findNoLeader: FindCause = (view, explained) => {
  const rest = view.seen.filter((each) => !explained.has(each.host));
  const leaderless = rest.filter((each) => hasNoLeader(each));
  const [first] = leaderless;
  if (first === undefined || rest.length < view.quorum || leaderless.length < rest.length) return [];
  const hosts = leaderless.map(({ host }) => host);
  return [
    {
      cause: 'no-leader',
      verdict: 'fail',
      hosts,
      summary: `${namesOf(hosts)} run and reach each other, and have no leader`,
      evidence: leaderless.flatMap((each) => [{ host: each.host, text: 'reports no leader' }, ...lastLine(each)]),
      next: journalByHand(first.host, first.member.unit),
    },
  ];
};

function hasNoLeader({ status, condition }: Seen): boolean {
  if (condition.hasLeader !== undefined) return !condition.hasLeader;
  return status.kind === 'answers' && status.leaderId === '0';
}

/** One member's word that it is far ahead makes no other a laggard: the second is what all are held against. */
function withinOthers(heard: readonly HeardMember[]): readonly HeardMember[] {
  const [highest = 0, second = highest] = heard.map(({ raftIndex }) => raftIndex).toSorted((a, b) => b - a);
  return heard.map((each) => ({ ...each, raftIndex: Math.min(each.raftIndex, second) }));
}

/** What no cause explains: whatever is wrong is said, never passed over. */
export const findUnexplained: FindCause = (view, explained) => {
  const rest = view.members.length - explained.size;
  // Without a quorum the other members can't be healthy, and need no cause of their own.
  if (rest < view.quorum) return [];
  const sick = view.seen.filter(({ host }) => !view.healthy.has(host) && !explained.has(host));
  const strays = new Set(straysOf(view.clusters));
  const heard = membersHeard(new Map(view.seen.map(({ host, status }) => [host, status])));
  const own = ownProblems(withinOthers(heard));
  const texts = view.seen
    .filter(({ host }) => !explained.has(host))
    .flatMap(({ host, status, certificates }): EvidenceLine[] => {
      if (status.kind === 'silent') return [{ host, text: `does not answer: ${status.reason}` }];
      const odd = certificates.length > 0 ? undefined : status.usualFailure;
      return [
        ...(own.get(host) ?? []).map((text) => ({ host, text })),
        ...(odd === undefined ? [] : [{ host, text: `answers, but not to its host's client certificate: ${odd}` }]),
      ];
    });
  const steady = heard.filter(({ host }) => !strays.has(host) && !explained.has(host));
  const agreement = explained.size > 0 ? [] : agreementProblems(steady, view.cluster);
  const evidence = [...texts, ...agreement.map((text) => ({ text }))];
  if (evidence.length === 0) return [];
  const hosts = [...new Set([...sick.map(({ host }) => host), ...texts.flatMap(({ host }) => host ?? [])])];
  return [
    {
      cause: 'unexplained',
      verdict: verdictFor(view, hosts),
      hosts,
      summary: 'etcd is not as it should be, for a reason that is not known here',
      evidence,
      next: `provision verify ${view.inventory}`,
    },
  ];
};
