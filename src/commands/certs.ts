import type { Command } from 'commander';
import { EXIT, ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import type { OwnPlays, Session } from './session.js';

interface ListOptions extends ConnectionOptions, InventoryOptions {
  readonly format: 'auto' | 'text' | 'json';
}

interface RenewOptions extends Omit<ApplyOptions, 'plan' | 'playbook'> {
  readonly all?: boolean;
  readonly newKey?: boolean;
}

/** `provision certs list|renew INVENTORY`: all certificates of the cluster, and their renewal before it is due. */
export function defineCertsCommand(certs: Command, context: Context): void {
  const list = certs
    .command('list')
    .description('list every certificate with its path and expiry, soonest first; changes nothing')
    .argument('<inventory>', INVENTORY)
    .addOption(formatOption('one object'));
  addConnectionOptions(addInventoryOptions(list)).action(async (inventory: string, options: ListOptions) => {
    await runList(inventory, options, context);
  });
  const renew = certs
    .command('renew')
    .description('plan, ask, and renew certificates now: nothing else is changed')
    .argument('<inventory>', INVENTORY)
    .argument(
      '[names...]',
      'which: HOST/NAME as `certs list` has them, a HOST, or a NAME on all hosts; kubeadm, or HOST/kubeadm: what kubeadm made',
    )
    .option('--all', 'all of them, but for those of kubeadm')
    .option('--new-key', 'with new keys; otherwise those that the hosts have. kubeadm makes new keys always')
    .option('--dry-run', 'show what would be done; changes nothing');
  addActingOptions(addPlanningOptions(renew))
    .addOption(reportOption())
    .action(async (inventory: string, names: readonly string[], options: RenewOptions) => {
      await runRenew(inventory, names, { options, context });
    });
}

async function runList(inventory: string, options: ListOptions, context: Context): Promise<void> {
  const { openSession } = await import('./session.js');
  const { writeNotices } = await import('./write-notices.js');
  const { listCertificates } = await import('../day-two/list-certificates.js');
  const emit = writeNotices(context.stderr);
  const edges = { context, emit, interrupted: () => false };
  const session = await openSession(inventory, options, { ...edges, plays: 'own' });
  try {
    const { cluster, certificates, world } = session;
    const [look, again] = [world.newLook(), world.newLook()];
    const looks = { probe: (host: string) => look.probe(host), probeAgain: (host: string) => again.probe(host) };
    const asked = { cluster, certificates, inventory, resources: new Map(), now: () => world.now() };
    const listing = await listCertificates({ ...asked, ...looks });
    if (options.format === 'json')
      context.stdout.write(`${JSON.stringify({ formatVersion: 1, ...listing }, null, 2)}\n`);
    else {
      const { renderCertificates } = await import('../report/certificates-text.js');
      const { wantsColour } = await import('../report/create-reporter.js');
      const colour = wantsColour({ isTTY: context.stdout.isTTY, env: context.env });
      context.stdout.write(renderCertificates(listing, { colour }));
    }
    context.exit(listing.unreachable.length > 0 ? EXIT.failed : EXIT.done);
  } finally {
    await session.close();
  }
}

async function runRenew(
  inventory: string,
  names: readonly string[],
  { options, context }: { readonly options: RenewOptions; readonly context: Context },
): Promise<void> {
  if ((options.all === true) === names.length > 0)
    throw new ProvisionError({
      code: 'nothing-chosen',
      message: 'which certificates? Give their names, or --all, and not both',
      hint: `list them with: provision certs list ${quote(inventory)}`,
    });
  const { renewableCertificates, chooseCertificates, renewalPlays } = await import('../day-two/renew-certificates.js');
  const { kubeadmCertificates, kubeadmPlays } = await import('../day-two/renew-kubeadm.js');
  const begun = new Date();
  function playsOf({ cluster, certificates: rules, pki, world, isWithinLimit }: Session): OwnPlays {
    const ours = renewableCertificates(cluster);
    const named = options.all === true ? ours : chooseCertificates(names, [...ours, ...kubeadmCertificates(cluster)]);
    const isOfKubeadm = ({ group }: (typeof named)[number]): boolean => group !== undefined;
    if (pki.authority.isExternal?.() === true && !named.every(isOfKubeadm)) throw externalCa(inventory);
    const chosen = named.filter(({ host }) => isWithinLimit(host));
    const renewal = { begun, key: options.newKey === true ? 'new' : 'kept' } as const;
    const asked = { due: { kind: 'asked', begun: begun.getTime() }, now: () => world.now() } as const;
    const own = chosen.filter((each) => !isOfKubeadm(each));
    const plays = renewalPlays(cluster, own, { ...rules, renewal });
    return { name: 'certs renew', plays: [...plays, ...kubeadmPlays(cluster, chosen.filter(isOfKubeadm), asked)] };
  }
  await runApply(inventory, options, context, { command: 'certs renew', playsOf });
}

/** A plan cannot tell a certificate that an external CA signed again from the one that the host has. */
function externalCa(inventory: string): ProvisionError {
  return new ProvisionError({
    code: 'external-ca',
    message:
      'the key of the authority is not in the store: certificates are signed by an external CA when a plan needs them',
    hint: `raise etcd_cert_renew_before_days, then: provision ca request ${quote(inventory)}; or import the key: provision ca import STORE --certificate FILE --key FILE`,
  });
}
