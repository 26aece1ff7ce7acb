import { judgeClock } from '../checks/clock.js';
import { certainSkewMs } from '../facts/clock.js';
import type { DiskCondition, FsyncTimes } from '../facts/etcd-condition.js';
import { startByHand } from '../shell/by-hand.js';
import { quote } from '../shell/quote.js';
import { journalLines, namesOf, processState, verdictFor, type Seen } from './cluster-view.js';
import type { FindCause, Finding } from './finding.js';

/** Clocks that differ so much that certificates and leases mislead. Each host's time is its own word. */
export const findClock: FindCause = ({ seen }) => {
  const wrong = seen.flatMap((each) => {
    const { verdict, evidence } = judgeClock(each.host, each.clock);
    return verdict === 'fail' ? [{ each, evidence }] : [];
  });
  if (wrong.length === 0) return [];
  const hosts = wrong.map(({ each }) => each.host);
  const signs = new Set(wrong.map(({ each }) => Math.sign(certainSkewMs(each.clock))));
  const isOurs = seen.length > 1 && wrong.length === seen.length && signs.size === 1;
  return [
    {
      cause: 'clock',
      verdict: 'fail',
      hosts: isOurs ? [] : hosts,
      summary: isOurs
        ? 'The clock of this machine is probably wrong: all hosts differ from it in the same direction'
        : `The clock of ${namesOf(hosts)} is wrong: certificates and leases end at another time there`,
      evidence: wrong.map(({ each, evidence }) => ({ host: each.host, text: `reports a time ${evidence}` })),
      next: isOurs ? 'timedatectl' : `ssh ${hosts[0] ?? ''} timedatectl`,
    },
  ];
};

/** etcd allocates its next segment of the write-ahead log ahead, in KiB (etcd, wal.go, `SegmentSizeBytes`). */
const NEEDED_KIB = 64 * 1024;

/** An etcd that has ended for want of room has given back what it had allocated: a start needs more than is free then. */
const NEEDED_TO_START_KIB = 4 * NEEDED_KIB;

const DISK_SIGN = /no space left on device|disk quota exceeded/i;

/** A disk without room or inodes, or one that can't be written to. */
export const findDisk: FindCause = (view) => {
  const full = view.seen.flatMap((each) => {
    const then = view.healthy.has(each.host) ? undefined : journalLines(each, DISK_SIGN).at(-1);
    const now = noRoom(each.condition.disk, then === undefined ? NEEDED_KIB : NEEDED_TO_START_KIB);
    return now === undefined && then === undefined ? [] : [{ each, now, then }];
  });
  const readOnly = view.seen.filter(({ condition }) => condition.disk?.isReadOnly === true);
  return [...(full.length === 0 ? [] : [fullDisk(full)]), ...(readOnly.length === 0 ? [] : [readOnlyDisk(readOnly)])];
};

interface FullDisk {
  readonly each: Seen;
  /** What df says now. */
  readonly now: string | undefined;
  /** What etcd said when it met it. */
  readonly then: string | undefined;
}

function noRoom(disk: DiskCondition | undefined, neededKib: number): string | undefined {
  if (disk === undefined || disk.isReadOnly) return undefined;
  if (disk.totalInodes > 0 && disk.freeInodes <= 1) return `has no free inode on ${disk.mount}`;
  if (disk.freeKib >= neededKib) return undefined;
  const mib = (kib: number): string => `${Math.floor(Math.max(0, kib) / 1024)} MiB`;
  return `has ${mib(disk.freeKib)} of ${mib(disk.totalKib)} free on ${disk.mount}; etcd needs ${mib(neededKib)} for its next segments`;
}

function fullDisk(full: readonly FullDisk[]): Finding {
  const hosts = full.map(({ each }) => each.host);
  const still = full.find(({ now }) => now !== undefined)?.each;
  const mount = quote(still?.condition.disk?.mount ?? '/');
  return {
    cause: 'disk-full',
    verdict: 'fail',
    hosts,
    summary:
      still === undefined
        ? `The disk of ${namesOf(hosts)} was full, and has room now: etcd has not been started since`
        : `The disk of ${namesOf(hosts)} is full`,
    evidence: full.flatMap(({ each, now, then }) => [
      ...(now === undefined ? [] : [{ host: each.host, text: now }]),
      ...(then === undefined ? [] : [{ host: each.host, text: `its journal says: ${then}` }]),
    ]),
    next:
      still === undefined
        ? startByHand(full.map(({ each }) => each.member))
        : `ssh ${still.host} ${quote(`sudo du -xh --max-depth=3 ${mount} | sort -h | tail -n 20`)}`,
  };
}

function readOnlyDisk(seen: readonly Seen[]): Finding {
  const hosts = seen.map(({ host }) => host);
  return {
    cause: 'disk-read-only',
    verdict: 'fail',
    hosts,
    summary: `The file system of etcd's data is read-only on ${namesOf(hosts)}, as after an error of its disk`,
    evidence: seen.map(({ host, condition }) => ({
      host,
      text: `can't write to ${condition.disk?.mount ?? 'its data directory'}`,
    })),
    next: `ssh ${hosts[0] ?? ''} sudo dmesg -T --level err,crit,alert,emerg`,
  };
}

/** How many of its waits for the disk say something, and how long one may take: as long as an election waits. */
const ENOUGH_FSYNCS = 100;

/** etcd says so when a sync takes longer than a second (etcd, wal.go, `warnSyncDuration`): once may be chance. */
const SLOW_SIGN = /slow fdatasync|sync duration of/;

const SLOW_LINES = 3;

/** A disk that etcd waits for so long that its leader is taken for dead (etcd docs, "Tuning"). */
export const findSlowDisk: FindCause = (view) => {
  const slow = view.seen.flatMap((each) => {
    const lines = journalLines(each, SLOW_SIGN);
    const limit = each.member.electionTimeoutMs / 2000;
    const reached = slowestPercent(each.condition.fsync);
    const isRunning = processState(each) === 'running';
    if (!isRunning || (lines.length < SLOW_LINES && (reached === undefined || reached <= limit))) return [];
    const texts = [
      ...(reached === undefined || reached <= limit
        ? []
        : [`1 % of its writes wait ${reached} s or longer for the disk, by its metrics since it was started`]),
      ...(lines.length < SLOW_LINES ? [] : [`its journal says: ${lines.at(-1) ?? ''}`]),
    ];
    return [{ host: each.host, texts }];
  });
  if (slow.length === 0) return [];
  const hosts = slow.map(({ host }) => host);
  return [
    {
      cause: 'slow-disk',
      verdict: verdictFor(view, hosts),
      hosts,
      summary: `The disk of ${namesOf(hosts)} is slow: leaders are taken for dead while they wait for it`,
      evidence: slow.flatMap(({ host, texts }) => texts.map((text) => ({ host, text }))),
      next: `ssh ${hosts[0] ?? ''} cat /proc/pressure/io`,
    },
  ];
};

/** The lower bound of the bucket in which the 99th percentile is, in seconds. */
function slowestPercent(fsync: FsyncTimes | undefined): number | undefined {
  if (fsync === undefined || fsync.count < ENOUGH_FSYNCS) return undefined;
  const within = fsync.buckets.filter(([bound, count]) => Number.isFinite(bound) && count < fsync.count * 0.99);
  return within.at(-1)?.[0];
}
