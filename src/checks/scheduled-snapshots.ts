import {
  scheduledSnapshots,
  scheduledSnapshotsKey,
  type ScheduledSnapshots,
  type StampedSnapshot,
} from '../facts/scheduled-snapshots.js';
import type { SnapshotSchedule } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { mebibytes } from '../model/mebibytes.js';
import { quote } from '../shell/quote.js';
import { SNAPSHOT_DELAY_S, SNAPSHOT_TIMER, SNAPSHOT_UNIT } from '../shell/snapshot-unit.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** Each host that is to save snapshots of its member does: its timer runs, and its last good one is as old as the schedule makes it. */
export const checkScheduledSnapshots: Check = async ({ cluster, probe, inventory }) => {
  const schedules = new Map(
    cluster.members.flatMap(({ host, snapshots }) => (snapshots === undefined ? [] : [[host, snapshots] as const])),
  );
  return itemsOfHosts([...schedules.keys()], async (host) => {
    const schedule = schedules.get(host);
    if (schedule === undefined) return [];
    const seen = await probe(host).ask(scheduledSnapshots, scheduledSnapshotsKey(host, schedule));
    return [judgeSnapshots({ host, schedule, inventory }, seen)];
  });
};

/** Whose snapshots are judged. */
interface Judged {
  readonly host: string;
  readonly schedule: SnapshotSchedule;
  /** As it was typed. */
  readonly inventory: string;
}

/** How long a run may take before the next one counts as missed, in seconds: what its timer may wait, and an hour. */
const PATIENCE_S = SNAPSHOT_DELAY_S + 3600;

/** The worst of what is seen of a host's snapshots, by that host's own clock. */
export function judgeSnapshots({ host, schedule, inventory }: Judged, seen: ScheduledSnapshots): CheckItem {
  const item = { check: 'snapshots-scheduled', host, subject: schedule.directory };
  const { timer, run, last } = seen;
  const again = `ssh ${host} sudo systemctl start ${SNAPSHOT_UNIT}   saves one now`;
  const log = `ssh ${host} sudo journalctl -u ${SNAPSHOT_UNIT} -n 20`;
  const fail = (evidence: string, next: string): CheckItem => ({ ...item, verdict: 'fail', evidence, next });
  if (!timer.active) return fail(`${SNAPSHOT_TIMER} is not active`, `provision plan ${quote(inventory)}`);
  if (last === 'unreadable') return fail('the stamp of the last good snapshot is damaged', again);
  const kept = last === undefined ? 'none was saved yet' : describeLast(last);
  if (last !== undefined && seen.lastBytes !== last.bytes)
    return fail(
      `${last.file}, the last good one, is ${seen.lastBytes === undefined ? 'gone' : 'of another size now'}`,
      again,
    );
  // Its age would be counted from there, and nothing be missed until then.
  if (last !== undefined && last.savedAt > seen.now + PATIENCE_S)
    return fail(`the host's clock is at ${timeText(seen.now)}, before the last good one: ${kept}`, again);
  const upload = uploadProblem(last, run.isRunning);
  if (upload !== undefined) return fail(`${upload}: ${kept}`, log);
  if (!run.isRunning && run.result !== 'success') return fail(`the last run failed${describeRun(run)}; ${kept}`, log);
  const byAge = judgeAge(seen, kept, again);
  const apart = last === undefined ? undefined : describeApart(last);
  if (byAge.verdict !== 'ok' || apart === undefined) return { ...item, ...byAge };
  const look = `ssh ${host} sudo ls -l ${quote(schedule.directory)}   once that was meant, remove what is of before`;
  return { ...item, verdict: 'warn', evidence: `${byAge.evidence}; ${apart}`, next: look };
}

/** What the last one pushes out by no count, because the cluster was another one then, or held more. */
function describeApart({ larger, other }: StampedSnapshot): string | undefined {
  const parts = [
    ...(other === 0 ? [] : [`${counted(other, 'older one')} of another cluster id`]),
    ...(larger === 0 ? [] : [`${counted(larger, 'older one')} with more than twice its keys`]),
  ];
  return parts.length === 0 ? undefined : `kept apart: ${parts.join(', ')}`;
}

function judgeAge(
  { now, due, run }: ScheduledSnapshots,
  kept: string,
  again: string,
): Pick<CheckItem, 'verdict' | 'evidence' | 'next'> {
  const [first] = due;
  if (first === undefined)
    return { verdict: 'warn', evidence: `systemd does not say when the next one is due; ${kept}`, next: again };
  const missed = due.filter((time) => time + PATIENCE_S < now);
  if (missed.length === 0 || run.isRunning) {
    const next = run.isRunning ? 'one is being saved' : `the next is due at ${timeText(first)}`;
    return { verdict: 'ok', evidence: `${kept}; ${next}` };
  }
  const evidence = `one was due at ${timeText(first)}, and none was saved; ${kept}`;
  return { verdict: missed.length === due.length ? 'fail' : 'warn', evidence, next: again };
}

function uploadProblem(last: StampedSnapshot | undefined, isRunning: boolean): string | undefined {
  if (last === undefined || isRunning) return undefined;
  if (typeof last.upload === 'object')
    return `the upload of the last good one failed with status ${last.upload.failedWith}`;
  return last.upload === 'unfinished' ? 'the upload of the last good one was cut off' : undefined;
}

function describeLast({ savedAt, revision, keys, bytes }: StampedSnapshot): string {
  return `the last good one is of ${timeText(savedAt)}: revision ${revision}, ${counted(keys, 'key')}, ${mebibytes(bytes)}`;
}

function describeRun({ result, status, said }: ScheduledSnapshots['run']): string {
  const how = result === 'exit-code' && status !== undefined ? `status ${status}` : result;
  return said === '' ? ` (${how})` : ` (${how}): ${said.slice(0, 300)}`;
}

function timeText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
