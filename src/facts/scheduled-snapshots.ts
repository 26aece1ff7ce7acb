import type { SnapshotSchedule } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { snapshotNames, SNAPSHOT_UNIT, UPLOAD_SAYS } from '../shell/snapshot-unit.js';

/** The last good snapshot of a host, as its stamp says. */
export interface StampedSnapshot {
  /** Its name in the directory of snapshots. */
  readonly file: string;
  /** Seconds since 1970. */
  readonly savedAt: number;
  readonly revision: number;
  readonly keys: number;
  readonly bytes: number;
  /** How many older ones of the same cluster id hold more than twice its keys. */
  readonly larger: number;
  /** How many older ones are of another cluster id. */
  readonly other: number;
  /** `none`: none was asked for. */
  readonly upload: 'none' | 'unfinished' | 'done' | { readonly failedWith: number };
}

/** How far the snapshots on a schedule of a host are. */
export interface ScheduledSnapshots {
  /** The host's clock, seconds since 1970. */
  readonly now: number;
  readonly timer: {
    readonly active: boolean;
    /** When it was started, seconds since 1970. */
    readonly since: number | undefined;
  };
  /** How the last run ended since the host was booted. */
  readonly run: {
    readonly isRunning: boolean;
    /** `success` also where none was made. */
    readonly result: string;
    readonly status: number | undefined;
    /** The last line that it wrote in the journal; empty where there is none. */
    readonly said: string;
  };
  /** Absent: none was saved yet. `unreadable`: the stamp says something else. */
  readonly last: StampedSnapshot | 'unreadable' | undefined;
  /** Size of the file of {@link last}; absent where it is gone. */
  readonly lastBytes: number | undefined;
  /**
   * The first times of the schedule after the last good one, or after the timer's start where there is none; seconds since 1970, in
   * order. Empty where systemd does not say.
   */
  readonly due: readonly number[];
}

/** The key to ask {@link scheduledSnapshots} by. @param host whose snapshots of that directory */
export function scheduledSnapshotsKey(
  host: string,
  { directory, onCalendar }: Pick<SnapshotSchedule, 'directory' | 'onCalendar'>,
): string {
  return JSON.stringify([directory, onCalendar, snapshotNames(host).stamp]);
}

/** Of a stamp and of a line in the journal, the most that is read. */
const MOST_BYTES = 2048;

/** Key: {@link scheduledSnapshotsKey}. The timer, its last run, and the stamp of the last good snapshot. */
export const scheduledSnapshots: Fact<ScheduledSnapshots> = {
  name: 'scheduled-snapshots',
  script: (keys) => keys.map(scriptFor).join('\n'),
  parse(stdout, keys) {
    const blocks = stdout.split(/^K$/m).slice(1);
    return new Map(keys.map((key, index) => [key, parseBlock(blocks[index])]));
  },
};

function scriptFor(key: string): string {
  const [directory = '', schedule = '', name = ''] = JSON.parse(key) as readonly string[];
  const stamp = quote(`${directory}/${name}`);
  const properties = 'ActiveState,ActiveEnterTimestamp,Result,ExecMainStatus';
  return [
    'echo K',
    'echo "N $(date +%s)"',
    `shown=$(systemctl show --timestamp=unix -p ${properties} -- ${SNAPSHOT_UNIT}.timer)`,
    `printf '%s\\n' "$shown" | sed 's/^/T /'`,
    `systemctl show -p ${properties} -- ${SNAPSHOT_UNIT}.service | sed 's/^/R /'`,
    // What systemd itself says of the unit signs otherwise; what an upload prints stays on the host. Anyone may sign like this
    // unit, but the name of the unit is journald's own word (systemd.journal-fields(7), "Trusted Journal Fields").
    `echo "J $(journalctl --no-pager -q -o cat -n 50 -t ${SNAPSHOT_UNIT} _SYSTEMD_UNIT=${SNAPSHOT_UNIT}.service 2>/dev/null | grep -v '^${UPLOAD_SAYS}' | tail -n 1 | head -c ${MOST_BYTES} | base64 -w0)"`,
    `stamp=; [ ! -f ${stamp} ] || stamp=$(head -c ${MOST_BYTES} ${stamp})`,
    `echo "S $(printf %s "$stamp" | base64 -w0)"`,
    `file=$(printf '%s\\n' "$stamp" | sed -n 's/^file=\\(etcd-[A-Za-z0-9_.-]*\\.db\\)$/\\1/p' | head -n 1)`,
    `[ -z "$file" ] || echo "B $(stat -c %s ${quote(directory)}/"$file" 2>/dev/null)"`,
    `base=$(printf '%s\\n' "$stamp" | sed -n 's/^saved=\\([0-9]*\\)$/\\1/p' | head -n 1)`,
    `[ -n "$base" ] || base=$(printf '%s\\n' "$shown" | sed -n 's/^ActiveEnterTimestamp=@\\([0-9]*\\)$/\\1/p')`,
    `[ -z "$base" ] || systemd-analyze calendar --iterations=2 --base-time="@$base" -- ${quote(schedule)} 2>/dev/null | sed 's/^/C /'`,
    ':',
  ].join('\n');
}

function parseBlock(block = ''): ScheduledSnapshots {
  const values = (letter: string): readonly string[] =>
    [...block.matchAll(new RegExp(`^${letter} (.*)$`, 'gm'))].map(([, text = '']) => text);
  const text = (letter: string): string => Buffer.from(values(letter)[0] ?? '', 'base64').toString('utf8');
  const [now] = values('N');
  if (now === undefined || !/^\d+$/.test(now)) throw new Error('the host does not say what time it is');
  const [timer, run] = [propertiesOf(values('T')), propertiesOf(values('R'))];
  const since = /^@(\d+)$/.exec(timer.get('ActiveEnterTimestamp') ?? '')?.[1];
  const stamp = text('S');
  const [bytes = ''] = values('B');
  return {
    now: Number(now),
    timer: { active: timer.get('ActiveState') === 'active', since: since === undefined ? undefined : Number(since) },
    run: {
      isRunning: run.get('ActiveState') === 'activating',
      result: run.get('Result') ?? '',
      status: numberOf(run.get('ExecMainStatus')),
      said: text('J').trim(),
    },
    last: stamp === '' ? undefined : (readStamp(stamp) ?? 'unreadable'),
    lastBytes: numberOf(bytes),
    due: dueOf(values('C')),
  };
}

function propertiesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]));
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function readStamp(text: string): StampedSnapshot | undefined {
  const values = propertiesOf(text.trimEnd().split('\n'));
  const [savedAt, revision, keys, bytes, larger, other] = [
    ...['saved', 'revision', 'keys', 'bytes', 'larger', 'other'].map((name) => numberOf(values.get(name))),
  ];
  const [file, upload] = [values.get('file') ?? '', readUpload(values.get('upload') ?? '')];
  if (savedAt === undefined || revision === undefined || keys === undefined || bytes === undefined) return undefined;
  if (larger === undefined || other === undefined || upload === undefined) return undefined;
  return /^etcd-[\w.-]{1,280}\.db$/.test(file)
    ? { file, savedAt, revision, keys, bytes, larger, other, upload }
    : undefined;
}

function readUpload(text: string): StampedSnapshot['upload'] | undefined {
  if (text === 'none' || text === 'unfinished' || text === 'done') return text;
  const status = numberOf(/^failed (\d{1,3})$/.exec(text)?.[1]);
  return status === undefined ? undefined : { failedWith: status };
}

/**
 * Of `systemd-analyze calendar`: each time in the host's zone, and, where that is another one, in a line of its own in UTC.
 */
function dueOf(lines: readonly string[]): readonly number[] {
  const times = lines.flatMap((line) => {
    const [, title = '', date = '', time = ''] =
      /^ *(Next elapse|Iter\S* #\d+|\(in UTC\)): \S+ (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/.exec(line) ??
      [];
    return title === '' ? [] : [Date.parse(`${date}T${time}Z`) / 1000];
  });
  return times.filter((time) => !Number.isNaN(time));
}
