import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { unitName } from '../shell/unit-name.js';

/** One systemd unit on a host. */
export interface UnitState {
  /** `not-found` before its package is installed. */
  readonly load: 'loaded' | 'not-found' | 'masked' | 'other';
  readonly active: boolean;
  /** It is being started, or waits to be started again after a crash: it does not serve, and nothing has stopped it. */
  readonly starting: boolean;
  readonly enabled: boolean;
  /** Masked in /run: a package was being installed when the run was interrupted. */
  readonly maskedAtRuntime: boolean;
  /** Start of the main process, also of one that is not ready yet, or of the timer; seconds since 1970. */
  readonly startedAt: number | undefined;
  /** Start, or last successful reload, seconds since 1970: a reload passes through `reloading`, and back. */
  readonly loadedAt: number | undefined;
  /** The unit file on disk is newer than the one that systemd knows. */
  readonly needsDaemonReload: boolean;
}

/** Whether a unit runs, is tried again and again, or will be at the next boot: who takes its place must stop it. */
export function isInUse({ active, starting, enabled }: Pick<UnitState, 'active' | 'starting' | 'enabled'>): boolean {
  return active || starting || enabled;
}

const PROPERTIES = [
  'Id',
  'Names',
  'LoadState',
  'ActiveState',
  'UnitFileState',
  'ExecMainStartTimestamp',
  'ActiveEnterTimestamp',
  'StateChangeTimestamp',
  'ReloadResult',
  'NeedDaemonReload',
];

/**
 * Key: unit name without `.service`, or that of a socket or a timer. One `systemctl show` for all. Its answers are distinguished by the
 * names in them: one name may be a pattern to systemd, and then stands for several units, or for none.
 */
export const unitState: Fact<UnitState> = {
  name: 'units',
  // --timestamp is in systemd 248 and later (Debian 11 has 247: there the times read as local text, refused below).
  script: (units) =>
    `systemctl show --timestamp=us+utc -p ${PROPERTIES.join(',')} -- ${units.map((unit) => quote(unitName(unit))).join(' ')}`,
  parse(stdout, units) {
    const blocks = stdout.trim().split(/\n\n+/).map(parseProperties);
    return new Map(
      units.map((unit) => [
        unit,
        readUnit(
          unit,
          blocks.find((block) => isAbout(block, unit)),
        ),
      ]),
    );
  },
  evidence: ({ load, active, enabled }) => ({ load, active, enabled }),
};

function parseProperties(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

function isAbout(properties: ReadonlyMap<string, string>, unit: string): boolean {
  const names = [properties.get('Id') ?? '', ...(properties.get('Names') ?? '').split(' ')];
  return names.includes(unitName(unit));
}

function readUnit(unit: string, properties: ReadonlyMap<string, string> | undefined): UnitState {
  if (properties === undefined) throw new Error(`systemctl said nothing about ${unit}`);
  const active = ['active', 'reloading'].includes(properties.get('ActiveState') ?? '');
  const fileState = properties.get('UnitFileState') ?? '';
  const starting = properties.get('ActiveState') === 'activating';
  const changedAt = active ? readTime(properties.get('StateChangeTimestamp')) : undefined;
  // A timer has no process either, and changes its state whenever it goes off.
  const start = properties.get(unit.endsWith('.timer') ? 'ActiveEnterTimestamp' : 'ExecMainStartTimestamp');
  const begun = active || starting ? readTime(start) : undefined;
  // A socket has no process: it listens as its file said when it began to.
  const startedAt = unit.endsWith('.socket') ? changedAt : begun;
  const reloaded = properties.get('ReloadResult') === 'success' && changedAt !== undefined;
  return {
    load: readLoad(properties.get('LoadState')),
    active,
    starting,
    enabled: fileState.startsWith('enabled'),
    maskedAtRuntime: fileState === 'masked-runtime',
    startedAt,
    loadedAt: reloaded ? Math.max(changedAt, startedAt ?? 0) : active ? startedAt : undefined,
    needsDaemonReload: properties.get('NeedDaemonReload') === 'yes',
  };
}

function readLoad(text: string | undefined): UnitState['load'] {
  return text === 'loaded' || text === 'not-found' || text === 'masked' ? text : 'other';
}

/** `Sat 2026-11-21 01:20:30.123456 UTC` in seconds; empty when it never happened. */
function readTime(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === 'n/a') return undefined;
  const [, date, time, micros = '0'] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))? UTC$/.exec(text) ?? [];
  if (date === undefined || time === undefined) throw new Error(`unexpected time ${text}`);
  return Date.parse(`${date}T${time}Z`) / 1000 + Number(`0.${micros}`);
}
