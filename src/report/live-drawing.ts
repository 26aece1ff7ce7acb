import type { Event } from '../model/events.js';
import { plannedHosts, type Plan } from '../model/plan.js';
import { createStage, type Stage } from './live-stage.js';
import { renderPlan } from './plan-text.js';
import type { Screen, Terminal } from './screen.js';
import { outputLines, printable } from './terminal-text.js';
import { briefReason, duration, gateOpened, nameHosts } from './wording.js';

type EventOf<T extends Event['type']> = Extract<Event, { type: T }>;

/** What one play does to one host, as far as the plan could know. */
interface Work {
  remaining: number;
  /** The plan could not know all: further changes may be decided during apply. */
  readonly open: boolean;
}

/** One run, as far as it was drawn. */
interface Drawing {
  readonly screen: Screen;
  readonly stage: Stage;
  readonly terminal: Terminal & { readonly colour: boolean };
  allHosts: readonly string[];
  /** The last line on the screen is empty. */
  blank: boolean;
  /** The hosts that are worked on at once now. */
  batchHosts: readonly string[];
  /** By {@link workKey}; none before the plan is there. */
  work: ReadonlyMap<string, Work> | undefined;
}

function workKey(play: string, host: string): string {
  return JSON.stringify([play, host]);
}

function workOf(plan: Plan): ReadonlyMap<string, Work> {
  return new Map(
    plannedHosts(plan).map(({ play, host, steps }) => {
      const remaining = steps.filter(({ outcome }) => outcome.kind === 'change').length;
      return [workKey(play, host), { remaining, open: remaining < steps.length }];
    }),
  );
}

/** A batch is drawn when its first change begins, so that the gates before it have the screen. */
function ensureWorking({ stage, batchHosts }: Drawing, host: string): void {
  if (stage.scene === 'working' && stage.has(host)) return;
  const rows = batchHosts.includes(host) ? batchHosts : [host];
  stage.open('working', nameHosts(rows), rows);
}

/** Only the look that makes the plan is drawn: what a change or a gate looks at is part of that change or gate. */
function look({ stage, allHosts, work }: Drawing, { host }: EventOf<'host-looking'>): void {
  if (!work && stage.scene === undefined) stage.open('looking', 'hosts looked at', allHosts);
  if (stage.scene === 'looking' && stage.has(host)) stage.begin(host, 'looking');
}

function looked({ stage }: Drawing, { host }: EventOf<'host-looked'>): void {
  if (stage.scene !== 'looking' || !stage.has(host)) return;
  stage.end(host);
  stage.finish(host);
}

/** A row that ends with why it failed, and not as interrupted. */
function failRow({ stage }: Drawing, host: string, why: string): void {
  stage.keep(host, `✖ ${printable(why)}`);
  stage.fail(host);
}

function showPlan(drawing: Drawing, { plan }: EventOf<'planned'>): void {
  drawing.work = workOf(plan);
  const looking = new Set(drawing.stage.busy());
  for (const { host, because } of plan.away) if (looking.has(host)) failRow(drawing, host, briefReason(because, host));
  drawing.stage.shut();
  drawing.screen.print(`\n${renderPlan(plan, { colour: drawing.terminal.colour })}`);
  drawing.blank = true;
}

function startPlay(drawing: Drawing, { play, hosts }: EventOf<'play-started'>): void {
  drawing.batchHosts = hosts;
  drawing.stage.shut();
  drawing.screen.print(`${drawing.blank ? '' : '\n'}${drawing.terminal.style.bold(printable(`Play ${play}`))}`);
  drawing.blank = false;
}

function startBatch(drawing: Drawing, { hosts }: EventOf<'batch-started'>): void {
  drawing.stage.shut();
  drawing.batchHosts = hosts;
}

function startChange(drawing: Drawing, { host, summary }: EventOf<'change-started'>): void {
  ensureWorking(drawing, host);
  drawing.stage.begin(host, printable(summary));
}

function endChange(drawing: Drawing, { play, host, summary, elapsedMs }: EventOf<'change-done'>): void {
  const { stage, work } = drawing;
  ensureWorking(drawing, host);
  stage.keep(host, `✔ ${printable(summary)} (${duration(elapsedMs)})`);
  stage.end(host);
  const known = work?.get(workKey(play, host));
  if (!known) return;
  known.remaining -= 1;
  if (known.remaining === 0 && !known.open) stage.finish(host);
}

function showNotice(drawing: Drawing, { host, message }: EventOf<'notice'>): void {
  const { stage, screen } = drawing;
  const [first = '', ...more] = outputLines(message);
  if (host !== undefined && more.length === 0 && stage.has(host)) {
    stage.keep(host, `· ${first}`);
    return;
  }
  drawing.blank = false;
  const subject = host === undefined ? '' : `${host}  `;
  screen.print([`· ${subject}${first}`, ...more.map((line) => `  ${line}`)].join('\n'));
}

/** The hosts whose change waits for this gate; none when it stands between two batches. */
function waitingHosts({ stage }: Drawing, hosts: readonly string[]): readonly string[] {
  return stage.scene === 'working' ? stage.busy().filter((host) => hosts.includes(host)) : [];
}

function showGateWaiting(drawing: Drawing, event: EventOf<'gate-waiting'>): void {
  const { stage } = drawing;
  const reason = printable(event.reason);
  const hosts = waitingHosts(drawing, event.hosts);
  for (const host of hosts) stage.interject(host, `gate ${event.gate}: ${briefReason(reason, host)}`);
  if (hosts.length > 0) return;
  const row = `gate ${event.gate}`;
  if (stage.scene !== 'gate' || !stage.has(row)) stage.open('gate', '', [row]);
  stage.begin(row, `waiting: ${reason}`);
}

function endGate(drawing: Drawing, event: EventOf<'gate-opened'>): void {
  const { stage } = drawing;
  const hosts = waitingHosts(drawing, event.hosts);
  for (const host of hosts) stage.interject(host, '');
  if (hosts.length > 0) return;
  const row = `gate ${event.gate}`;
  if (stage.scene !== 'gate' || !stage.has(row)) stage.open('gate', '', [row]);
  stage.end(row);
  stage.finish(row, printable(gateOpened(event.waitedMs, event.note)));
  stage.shut();
}

function failChange(drawing: Drawing, { host, summary, message }: EventOf<'change-failed'>): void {
  ensureWorking(drawing, host);
  drawing.stage.keep(host, `✖ ${printable(`${summary}: ${briefReason(message, host, summary)}`)}`);
  drawing.stage.fail(host);
}

function showRollback(drawing: Drawing, { host, summary }: EventOf<'rolled-back'>): void {
  ensureWorking(drawing, host);
  drawing.stage.keep(host, `↩ ${printable(summary)}`);
}

function endFailed(drawing: Drawing, { failures }: EventOf<'run-failed'>): void {
  const { stage } = drawing;
  const busy = new Set(stage.busy());
  for (const { host, message } of failures) {
    if (host === undefined || !busy.has(host)) continue;
    failRow(drawing, host, briefReason(message, host));
  }
  stage.shut();
}

const HANDLERS: { readonly [T in Event['type']]: (drawing: Drawing, event: EventOf<T>) => void } = {
  'run-started': (drawing, { hosts }) => {
    drawing.allHosts = hosts;
  },
  'host-looking': look,
  'host-looked': looked,
  planned: showPlan,
  'play-started': startPlay,
  'batch-started': startBatch,
  'gate-waiting': showGateWaiting,
  'gate-opened': endGate,
  'change-started': startChange,
  'change-done': endChange,
  'change-failed': failChange,
  'rolled-back': showRollback,
  // The table at the end shows it.
  'drill-measured': () => undefined,
  notice: showNotice,
  'run-finished': ({ stage }) => {
    stage.shut();
  },
  'run-failed': endFailed,
};

/** Draws the events of a run on a screen. */
export interface LiveDrawing {
  draw(event: Event): void;
  /** Ends what is on the screen. */
  shut(): void;
}

/** @param terminal what the screen draws on; `colour`: whether the plan is coloured */
export function createLiveDrawing(screen: Screen, terminal: Terminal & { readonly colour: boolean }): LiveDrawing {
  const stage = createStage(screen);
  const drawing: Drawing = { screen, stage, terminal, allHosts: [], blank: false, batchHosts: [], work: undefined };
  return {
    draw: (event) => {
      // The table pairs each type with its handler; the compiler can't see that the event picks its own.
      const handler = HANDLERS[event.type] as (drawing: Drawing, event: Event) => void;
      handler(drawing, event);
    },
    shut: () => {
      stage.shut();
    },
  };
}
