import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { KeptRun } from '../report/journal.js';
import { printable } from '../report/terminal-text.js';
import { counted } from '../model/counted.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';
import { reportOption, type ReportOptions } from './report-option.js';
import { INVENTORY } from './inventory-options.js';

/** `provision history INVENTORY [RUN]`: the runs that changed something, or one of them. */
export function defineHistoryCommand(verb: Command, context: Context): void {
  verb
    .argument('<inventory>', INVENTORY)
    .argument('[run]', 'a run from the list, or `last`')
    .addOption(reportOption())
    .action(async (inventory: string, name: string | undefined, { report }: ReportOptions) => {
      const { directoryOf, journalDirectory, runNames } = await import('../report/journal.js');
      const directory = journalDirectory(directoryOf(inventory));
      const kept: Kept = { inventory, directory, names: await runNames(directory) };
      const isList = name === undefined && report === undefined;
      const lines = isList ? await listOf(kept) : await describeRun(kept, name ?? 'last', report);
      context.stdout.write(`${lines.join('\n')}\n`);
      context.exit(EXIT.done);
    });
}

/** The runs that are kept beside an inventory. */
interface Kept {
  /** As it was typed. */
  readonly inventory: string;
  /** Where the runs are. */
  readonly directory: string;
  /** The oldest first. */
  readonly names: readonly string[];
}

/** A line a run; also one for a run that can't be read. @throws ProvisionError where neither runs nor the inventory are there */
async function listOf(kept: Kept): Promise<readonly string[]> {
  const { directory, names } = kept;
  if (names.length === 0) return refusalOf(kept);
  const { readRun } = await import('../report/journal.js');
  const told: (ToldRun | string)[] = [];
  // One after the other, without its events: all of them may not fit into memory.
  for (const name of names)
    told.push(await readRun(directory, name).then(toldOf, (error: unknown) => unreadable(name, error)));
  const width = Math.max(...told.map((run) => (typeof run === 'string' ? 0 : run.command.length)));
  return told.map((run) => (typeof run === 'string' ? run : summarise(run, { ...kept, width })));
}

/** What a list tells of a run. */
type ToldRun = Omit<KeptRun, 'events'>;

function toldOf({
  name,
  command,
  inventory,
  begun,
  by,
  playbook,
  limit,
  end,
  reason,
  changed,
  unreadable,
}: KeptRun): ToldRun {
  return { name, command, inventory, begun, by, playbook, limit, end, reason, changed, unreadable };
}

function unreadable(name: string, error: unknown): string {
  if (!(error instanceof ProvisionError)) throw error;
  return printable(`${name}  ${error.message}`);
}

function refusalOf(kept: Kept): readonly string[] {
  const { code, message, hint = '' } = noRun(kept);
  if (code === 'unknown-run') return [message, `→ ${hint}`];
  throw noRun(kept);
}

/** Whether a run was of this inventory, wherever it was typed: others may be in the same directory. */
function isOf({ inventory }: Pick<Kept, 'inventory'>, run: ToldRun): boolean {
  const name = basename(run.inventory);
  // Where it was typed in its own directory, that directory's name is not known.
  return ['', '.', '..', basename(resolve(inventory))].includes(name);
}

/** A run in one line: when, what, how it ended, who ran it with which playbook and limit, and why it ended. @param width of the longest verb */
function summarise(run: ToldRun, { inventory, width }: Pick<Kept, 'inventory'> & { readonly width: number }): string {
  const { name, command, end, changed, unreadable, by, playbook, limit, reason } = run;
  const told = [
    ...(isOf({ inventory }, run) ? [] : [`inventory ${basename(run.inventory)}`]),
    ...(by === undefined ? [] : [`by ${by}`]),
    // Of verbs that have no playbook, it is their own name.
    ...(playbook === undefined || playbook === command ? [] : [`playbook ${playbook}`]),
    ...(limit === undefined ? [] : [`limit ${limit}`]),
    ...(unreadable === 0 ? [] : [`${counted(unreadable, 'line')} of it can't be read`]),
  ];
  const line = `${name}  ${command.padEnd(width)}  ${end.padEnd(11)}  ${counted(changed, 'change').padEnd(10)}  ${told.join(', ')}`;
  return printable(`${line}${reason === undefined ? '' : `: ${reason}`}`.trimEnd());
}

/**
 * Writes the reports of a run that was kept; without pictures, which no journal has.
 * @throws ProvisionError `still-running`: what it still does would be called interrupted
 */
async function reportRun(inventory: string, run: KeptRun, files: readonly string[]): Promise<void> {
  if (run.end === 'running')
    throw new ProvisionError({
      code: 'still-running',
      message: `the run ${run.name} still runs: there is no report of it yet`,
      hint: `wait for its end; until then see what it did: provision history ${quote(inventory)} ${run.name}`,
    });
  const { openReportFiles } = await import('./report-files.js');
  const { VERSION } = await import('../model/version.js');
  const { command, by, begun, events } = run;
  const targets = await openReportFiles(files);
  // Of another inventory of the directory it may be.
  const of = run.inventory === '' ? inventory : run.inventory;
  await targets.write({
    tool: VERSION,
    command,
    inventory: of,
    by,
    begun,
    ended: events.at(-1)?.time ?? begun,
    events,
  });
}

/** @param name of a run, or `last`: the last one of this inventory @throws ProvisionError `unknown-run`, `unreadable` */
async function findRun(kept: Kept, name: string): Promise<KeptRun> {
  const { inventory, directory, names } = kept;
  if (names.length === 0) throw noRun(kept);
  if (name === 'last') return lastRun(kept);
  const { readRun } = await import('../report/journal.js');
  if (names.includes(name)) return readRun(directory, name);
  throw new ProvisionError({
    code: 'unknown-run',
    message: `there is no run ${name}, of ${counted(names.length, 'run')} that ${names.length === 1 ? 'is' : 'are'} kept`,
    hint: `list them with: provision history ${quote(inventory)}`,
  });
}

/** Of this inventory; where it has none, as after it got another name, the last one of all. */
async function lastRun(kept: Kept): Promise<KeptRun> {
  const { readRun } = await import('../report/journal.js');
  const newestFirst = kept.names.toReversed();
  for (const name of newestFirst) {
    const run = await readRun(kept.directory, name);
    if (isOf(kept, run)) return run;
  }
  return readRun(kept.directory, newestFirst[0] ?? '');
}

/** None is kept; where the inventory is not there either, its name is what is wrong. */
function noRun({ inventory, directory }: Kept): ProvisionError {
  if (!existsSync(inventory))
    return new ProvisionError({
      code: 'unreadable',
      message: `${inventory}: no such file, and no run is kept beside it`,
      hint: 'name the inventory that was applied: provision history INVENTORY',
    });
  return new ProvisionError({
    code: 'unknown-run',
    message: `there has been no run yet: none is kept in ${directory}`,
    hint: `see what the first one would do: provision plan ${quote(inventory)}`,
  });
}

async function describeRun(
  kept: Kept,
  name: string,
  report: readonly string[] | undefined,
): Promise<readonly string[]> {
  const run = await findRun(kept, name);
  if (report !== undefined) await reportRun(kept.inventory, run, report);
  // A line break in what a host said must not make lines that pose as ours.
  return [summarise(run, { ...kept, width: 0 }), ...run.events.flatMap(describeEvent).map(printable)];
}

type KeptEvent = KeptRun['events'][number];

/** What was done, and what held it up; looking is left out. */
function describeEvent(event: KeptEvent): readonly string[] {
  switch (event.type) {
    case 'change-started':
    case 'change-done':
    case 'rolled-back':
      return [`${event.time}  ${event.host}  ${event.type}  ${event.summary}`];
    case 'change-failed':
      return [`${event.time}  ${event.host}  ${event.type}  ${event.summary}: ${event.message}`];
    case 'gate-waiting':
      return [`${event.time}  ${event.hosts.join(',')}  ${event.type}  ${event.gate}: ${event.reason}`];
    case 'gate-opened':
      return [`${event.time}  ${event.hosts.join(',')}  ${event.type}  ${event.gate}`];
    case 'drill-measured':
      return [
        `${event.time}  ${event.host}  ${event.service} stopped: address gone ${event.address.longestMs} ms, clients interrupted ${event.client.longestMs} ms`,
      ];
    case 'run-failed':
      return [
        `${event.time}  ${event.message}`,
        ...event.failures.map(({ host, message }) => `  ${host ?? ''}  ${message}`),
      ];
    case 'notice':
      return [`${event.time}  ${event.host ?? ''}  ${event.message}`];
    default:
      return [];
  }
}
