import { randomBytes } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import { SERVICE_NAMES, type ServiceName } from '../model/virtual-service.js';
import { quote } from '../shell/quote.js';
import { formatOption } from './format-option.js';
import { whileLocked } from './lock-cluster.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import { reportOption, type ReportOptions } from './report-option.js';

/** The options of `drill`, besides the inventory. */
interface DrillOptions extends ConnectionOptions, InventoryOptions, ReportOptions {
  readonly format: 'auto' | 'text' | 'json';
  readonly yes?: boolean;
  readonly service: ServiceName;
  /** Seconds. */
  readonly restoreAfter: number;
}

/** Less leaves no time for a fail-over before the host starts the service by itself. */
const LEAST_RESTORE_S = 20;

/** Service → the playbook of its balancers. */
const PLAYBOOKS: Readonly<Record<ServiceName, string>> = { etcd: 'etcd-lb', 'kube-apiserver': 'apiserver-lb' };

/** `provision drill INVENTORY`: stops a balancer's services on purpose, measures, and restores everything. */
export function defineDrillCommand(verb: Command, context: Context): void {
  const command = verb
    .argument('<inventory>', INVENTORY)
    .option('-y, --yes', 'do not ask')
    .addOption(
      new Option('--service <name>', 'whose virtual IP fails over').choices(SERVICE_NAMES).default(SERVICE_NAMES[0]),
    )
    .option(
      '--restore-after <seconds>',
      'after how long a host restarts its service by itself if this program is lost',
      parseRestoreAfter,
      60,
    )
    .addOption(formatOption('one event a line'))
    .addOption(reportOption());
  addConnectionOptions(addInventoryOptions(command)).action(async (inventory: string, options: DrillOptions) => {
    await drill(inventory, options, context);
  });
}

function parseRestoreAfter(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < LEAST_RESTORE_S || seconds > 3600)
    throw new InvalidArgumentError(`expected a whole number of seconds, from ${LEAST_RESTORE_S} to 3600`);
  return seconds;
}

async function drill(inventory: string, options: DrillOptions, context: Context): Promise<void> {
  const { withRun } = await import('./run.js');
  const { lookBefore } = await import('../drill/look-before.js');
  const { announceDrill, runDrill } = await import('../drill/run-drill.js');
  const { restoreAfter: restoreAfterS } = options;
  const checkUp = `provision verify ${quote(inventory)}`;
  const left = `a service that is stopped there is started by a timer of its host within ${restoreAfterS} s; then: ${checkUp}`;
  // The play of the balancers needs what a drill needs: the cluster, and root on its hosts.
  const playbook = PLAYBOOKS[options.service];
  const run = { command: 'drill', inventory, options: { ...options, playbook }, left } as const;
  await withRun(run, context, async ({ session, emit, settled, begun, startActing }) => {
    const { cluster, world } = session;
    const subject = { cluster, service: options.service, checkUp };
    const position = await lookBefore(subject, world);
    for (const message of announceDrill(position, restoreAfterS)) emit({ type: 'notice', message });
    await settled();
    if (
      options.yes !== true &&
      !(await context.ask.confirm(`Interrupt clients of ${position.service.endpoint.ip} now?`))
    )
      throw new ProvisionError({ code: 'declined', message: 'declined: nothing was stopped' });
    startActing();
    const token = (): string => randomBytes(8).toString('hex');
    const needs = { inventory, session, acted: [position.holder, ...position.others], seen: [] };
    const changed = await whileLocked(needs, () => runDrill({ ...subject, restoreAfterS, token }, world));
    emit({ type: 'run-finished', result: { changed, unchanged: 0, failed: 0, elapsedMs: Date.now() - begun } });
    return EXIT.done;
  });
}
