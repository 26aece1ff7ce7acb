import { randomBytes } from 'node:crypto';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import type { FoundCluster } from '../adopt/adopt-cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { WritableStore } from '../pki/store.js';
import { quote } from '../shell/quote.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { addInventoryOptions, openInventory, type InventoryOptions } from './inventory-options.js';
import { withHosts } from './with-hosts.js';

interface AdoptOptions extends ConnectionOptions, InventoryOptions {
  readonly yes?: boolean;
}

/** `provision adopt INVENTORY`: writes the variables that describe an existing etcd cluster. */
export function defineAdoptCommand(verb: Command, context: Context): void {
  const adopt = verb
    .argument(
      '<inventory>',
      'its group etcd names the hosts of all members; of a stacked etcd that is to move, etcd_former does',
    )
    .option('-y, --yes', 'do not ask before files are written beside the inventory');
  addConnectionOptions(addInventoryOptions(adopt)).action(async (inventory: string, options: AdoptOptions) => {
    await runAdopt(inventory, options, context);
  });
}

async function runAdopt(file: string, options: AdoptOptions, context: Context): Promise<void> {
  const { storeDirectory } = await import('../adopt/adopt-cluster.js');
  const inventory = await openInventory(file, options, context);
  const store = await openStore(storeDirectory(inventory), context);
  const found = await look(inventory, store, options, context);
  const { decideVariables } = await import('../adopt/decide-variables.js');
  const { editVariableFiles, writeVariableFiles } = await import('../adopt/variable-files.js');
  const edits = await editVariableFiles(inventory.directory, decideVariables(inventory, found.variables), found.group);
  const authorityPem = store.authority.certificate() === undefined ? found.authorityPem : undefined;
  if (edits.length === 0 && authorityPem === undefined) {
    context.stdout.write(`Nothing to write: the inventory says what runs.\n${nextSteps(inventory, store, found)}`);
    return;
  }
  if (edits.length > 0) {
    const { refuseSharedVariables } = await import('./refuse-shared-store.js');
    await refuseSharedVariables(file, inventory, options, context);
  }
  const { renderNewVariables } = await import('../report/adopt-text.js');
  const authorityFile = authorityPem === undefined ? undefined : shown(join(store.directory, 'ca.crt'));
  context.stdout.write(`\n${renderNewVariables(edits, authorityFile, { colour: await wantsColour(context) })}`);
  if (options.yes !== true) await confirm(context);
  if (authorityPem !== undefined) await store.importCertificate(authorityPem);
  await writeVariableFiles(edits);
  const files = [...edits.map((edit) => edit.shown), ...(authorityFile === undefined ? [] : [authorityFile])];
  context.stdout.write(`Wrote ${files.join(', ')}.\n${nextSteps(inventory, store, found)}`);
}

/** Looks, and shows what was found. @throws ProvisionError when that cannot be adopted */
async function look(
  inventory: Inventory,
  store: WritableStore,
  options: AdoptOptions,
  context: Context,
): Promise<FoundCluster> {
  const { lookAtCluster } = await import('../adopt/adopt-cluster.js');
  const { lookThrough } = await import('./look-through.js');
  const { renderCheckUp } = await import('../report/verify-text.js');
  return withHosts(inventory, { options, context }, async (connector) => {
    const hosts = lookThrough(connector, () => undefined);
    const { authority } = store;
    const found = await lookAtCluster({ inventory, probe: (host) => hosts.probe(host), authority, now: new Date() });
    context.stdout.write(renderCheckUp(found.items, { title: 'Found:', colour: await wantsColour(context) }));
    if (found.items.some(({ verdict }) => verdict === 'fail'))
      throw new ProvisionError({
        code: 'not-adoptable',
        message: 'this etcd cannot be adopted as it is; nothing was written',
        hint: 'see what failed above, and what to do about it; then run it again',
      });
    return found;
  });
}

async function openStore(directory: string, context: Context): Promise<WritableStore> {
  const store = await import('../pki/store.js');
  const { passphraseSource } = await import('../pki/passphrase.js');
  return store.openStore({
    directory,
    passphrase: passphraseSource({ file: undefined, env: context.env, ask: context.ask.passphrase }),
    now: () => new Date(),
    random: (count) => randomBytes(count),
  });
}

async function wantsColour({ stdout, env }: Context): Promise<boolean> {
  const reporter = await import('../report/create-reporter.js');
  return reporter.wantsColour({ isTTY: stdout.isTTY, env });
}

async function confirm({ ask }: Context): Promise<void> {
  const isAgreed = await ask.confirm('Write this beside the inventory?').catch((cause: unknown) => {
    if (!(cause instanceof ProvisionError) || cause.code !== 'no-terminal') throw cause;
    const message = 'nothing was written: there is no terminal to ask on';
    throw new ProvisionError({ code: cause.code, message, hint: 'give --yes to write it', cause });
  });
  if (isAgreed) return;
  throw new ProvisionError({ code: 'declined', message: 'declined: nothing was written' });
}

/** A path as short as it can be typed here. */
function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function nextSteps(
  inventory: Inventory,
  { authority, directory }: WritableStore,
  { stackedKey, group }: FoundCluster,
): string {
  const store = quote(shown(directory));
  const hasAddress = [...inventory.hosts.values()].some(({ variables }) => variables.at('etcd_lb_ip') !== undefined);
  const steps = [
    ...(hasAddress ? [] : ["set etcd_lb_ip: a free address of the nodes' network, the virtual IP"]),
    ...(authority.isExternal?.() === true
      ? [
          stackedKey === undefined
            ? `provision ca import ${store} --certificate ${store}/ca.crt --key FILE   (or use an external CA: provision ca request INVENTORY)`
            : `provision ca import ${store} --certificate ${store}/ca.crt --key <(ssh ${quote(firstOf(inventory, group))} sudo cat ${quote(stackedKey)})`,
        ]
      : []),
    `provision plan ${quote(inventory.file)}${stackedKey === undefined ? '' : ' --playbook unstack'}`,
  ];
  return `Next:\n${steps.map((step) => `  ${step}\n`).join('')}`;
}

function firstOf({ groups }: Inventory, group: string): string {
  return groups.get(group)?.[0] ?? 'HOST';
}
