import type { Command } from 'commander';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import { reportOption, type ReportOptions } from './report-option.js';

/** The options of `plan` and `apply`, besides the inventory. */
export interface RunOptions extends ConnectionOptions, InventoryOptions, ReportOptions {
  /** A shipped playbook's name, or a path; absent: what fits the cluster. */
  readonly playbook?: string;
  readonly limit?: string;
  readonly format: 'auto' | 'text' | 'json';
  readonly detailedExitcode?: boolean;
  readonly passphraseFile?: string;
  /** Seconds; only apply waits at gates. */
  readonly gateTimeout?: number;
}

/** The shipped playbooks that a person names; others belong to a verb. */
export const PLAYBOOKS = [
  'site',
  'etcd',
  'former-members',
  'etcd-lb',
  'repoint',
  'migrate',
  'apiserver-lb',
  'apiserver-names',
  'apiserver-clients',
  'firewall',
  'node-prepare',
  'containerd',
  'kubernetes',
  'former-nodes',
  'package-lists',
  'upgrade-nodes',
  'unstack',
] as const;

/** Adds the options of {@link RunOptions} to a verb. */
export function addRunOptions(command: Command): Command {
  command
    .argument('<inventory>', INVENTORY)
    .option(
      '-p, --playbook <name>',
      `${PLAYBOOKS.join(', ')}, or the path of your own (default: site; migrate for an adopted etcd)`,
    )
    .addOption(reportOption());
  return addPlanningOptions(command);
}

/** The same for a verb that has its own playbook, without the argument. */
export function addPlanningOptions(command: Command): Command {
  command
    .option('-l, --limit <pattern>', 'only hosts that match: `etcd:!etcd-2`, `etcd-*`, `etcd:&rack1`')
    .addOption(formatOption('one event a line'))
    .option('--detailed-exitcode', 'end with 2 when there are changes')
    .option('--passphrase-file <file>', "the passphrase of the CA's key (or set PROVISION_CA_PASSPHRASE)");
  return addConnectionOptions(addInventoryOptions(command));
}
