import type { EtcdIdentity } from '../facts/etcd-identity.js';
import { hex } from '../facts/etcd-membership.js';
import type { EtcdRemains } from '../facts/etcd-remains.js';
import type { EtcdStatus } from '../facts/etcd-status.js';
import type { Member } from '../model/cluster.js';

/** What one host shows of its member. */
export type MemberRemains =
  | { readonly kind: 'away'; readonly reason: string }
  | {
      readonly kind: 'seen';
      readonly status: EtcdStatus;
      readonly identity: EtcdIdentity;
      readonly remains: EtcdRemains;
      /** What an unfinished recovery has noted there. */
      readonly stages: ReadonlySet<string>;
    };

/** A member, and what its host shows. */
export interface RemainsSeen {
  readonly member: Member;
  readonly found: MemberRemains;
  /** Who else answers as it, by their hosts' word; those that hear nothing are not among them. */
  readonly heard: readonly HeardFrom[];
}

/** What another host hears at the URL at which a member serves clients. */
export interface HeardFrom {
  /** The host that hears it. */
  readonly host: string;
  readonly url: string;
  readonly identity: AnsweringIdentity;
}

/** An etcd that answers. */
export type AnsweringIdentity = Extract<EtcdIdentity, { kind: 'answers' }>;

/** Whether an unfinished recovery has noted a stage on its host. */
export function hasNoted({ found }: RemainsSeen, stage: string): boolean {
  return found.kind === 'seen' && found.stages.has(stage);
}

/** Its host, and the cluster that its data or its process is of; empty where that is not known. */
export function idEntry({ member, found }: RemainsSeen): readonly (readonly [host: string, clusterId: string])[] {
  if (found.kind === 'away') return [];
  const id = found.identity.kind === 'answers' ? found.identity.clusterId : found.remains.clusterId;
  return id === undefined ? [] : [[member.host, id]];
}

/** Of its store; undefined where it is not known. */
export function revisionOf({ found }: RemainsSeen): number | undefined {
  if (found.kind === 'away') return undefined;
  return found.identity.kind === 'answers' ? found.identity.revision : found.remains.revision;
}

/** What a host shows, for a person. */
export function describeRemains(each: RemainsSeen, lost: readonly string[]): string {
  const named = lost.includes(each.member.host) ? 'named as lost; ' : '';
  return `${named}${describeFound(each)}`;
}

function describeFound(each: RemainsSeen): string {
  const { member, found } = each;
  if (found.kind === 'away') return `can't be asked: ${found.reason}`;
  const { remains, identity } = found;
  const runs = remains.isRunning ? `${member.unit} runs` : `${member.unit} does not run`;
  if (!remains.hasData) return `${runs}, no data in ${member.dataDir}`;
  const [, id] = idEntry(each)[0] ?? [];
  const revision = revisionOf(each);
  const parts = [
    ...(id === undefined ? [] : [`cluster ${hex(id)}`]),
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...(remains.snapshot === undefined
      ? []
      : [`last raft snapshot: term ${remains.snapshot.term}, index ${remains.snapshot.index}`]),
  ];
  const how = identity.kind === 'answers' ? ', and answers' : '';
  return `${runs}${how}, data in ${member.dataDir}: ${parts.join(', ') || 'nothing of it can be read while it runs'}`;
}
