import type { Command } from 'commander';
import { EXIT, formatProblem, ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import type { Context } from './context.js';
import { addInventoryOptions, INVENTORY, openInventory, type InventoryOptions } from './inventory-options.js';

interface AlertsOptions extends InventoryOptions {
  readonly output: string;
  readonly targets?: string;
}

/** What this verb needs of the process. */
type Output = Pick<Context, 'env' | 'exit' | 'stdout' | 'stderr'>;

/** `provision alerts INVENTORY`: writes rules for Prometheus, and where it is to ask. It asks no host. */
export function defineAlertsCommand(verb: Command, context: Output): void {
  const command = verb
    .argument('<inventory>', INVENTORY)
    .requiredOption('-o, --output <file>', 'where to write the rules (rule_files of prometheus.yml)')
    .option('--targets <file>', 'where to write what to scrape (file_sd_configs of prometheus.yml)');
  addInventoryOptions(command).action(async (inventory: string, options: AlertsOptions) => {
    await writeAlerts(inventory, options, context);
  });
}

async function writeAlerts(file: string, options: AlertsOptions, context: Output): Promise<void> {
  const { clusterWarnings, describeCluster } = await import('../cluster/describe-cluster.js');
  const { alertRules } = await import('../alerts/alert-rules.js');
  const { rulesFile, targetGroups, targetsFile, unscraped } = await import('../alerts/alert-files.js');
  const inventory = await openInventory(file, options, context);
  const cluster = describeCluster(inventory);
  const targets = targetGroups(cluster);
  for (const message of [...clusterWarnings(inventory).map(formatProblem), ...unscraped(cluster)])
    context.stderr.write(`${message}\n`);
  const files = [
    { path: options.output, text: rulesFile(alertRules(cluster, quote(file))) },
    ...(options.targets === undefined ? [] : [{ path: options.targets, text: targetsFile(targets) }]),
  ];
  for (const { path } of files) await refuseForeign(path);
  const { writePrivately } = await import('../pki/store-files.js');
  for (const { path, text } of files) {
    await writePrivately(path, text, 'a file for Prometheus');
    context.stdout.write(`${path}\n`);
  }
  const words = files.map(({ path }) => quote(path)).join(' ');
  context.stdout.write(`Only the owner can read what was written; to let Prometheus read it: chmod a+r ${words}\n`);
  context.exit(EXIT.done);
}

async function refuseForeign(path: string): Promise<void> {
  const { readIfThere } = await import('../pki/store-files.js');
  const { isAlertFile } = await import('../alerts/alert-files.js');
  // What can't be read is not ours.
  const found = await readIfThere(path).catch(() => '');
  if (found === undefined || isAlertFile(found)) return;
  throw new ProvisionError({
    code: 'alerts-in-the-way',
    message: `${path}: not written by this program, and left as it is; nothing was written`,
    hint: 'choose another file, or move it away',
  });
}
