import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import type { KeptRun } from '../report/journal.js';
import { printable } from '../report/terminal-text.js';
import { counted } from '../model/counted.js';
import type { Context } from './context.js';
import { reportOption, type ReportOptions } from './report-option.js';
import { INVENTORY } from './inventory-options.js';

/** `provision history INVENTORY [RUN]`: the runs that changed something, or one of them. */
export function addHistoryCommand(program: Command, context: Context): void {
  program
    .command('history')
    .description('show what earlier applies, bypasses and drills did')
    .argument('<inventory>', INVENTORY)
    .argument('[run]', 'a run from the list, or `last`')
    .addOption(reportOption())
    .action(async (inventory: string, name: string | undefined, { report }: ReportOptions) => {
      const { journalDirectory, readJournal } = await import('../report/journal.js');
      const runs = await readJournal(journalDirectory(dirname(resolve(inventory))));
      const lines =
        name === undefined && report === undefined ? runs.map(summarise) : describeRun(runs, name ?? 'last');
      if (report !== undefined) await reportRun(inventory, findRun(runs, name ?? 'last'), report);
      context.stdout.write(lines.length === 0 ? 'no run has been kept\n' : `${lines.join('\n')}\n`);
      context.exit(EXIT.done);
    });
}

/** A run in one line: when, what, how it ended, who ran it with which playbook and limit, and why it ended. */
function summarise({ name, command, end, changed, unreadable, by, playbook, limit, reason }: KeptRun): string {
  const told = [
    ...(by === undefined ? [] : [`by ${by}`]),
    // Of verbs that have no playbook, it is their own name.
    ...(playbook === undefined || playbook === command ? [] : [`playbook ${playbook}`]),
    ...(limit === undefined ? [] : [`limit ${limit}`]),
    ...(unreadable === 0 ? [] : [`${counted(unreadable, 'line')} of it can't be read`]),
  ];
  const line = `${name}  ${command.padEnd(6)}  ${end.padEnd(11)}  ${counted(changed, 'change').padEnd(10)}  ${told.join(', ')}`;
  return printable(`${line}${reason === undefined ? '' : `: ${reason}`}`.trimEnd());
}

/** Writes the reports of a run that was kept; without pictures, which no journal has. */
async function reportRun(inventory: string, run: KeptRun, files: readonly string[]): Promise<void> {
  const { openReportFiles } = await import('./report-files.js');
  const { VERSION } = await import('../model/version.js');
  const { command, by, begun, events } = run;
  const targets = await openReportFiles(files);
  await targets.write({ tool: VERSION, command, inventory, by, begun, ended: events.at(-1)?.time ?? begun, events });
}

function findRun(runs: readonly KeptRun[], name: string): KeptRun {
  const run = name === 'last' ? runs.at(-1) : runs.find((candidate) => candidate.name === name);
  if (run === undefined)
    throw new ProvisionError({
      code: 'unknown-run',
      message: `there is no run ${name}`,
      hint: 'list them with: provision history INVENTORY',
    });
  return run;
}

function describeRun(runs: readonly KeptRun[], name: string): readonly string[] {
  const run = findRun(runs, name);
  // A line break in what a host said must not make lines that pose as ours.
  return [summarise(run), ...run.events.flatMap(describeEvent).map(printable)];
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
