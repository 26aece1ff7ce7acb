import type { CheckItem } from '../checks/check.js';
import type { ClusterResult, FleetVerb } from '../fleet/fleet-schema.js';
import { counted } from '../model/counted.js';
import type { FailureKind } from '../model/error-codes/explanation.js';
import { EXIT } from '../model/errors.js';
import { eventSchema, type EventJson } from './event-schema.js';

/** How the process of one cluster ended. */
export interface ProcessEnd {
  /** Its exit code; null: a signal ended it. */
  readonly code: number | null;
  /** All that it printed as JSON. */
  readonly stdout: string;
  /** The end of what it printed on stderr. */
  readonly stderr: string;
}

type Told = Pick<ClusterResult, 'outcome' | 'changes' | 'summary' | 'hint'>;
type Failed = Pick<Extract<EventJson, { type: 'run-failed' }>, 'message' | 'failures' | 'hint'>;

/** What came of one cluster, from what its process printed and how it ended. */
export function clusterResult(verb: FleetVerb, end: ProcessEnd): Told {
  return verb === 'verify' ? ofCheckUp(end) : ofRun(end);
}

function ofRun(end: ProcessEnd): Told {
  const events = end.stdout.split('\n').flatMap(readEvent);
  const last = events.at(-1);
  const planned = events.find((event) => event.type === 'planned');
  if (last?.type === 'run-failed') return failed(end, last);
  if (last?.type !== 'run-finished') return failed(end, undefined);
  const { changed } = last.result;
  if (changed > 0) return ok(changed, `${counted(changed, 'change')} performed`);
  const { changes = 0, unknown = 0, disruptive = 0, changedHosts = 0 } = planned?.plan.summary ?? {};
  if (changes + unknown === 0) return ok(0, 'no changes');
  const parts = [
    `${counted(changes, 'change')} on ${counted(changedHosts, 'host')}`,
    ...(disruptive > 0 ? [`${disruptive} disruptive`] : []),
    ...(unknown > 0 ? [`${unknown} known after apply`] : []),
  ];
  return ok(changes + unknown, parts.join(', '));
}

function ofCheckUp(end: ProcessEnd): Told {
  const said = readJson(end.stdout) as { failed?: Failed; items?: readonly CheckItem[] } | undefined;
  if (said?.items === undefined) return failed(end, said?.failed);
  const [bad, warned] = (['fail', 'warn'] as const).map((verdict) =>
    said.items?.filter((item) => item.verdict === verdict),
  );
  const first = bad?.[0];
  if (first !== undefined) {
    const more = (bad?.length ?? 0) - 1;
    const text = `${first.check}${first.host === undefined ? '' : ` ${first.host}`}: ${first.evidence}`;
    return {
      outcome: 'failed',
      changes: null,
      summary: more > 0 ? `${text} (and ${more} more)` : text,
      hint: first.next ?? null,
    };
  }
  const warnings = warned?.length ?? 0;
  return ok(null, warnings === 0 ? 'healthy' : `healthy, ${counted(warnings, 'warning')}`);
}

function ok(changes: number | null, summary: string): Told {
  return { outcome: 'ok', changes, summary, hint: null };
}

function failed({ code, stderr }: ProcessEnd, said: Failed | undefined): Told {
  const first = said?.failures[0];
  const line = shortReason(first?.message ?? said?.message ?? '');
  const host =
    first?.host === null || first?.host === undefined || line.startsWith(`${first.host}:`) ? '' : `${first.host}: `;
  const more = (said?.failures.length ?? 0) - 1;
  const ended = code === null ? 'its process was killed' : `its process ended with ${code}`;
  return {
    outcome: kindOf(code),
    changes: null,
    summary:
      line === ''
        ? `${ended}: ${stderr.trim().split('\n').at(-1) ?? ''}`
        : `${host}${line}${more > 0 ? ` (and ${more} more)` : ''}`,
    hint: said?.hint ?? null,
  };
}

/** The first line of a message, with the next one where that is what it announces. */
function shortReason(message: string): string {
  const [line = '', next] = message.split('\n');
  return line.endsWith(':') && next !== undefined ? `${line} ${next.trim()}` : line;
}

const KINDS: readonly FailureKind[] = ['failed', 'locked', 'unreachable', 'stale', 'unsafe', 'stopped'];

function kindOf(code: number | null): FailureKind {
  return KINDS.find((kind) => EXIT[kind] === code) ?? 'failed';
}

function readEvent(line: string): readonly EventJson[] {
  const { data } = eventSchema.safeParse(readJson(line));
  return data === undefined ? [] : [data];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
