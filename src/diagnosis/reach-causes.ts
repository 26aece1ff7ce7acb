import type { PeerWay } from '../facts/etcd-condition.js';
import { hostPort } from '../model/endpoint.js';
import { counted } from '../model/counted.js';
import { namesOf, processState, type ClusterView, type Lost } from './cluster-view.js';
import type { EvidenceLine, FindCause } from './finding.js';

const WAYS: Readonly<Record<PeerWay, string>> = {
  open: 'connects to it',
  timeout: 'gets no answer in time',
  refused: 'is refused',
  'no-route': 'has no route',
  failed: 'cannot connect',
};

/** Hosts that can't be asked: their members may be down, or serve all the same. What is not seen is not lost. */
export const findUnreachable: FindCause = (view) => {
  const { lost, members, quorum } = view;
  if (lost.length === 0) return [];
  const hosts = lost.map(({ host }) => host);
  const left = members.length - lost.length;
  const serving = lost.filter((each) => waysTo(view, each).some(({ way }) => way === 'open')).map(({ host }) => host);
  const consequence =
    view.healthy.size > 0
      ? `etcd serves without ${hosts.length === 1 ? 'it' : 'them'}`
      : left < quorum
        ? `${counted(left, 'member')} of ${members.length} can be asked, fewer than the quorum of ${quorum}: it is unreachable, and not known to be lost`
        : `${left} of ${members.length} can be asked`;
  const [first] = lost;
  return [
    {
      cause: 'unreachable',
      verdict: 'fail',
      hosts,
      summary: `${namesOf(hosts)} cannot be asked; ${consequence}${serving.length === 0 ? '' : `; the peer port of ${namesOf(serving)} is open: only SSH may be at fault`}`,
      evidence: lost.flatMap((each) => [{ host: each.host, text: each.reason }, ...whatOthersSee(view, each)]),
      next: first?.next ?? `ssh ${first?.host ?? ''} true`,
    },
  ];
};

function waysTo(
  { seen, members }: ClusterView,
  { host }: Pick<Lost, 'host'>,
): readonly { host: string; way: PeerWay }[] {
  const index = members.findIndex(({ member }) => member.host === host);
  return seen.flatMap((each) => {
    const way = each.condition.peers[index];
    return way === undefined ? [] : [{ host: each.host, way }];
  });
}

function whatOthersSee(view: ClusterView, lost: Lost): readonly EvidenceLine[] {
  const end = hostPort(lost.member.address, lost.member.peerPort);
  return waysTo(view, lost).map(({ host, way }) => ({
    host,
    text: `reports that it ${WAYS[way]} at ${end} (${lost.host})`,
  }));
}

/** A connection between two members that does not come about, by the word of the one that tried. */
interface DeadWay {
  readonly from: string;
  readonly to: string;
  readonly way: PeerWay;
}

/** Both hosts answer over SSH and both members run, but their peer ports do not reach each other. */
export const findNetwork: FindCause = (view) => {
  const dead = deadWays(view);
  const hosts = coverOf(dead);
  const [first] = hosts;
  if (first === undefined) return [];
  const isSick = hosts.some((host) => !view.healthy.has(host)) || view.healthy.size === 0;
  return [
    {
      cause: 'network',
      verdict: isSick ? 'fail' : 'warn',
      hosts,
      summary: `Members do not reach each other on the peer port, though SSH reaches their hosts: ${namesOf(hosts)} ${hosts.length === 1 ? 'is' : 'are'} cut off from the others`,
      evidence: dead.map(({ from, to, way }) => ({
        host: from,
        text: `reports that it ${WAYS[way]} at ${endOf(view, to)}`,
      })),
      next: `ssh ${first} sudo nft list ruleset`,
    },
  ];
};

function endOf({ members }: ClusterView, host: string): string {
  const member = members.find((each) => each.member.host === host)?.member;
  return member === undefined ? host : `${hostPort(member.address, member.peerPort)} (${host})`;
}

function deadWays({ seen, members }: ClusterView): readonly DeadWay[] {
  const running = seen.filter((each) => ['running', 'waiting'].includes(processState(each)));
  return running.flatMap((from) =>
    running.flatMap((to) => {
      const index = members.findIndex(({ member }) => member.host === to.host);
      const [way, own] = [from.condition.peers[index], to.condition.peers[index]];
      if (from === to || way === undefined || way === 'open') return [];
      // What is refused while nobody listens is of the member, not of the network.
      const isListening = own === 'open';
      return way === 'refused' && !isListening ? [] : [{ from: from.host, to: to.host, way }];
    }),
  );
}

/**
 * The fewest hosts that all dead ways touch: who is cut off. A host that alone reports that it reaches nobody is
 * itself the one.
 */
function coverOf(dead: readonly DeadWay[]): readonly string[] {
  const [first] = dead;
  if (first === undefined) return [];
  const ends = [...new Set(dead.flatMap(({ from, to }) => [from, to]))];
  const touching = (host: string): number => dead.filter(({ from, to }) => from === host || to === host).length;
  const most = ends.toSorted((a, b) => touching(b) - touching(a))[0] ?? first.from;
  return [most, ...coverOf(dead.filter(({ from, to }) => from !== most && to !== most))];
}
