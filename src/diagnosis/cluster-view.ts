import { quorum } from '../facts/etcd-phase.js';
import type { Member } from '../model/cluster.js';
import type { Evidence, LostMember, SeenMember } from './evidence.js';

/** A member whose host could be asked. */
export interface Seen extends SeenMember {
  readonly host: string;
  readonly member: Member;
}

/** A member whose host could not be asked. */
export interface Lost extends LostMember {
  readonly host: string;
  readonly member: Member;
}

/** A cluster id, and the hosts whose members report it. */
export interface ReportedCluster {
  /** Decimal. */
  readonly id: string;
  readonly hosts: readonly string[];
}

/** The evidence, and what follows from it before any cause is looked for. */
export interface ClusterView extends Evidence {
  readonly seen: readonly Seen[];
  readonly lost: readonly Lost[];
  /** How many of the inventory's members must agree. */
  readonly quorum: number;
  /** Who reports which cluster id: the id that most report first. */
  readonly clusters: readonly ReportedCluster[];
  /** The hosts of members that commit proposals and can be used by clients, in the cluster that most report. */
  readonly healthy: ReadonlySet<string>;
}

/** Makes the view. Pure. */
export function viewOf(evidence: Evidence): ClusterView {
  const seen = evidence.members.flatMap(({ member, found }): Seen[] =>
    found.kind === 'seen' ? [{ ...found, host: member.host, member }] : [],
  );
  const lost = evidence.members.flatMap(({ member, found }): Lost[] =>
    found.kind === 'lost' ? [{ ...found, host: member.host, member }] : [],
  );
  const clusters = reportedClusters(seen);
  const strays = new Set(straysOf(clusters));
  const healthy = seen.filter((each) => servesClients(each) && !strays.has(each.host)).map(({ host }) => host);
  return {
    ...evidence,
    ...{ seen, lost, clusters },
    quorum: quorum(evidence.members.length),
    healthy: new Set(healthy),
  };
}

/** Hosts that report another cluster id than most; where none is reported by most, nobody is called a stray. */
export function straysOf([first, second, ...rest]: readonly ReportedCluster[]): readonly string[] {
  if (first === undefined || second === undefined || first.hosts.length === second.hosts.length) return [];
  return [second, ...rest].flatMap(({ hosts }) => hosts);
}

function servesClients({ status, certificates }: Seen): boolean {
  return (
    status.kind === 'answers' &&
    status.isHealthy &&
    status.leaderId !== '0' &&
    !status.isLearner &&
    !certificates.some(({ of }) => of === 'server')
  );
}

function reportedClusters(seen: readonly Seen[]): readonly ReportedCluster[] {
  const hosts = new Map<string, string[]>();
  for (const each of seen) {
    const id = clusterIdOf(each);
    if (id !== undefined) hosts.set(id, [...(hosts.get(id) ?? []), each.host]);
  }
  return [...hosts].map(([id, of]) => ({ id, hosts: of })).toSorted((a, b) => b.hosts.length - a.hosts.length);
}

/** A refused request, of which both sides write a line: what is its own, the other one's is beside it (3.4; 3.5). */
export const MISMATCH_SIGN =
  /cluster ID mismatch.*(?:\blocal=|\bwant |"local-member-cluster-id":")([0-9a-f]{1,16})(?![0-9a-f])/i;

function clusterIdOf(each: Seen): string | undefined {
  const { identity, status } = each;
  if (identity.kind === 'answers') return identity.clusterId;
  if (status.kind === 'answers') return status.clusterId;
  const own = linesOfNow(each)
    .flatMap((line) => MISMATCH_SIGN.exec(line)?.[1] ?? [])
    .at(-1);
  return own === undefined ? undefined : String(BigInt(`0x${own}`));
}

/** How a member's process is. `waiting`: it runs, and has not reported to systemd that it is ready, as without a quorum. */
export type ProcessState = 'running' | 'waiting' | 'stopped' | 'crashed' | 'absent';

/** From what systemd says of the unit. */
export function processState({ condition: { unit } }: Pick<Seen, 'condition'>): ProcessState {
  if (unit.load !== 'loaded') return 'absent';
  if (unit.active === 'active' || unit.active === 'reloading') return 'running';
  // systemd ends a start that takes too long, and etcd is not ready before it has a quorum: no fault of this member.
  if (unit.result === 'timeout') return 'waiting';
  if (unit.active === 'failed' || unit.sub === 'auto-restart') return 'crashed';
  if (unit.active === 'activating') return unit.restarts >= MANY_RESTARTS ? 'crashed' : 'waiting';
  return 'stopped';
}

/** A member that has been restarted as often, and is starting once more, is in a loop. */
const MANY_RESTARTS = 3;

/** How old a line of a running member's journal may be, in seconds: what was wrong long ago says nothing of now. */
const RECENT_S = 600;

/** Of a line that is shown. */
const SHOWN_CHARACTERS = 240;

/** Whose line it is: `etcd[1234]: `. */
const PROGRAM = /^[\w@.-]+\[\d+\]: /;

/**
 * The lines that speak of now: of the last process, what an earlier one met may be over; of one that has ended its last
 * ones, of one that runs recent ones. A member in a loop has said in its last runs what ends it, and is only beginning this one.
 */
function linesOfNow(each: Pick<Seen, 'condition'>): readonly string[] {
  const { journal, at } = each.condition;
  const own = journal.filter(({ text }) => !text.startsWith('systemd['));
  const hasEnded = ['crashed', 'stopped'].includes(processState(each));
  const isInLoop = hasEnded && each.condition.unit.sub === 'start';
  const last = PROGRAM.exec(own.at(-1)?.text ?? '')?.[0] ?? '';
  return own
    .filter((line) => isInLoop || line.text.startsWith(last))
    .filter((line) => hasEnded || at - line.at <= RECENT_S)
    .map(({ text }) => text);
}

/** Lines of a member's own journal that speak of now and match, the last one last, as they are shown. */
export function journalLines(each: Pick<Seen, 'condition'>, pattern: RegExp): readonly string[] {
  return linesOfNow(each)
    .filter((line) => pattern.test(line))
    .map(shownLine);
}

/** Without the program before it. */
export function shownLine(line: string): string {
  const text = line.replace(PROGRAM, '');
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** Hosts for a sentence: `etcd-1 and etcd-2`. */
export function namesOf(hosts: readonly string[]): string {
  return hosts.length < 2 ? hosts.join('') : `${hosts.slice(0, -1).join(', ')} and ${hosts.at(-1) ?? ''}`;
}

/** The verb of a sentence about hosts: `does` of one, `do` of several. */
export function verbOf(hosts: readonly string[], singular: string, plural: string): string {
  return hosts.length === 1 ? singular : plural;
}

/** `fail` where one of the hosts is not healthy, else as given. */
export function verdictFor(view: ClusterView, hosts: readonly string[]): 'warn' | 'fail' {
  return hosts.some((host) => !view.healthy.has(host)) ? 'fail' : 'warn';
}
