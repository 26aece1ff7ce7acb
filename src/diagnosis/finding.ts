import type { ClusterView } from './cluster-view.js';

/** What an etcd cluster may suffer from, in the order in which one explains the other: what comes first is asked first. */
export const CAUSE_NAMES = [
  'clock',
  'disk-full',
  'disk-read-only',
  'certificate',
  'nospace',
  'corrupt',
  'wrong-cluster',
  'removed',
  'no-data',
  'unreachable',
  'network',
  'stopped',
  'crash',
  'slow-disk',
  'no-leader',
  'unexplained',
] as const;

/** One of {@link CAUSE_NAMES}. */
export type CauseName = (typeof CAUSE_NAMES)[number];

/** One thing that was seen. */
export interface EvidenceLine {
  /** Whose word it is; absent: of several. */
  readonly host?: string | undefined;
  readonly text: string;
}

/** A cause that was found. */
export interface Finding {
  readonly cause: CauseName;
  /** `warn`: etcd serves all the same; `fail`: it does not, or will not after the next fault. */
  readonly verdict: 'warn' | 'fail';
  /** The members that it concerns. */
  readonly hosts: readonly string[];
  /** One sentence. */
  readonly summary: string;
  readonly evidence: readonly EvidenceLine[];
  /** The one command to type next. */
  readonly next: string;
  /** The members whose trouble it explains, where those are not {@link hosts}. */
  readonly explains?: readonly string[];
  /** It keeps the whole cluster from writing, however many members it concerns. */
  readonly stopsAll?: true;
}

/** Looks for one cause. @param explained the hosts whose trouble an earlier cause explains */
export type FindCause = (view: ClusterView, explained: ReadonlySet<string>) => readonly Finding[];
