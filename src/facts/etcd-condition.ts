import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { conditionScript, type ConditionRequest } from '../shell/etcd-condition.js';
import { blocksByKey } from './blocks-by-key.js';

/** How a connection to a member's peer port ended. `timeout` and `no-route` are of the network, `refused` mostly of no listener. */
export type PeerWay = 'open' | 'timeout' | 'refused' | 'no-route' | 'failed';

/** What systemd says of the unit. */
export interface UnitCondition {
  /** `loaded`, `not-found`, `masked`. */
  readonly load: string;
  /** `active`, `activating`, `inactive`, `failed`, … */
  readonly active: string;
  /** `running`, `start`, `auto-restart`, `dead`, `failed`, … */
  readonly sub: string;
  /** How its last process ended: `success`, `exit-code`, `core-dump`, `timeout`, … */
  readonly result: string;
  /** Automatic restarts since it was last started by hand. */
  readonly restarts: number;
}

/** One line of the member's journal. */
export interface JournalLine {
  /** Seconds since 1970, by the host's clock. */
  readonly at: number;
  readonly text: string;
}

/** The file system that the data directory is on. */
export interface DiskCondition {
  readonly mount: string;
  readonly totalKib: number;
  readonly freeKib: number;
  /** 0 where the file system has no fixed number of them. */
  readonly totalInodes: number;
  readonly freeInodes: number;
  readonly isReadOnly: boolean;
}

/** How long the write-ahead log waited for the disk, since the process started. */
export interface FsyncTimes {
  readonly count: number;
  /** Upper bounds in seconds, ascending, with how many took no longer. */
  readonly buckets: readonly (readonly [seconds: number, count: number])[];
}

/** What a host shows of its member without asking the cluster. */
export interface EtcdCondition {
  /** Seconds since 1970, by the host's clock. */
  readonly at: number;
  readonly unit: UnitCondition;
  readonly hasData: boolean;
  /** Absent: df said nothing. */
  readonly disk: DiskCondition | undefined;
  /** In the order of the key's peers. */
  readonly peers: readonly PeerWay[];
  /** Absent: it gave no metrics. */
  readonly hasLeader: boolean | undefined;
  readonly fsync: FsyncTimes | undefined;
  /** Oldest first. */
  readonly journal: readonly JournalLine[];
}

/** The key to ask {@link etcdCondition} by. @param all every member of the cluster, itself included */
export function etcdConditionKey(member: Member, all: readonly Member[]): string {
  const { unit, dataDir, clientUrl, client } = member;
  const peers = all.flatMap(({ address, peerPort }) => [address, String(peerPort)]);
  return JSON.stringify([clientUrl, client.ca, client.certificate, client.key, unit, dataDir, ...peers]);
}

function requestOf(askedBy: string): ConditionRequest {
  const [clientUrl = '', ca = '', certificate = '', key = '', unit = '', dataDir = '', ...peers] = JSON.parse(
    askedBy,
  ) as readonly string[];
  const ends = peers.flatMap((address, index): (readonly [string, number])[] =>
    index % 2 === 0 ? [[address, Number(peers[index + 1])]] : [],
  );
  return { clientUrl, ca, certificate, key, unit, dataDir, peers: ends };
}

/** Key: {@link etcdConditionKey}. Asked where a cluster is diagnosed: it reads the journal, and connects to every peer port. */
export const etcdCondition: Fact<EtcdCondition> = {
  name: 'etcd-condition',
  script: (keys) => keys.map((key) => conditionScript(requestOf(key))).join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^E$/m, keys, parseBlock),
};

/** Every line begins with its letter: what a journal holds can't pass for another answer. */
function parseBlock(block: string): EtcdCondition {
  const lines = new Map<string, string[]>();
  for (const [, letter = '', text = ''] of block.matchAll(/^([TUMDRPXJ]) (.*)$/gm))
    lines.set(letter, [...(lines.get(letter) ?? []), text]);
  const of = (letter: string): readonly string[] => lines.get(letter) ?? [];
  const metrics = of('X');
  const leader = metrics.find((line) => line.startsWith('etcd_server_has_leader '));
  return {
    at: Number(of('T')[0]),
    unit: parseUnit(of('U')),
    hasData: of('M').length > 0,
    disk: parseDisk(of('D')[0], of('R').length > 0),
    peers: parsePeers(of('P')),
    hasLeader: leader === undefined ? undefined : leader.endsWith(' 1'),
    fsync: parseFsync(metrics),
    journal: of('J').flatMap((line) => {
      const [, at, text = ''] = /^(\d+)(?:\.\d+)? (.*)$/.exec(line) ?? [];
      return at === undefined ? [] : [{ at: Number(at), text }];
    }),
  };
}

function parseUnit(lines: readonly string[]): UnitCondition {
  const property = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  return {
    load: property('LoadState'),
    active: property('ActiveState'),
    sub: property('SubState'),
    result: property('Result'),
    restarts: Number(property('NRestarts') || 0),
  };
}

function parseDisk(line: string | undefined, isReadOnly: boolean): DiskCondition | undefined {
  const [, total, free, inodes, freeInodes, mount] = /^(\d+) (-?\d+) (\d+|-) (-?\d+|-) (.+)$/.exec(line ?? '') ?? [];
  if (mount === undefined) return undefined;
  return {
    mount,
    totalKib: Number(total),
    freeKib: Number(free),
    totalInodes: Number(inodes === '-' ? 0 : inodes),
    freeInodes: Number(freeInodes === '-' ? 0 : freeInodes),
    isReadOnly,
  };
}

const WAYS: readonly PeerWay[] = ['open', 'timeout', 'refused', 'no-route', 'failed'];

function parsePeers(lines: readonly string[]): readonly PeerWay[] {
  const words = new Map(lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1]]));
  return lines.map((_, index) => WAYS.find((way) => way === words.get(index)) ?? 'failed');
}

function parseFsync(metrics: readonly string[]): FsyncTimes | undefined {
  const prefix = 'etcd_disk_wal_fsync_duration_seconds_';
  const count = metrics.find((line) => line.startsWith(`${prefix}count `))?.split(' ')[1];
  if (count === undefined) return undefined;
  const buckets = metrics.flatMap((line) => {
    const [, bound, within] = /_bucket\{le="([\d.e+-]+)"\} ([\d.e+]+)$/.exec(line) ?? [];
    return bound === undefined ? [] : [[Number(bound), Number(within)] as const];
  });
  return { count: Number(count), buckets: buckets.toSorted(([a], [b]) => a - b) };
}
