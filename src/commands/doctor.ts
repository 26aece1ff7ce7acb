import type { Command } from 'commander';
import type { Diagnosis } from '../diagnosis/diagnose.js';
import type { DiagnosisJson } from '../diagnosis/diagnosis-schema.js';
import type { SeenLock } from '../engine/left-lock.js';
import { EXIT } from '../model/errors.js';
import { printableJson } from '../report/terminal-text.js';
import { quote } from '../shell/quote.js';
import { addConnectionOptions, type ConnectionOptions } from './connection-options.js';
import type { Context } from './context.js';
import { formatOption } from './format-option.js';
import { addInventoryOptions, INVENTORY, type InventoryOptions } from './inventory-options.js';
import { unlockCommand } from './lock-cluster.js';

interface DoctorOptions extends ConnectionOptions, InventoryOptions {
  readonly format: 'auto' | 'text' | 'json';
}

/**
 * `provision doctor`: what this machine is missing, and for what. `provision doctor etcd INVENTORY`: why etcd does not answer,
 * and what to type next. They change nothing, on no machine.
 */
export function defineDoctorCommand(doctor: Command, context: Context): void {
  doctor.action(async () => {
    await examineThisMachine(context);
  });
  const etcd = doctor
    .command('etcd')
    .description('name the cause why etcd does not answer, with the evidence and the next command; changes nothing')
    .argument('<inventory>', INVENTORY)
    .addOption(formatOption('one object'));
  addConnectionOptions(addInventoryOptions(etcd)).action(async (inventory: string, options: DoctorOptions) => {
    await examine(inventory, options, context);
  });
}

async function examineThisMachine(context: Context): Promise<void> {
  const { checkThisMachine } = await import('../diagnosis/this-machine.js');
  const { lookAtMachine } = await import('./look-at-machine.js');
  const { renderCheckUp } = await import('../report/verify-text.js');
  const { wantsColour } = await import('../report/create-reporter.js');
  const items = checkThisMachine(await lookAtMachine(context));
  const colour = wantsColour({ isTTY: context.stdout.isTTY, env: context.env });
  context.stdout.write(renderCheckUp(items, { colour, title: 'This machine:' }));
  context.exit(items.some(({ verdict }) => verdict === 'fail') ? EXIT.failed : EXIT.done);
}

async function examine(inventory: string, options: DoctorOptions, context: Context): Promise<void> {
  const { openSession } = await import('./session.js');
  const { writeNotices } = await import('./write-notices.js');
  const { describeLocks, locksSeen } = await import('../engine/left-lock.js');
  const { isGoneHolder } = await import('./lock-holder.js');
  const { collectEvidence } = await import('../diagnosis/collect-evidence.js');
  const { diagnose } = await import('../diagnosis/diagnose.js');
  const emit = writeNotices(context.stderr);
  const edges = { context, emit, interrupted: () => false };
  const session = await openSession(inventory, options, { ...edges, plays: 'own' });
  try {
    const { cluster, certificates, world } = session;
    const look = world.newLook();
    const source = { cluster, probe: (host: string) => look.probe(host), now: () => world.now() };
    const hosts = cluster.members.map(({ host }) => host);
    // In the same turn: one exec a host.
    const [members, locks] = await Promise.all([collectEvidence(source), locksSeen(hosts, look)]);
    const isExternalCa = certificates.authority.isExternal?.() === true;
    const diagnosis = diagnose({ cluster, members, inventory: quote(inventory), isExternalCa });
    const runs = describeLocks(locks, { isGone: isGoneHolder, unlockCommand: unlockCommand(inventory) });
    await show(asJson(diagnosis, inventory, runs), options, context);
    context.exit(diagnosis.findings.some(({ verdict }) => verdict === 'fail') ? EXIT.failed : EXIT.done);
  } finally {
    await session.close();
  }
}

function asJson({ findings, ...figures }: Diagnosis, inventory: string, runs: readonly SeenLock[]): DiagnosisJson {
  return {
    ...{ formatVersion: 1, inventory, ...figures },
    causes: findings.map(({ cause, verdict, hosts, summary, evidence, next }) => ({
      ...{ cause, verdict, hosts: [...hosts], summary, next },
      evidence: evidence.map(({ host = null, text }) => ({ host, text })),
    })),
    runs: [...runs],
  };
}

async function show(diagnosis: DiagnosisJson, { format }: DoctorOptions, context: Context): Promise<void> {
  if (format === 'json') {
    context.stdout.write(`${printableJson(diagnosis, 2)}\n`);
    return;
  }
  const { renderDiagnosis } = await import('../report/diagnosis-text.js');
  const { wantsColour } = await import('../report/create-reporter.js');
  const colour = wantsColour({ isTTY: context.stdout.isTTY, env: context.env });
  context.stdout.write(renderDiagnosis(diagnosis, { colour }));
}
