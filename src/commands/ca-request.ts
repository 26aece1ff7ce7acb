import { posix } from 'node:path';
import type { Command } from 'commander';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { PlannedCertificate } from '../pki/authority.js';
import type { KeptRequest } from '../pki/external-ca.js';
import { quote } from '../shell/quote.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { requireUnlocked, whileLocked } from './lock-cluster.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import type { Session } from './session.js';

interface RequestOptions extends ConnectionOptions, InventoryOptions {
  readonly playbook?: string;
  readonly limit?: string;
  readonly yes?: boolean;
}

/** `provision ca request INVENTORY`: lets the hosts make requests for the certificates signed by an external CA. */
export function addCaRequestCommand(ca: Command, context: Context): void {
  const command = ca
    .command('request')
    .description(
      'have the hosts create the certificate requests of a plan for an external CA; nothing that runs is changed',
    )
    .argument('<inventory>', INVENTORY)
    .option('-p, --playbook <name>', 'as for plan')
    .option('-l, --limit <pattern>', 'as for plan')
    .option('-y, --yes', 'do not ask');
  addConnectionOptions(addInventoryOptions(command)).action(async (inventory: string, options: RequestOptions) => {
    await runRequest(inventory, options, context);
  });
}

async function runRequest(inventory: string, options: RequestOptions, context: Context): Promise<void> {
  const { openSession } = await import('./session.js');
  const { writeNotices } = await import('./write-notices.js');
  const { plannedCertificates } = await import('../engine/planned-certificates.js');
  const emit = writeNotices(context.stderr);
  const runOptions = { ...options, format: 'text' } as const;
  const session = await openSession(inventory, runOptions, { context, emit, interrupted: () => false });
  try {
    if (session.pki.authority.isExternal?.() !== true) throw notExternal(session, inventory);
    const { plan, locks } = await session.plan();
    const planned = plannedCertificates(plan);
    if (planned.length === 0) {
      context.stdout.write('The plan wants no certificate signed.\n');
      return;
    }
    const needs = { inventory, session, acted: [...new Set(planned.map(({ host }) => host))], seen: locks };
    await requireUnlocked(needs);
    context.stdout.write(await describeRequests(planned, session));
    if (options.yes !== true && !(await context.ask.confirm('Let the hosts make these requests?')))
      throw new ProvisionError({ code: 'declined', message: 'declined: nothing was made' });
    // Keys are made on the hosts: no other run may be at work there.
    const unsigned = await whileLocked(needs, () => makeRequests(planned, session, context));
    context.stdout.write(await whatNext(unsigned, session, inventory));
  } finally {
    await session.close();
  }
}

async function describeRequests(planned: readonly PlannedCertificate[], { pki }: Session): Promise<string> {
  const { requestedKeyPath } = await import('../shell/request-certificate.js');
  const { describeProfile } = await import('../resources/describe-certificate.js');
  const { printable } = await import('../report/terminal-text.js');
  const lines = await Promise.all(
    planned.map(async (each) => {
      const { certificate, profile } = each.action;
      const key =
        profile.keepPublicKey === null
          ? `for a new ${profile.keyType} key that is made there, ${requestedKeyPath(certificate)}`
          : 'for the key that the host has';
      const says = describeProfile(profile, counted(profile.days, 'day')).map((line) => `    ${printable(line)}\n`);
      return `${each.host}: ${certificate}, ${key}\n${says.join('')}    ${printable((await pki.authority.describeSignature?.(each)) ?? '')}\n`;
    }),
  );
  return `${lines.join('')}\nThe requests are written to ${pki.directory}/requests. Nothing that runs is changed, and no key leaves its host.\n`;
}

/** @returns what has no fitting certificate yet */
async function makeRequests(
  planned: readonly PlannedCertificate[],
  { pki, world }: Session,
  context: Context,
): Promise<readonly PlannedCertificate[]> {
  const { requestCertificates } = await import('../engine/request-certificates.js');
  const kept = new Map<PlannedCertificate, KeptRequest>();
  async function keep(each: PlannedCertificate, pem: string): Promise<void> {
    const request = await pki.keepRequest(each, pem);
    kept.set(each, request);
    context.stdout.write(`${request.isNew ? 'wrote' : 'stays'} ${request.path}\n`);
  }
  await requestCertificates(planned, keep, world);
  return planned.filter((each) => kept.get(each)?.isSigned !== true);
}

async function whatNext(
  unsigned: readonly PlannedCertificate[],
  { pki, cluster }: Session,
  inventory: string,
): Promise<string> {
  const apply = `provision apply ${quote(inventory)}`;
  if (unsigned.length === 0) return `\nAll are signed. Next: ${apply}\n`;
  const { KEY_PLACEHOLDER, signingCommand } = await import('../pki/signing-command.js');
  const names = unsigned.map(({ host, action }) => posix.join(host, action.certificate));
  const command = signingCommand(names, {
    authorityPem: pki.authority.certificate() ?? '',
    days: cluster.certificates.leafDays,
    now: new Date(),
  });
  return [
    `\nHave them signed where the authority's key, ${KEY_PLACEHOLDER}, is, in ${pki.directory} or a copy of it:\n`,
    command,
    `\nand put each certificate beside its request, as .crt. Then: ${apply}\n`,
  ].join('\n');
}

function notExternal({ pki }: Session, inventory: string): ProvisionError {
  const isEmpty = pki.authority.certificate() === undefined;
  return new ProvisionError({
    code: 'no-external-ca',
    message: isEmpty
      ? `there is no certificate authority in ${pki.directory}: there is no external CA to ask`
      : `the key of the authority is in ${pki.directory}: certificates are signed here, while they are installed`,
    hint: isEmpty
      ? `import its certificate: provision ca import ${quote(pki.directory)} --certificate FILE`
      : `provision apply ${quote(inventory)}`,
  });
}
