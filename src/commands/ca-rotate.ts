import type { Command } from 'commander';
import type { RotationDirection, RotationStage } from '../checks/rotation-stage.js';
import { ProvisionError } from '../model/errors.js';
import { quote } from '../shell/quote.js';
import { addActingOptions, runApply, type ApplyOptions } from './apply.js';
import type { Context } from './context.js';
import { addPlanningOptions } from './run-options.js';
import { reportOption } from './report-option.js';
import type { OwnPlays, Session } from './session.js';
import { INVENTORY } from './inventory-options.js';

interface RotateOptions extends Omit<ApplyOptions, 'plan' | 'playbook'> {
  readonly back?: boolean;
}

/** `provision ca rotate INVENTORY`: the next stage of a rotation of the authority, or with `--back` the way back from the last one. */
export function addCaRotateCommand(ca: Command, context: Context): void {
  const rotate = ca
    .command('rotate')
    .description('replace the authority without an outage, one stage a run: bundle, clients, members, drop')
    .argument('<inventory>', INVENTORY)
    .option('--back', 'go back one stage; until the last has begun')
    .option('--dry-run', 'show the stage, and what would be done next; changes nothing');
  addActingOptions(addPlanningOptions(rotate))
    .addOption(reportOption())
    .action(async (inventory: string, options: RotateOptions) => {
      if (options.limit !== undefined)
        throw new ProvisionError({
          code: 'limit-refused',
          message: 'a stage of a rotation is of all hosts, for the next one builds on it: it takes no --limit',
          hint: 'leave --limit out',
        });
      await runApply(inventory, options, context, {
        command: 'ca rotate',
        check: refuseWhatOthersSign,
        playsOf: (session) => playsOfStage(session, inventory, options),
      });
    });
}

/** @throws ProvisionError `rotation-refused` */
function refuseWhatOthersSign({ cluster, pki: { authority, directory } }: Session): void {
  const store = quote(directory);
  if (!cluster.isManaged)
    throw refused(
      'etcd is adopted: its authority, and who trusts it, are kept by whoever set it up',
      'rotate it there, in the order of docs/runbooks/rotate-the-ca.md; then give the store the new one: provision ca import STORE --certificate FILE --key FILE',
    );
  if (authority.certificate() === undefined)
    throw refused(
      `there is no certificate authority in ${directory}: nothing can be rotated`,
      'first: provision apply INVENTORY',
    );
  if (authority.isExternal?.() === true)
    throw refused(
      'the key of the authority is with an external CA, which signs what is asked for',
      `docs/runbooks/rotate-the-ca.md has the order; or import its key: provision ca import ${store} --certificate FILE --key FILE`,
    );
}

function refused(message: string, hint: string): ProvisionError {
  return new ProvisionError({ code: 'rotation-refused', message, hint });
}

async function playsOfStage(session: Session, inventory: string, { back }: RotateOptions): Promise<OwnPlays> {
  const { cluster, world, pki, certificates: rules } = session;
  const { decideRotation, describeRotation, describeStage } = await import('../checks/rotation-stage.js');
  const { lookAtRotation } = await import('../checks/look-at-rotation.js');
  const { rotationPlays } = await import('../day-two/rotation-plays.js');
  const look = world.newLook();
  const { authority } = pki;
  const seen = await lookAtRotation({ cluster, authority, probe: (host) => look.probe(host) });
  const direction = back === true ? 'back' : 'forward';
  const stage = decideRotation(seen, direction);
  for (const message of describeRotation(seen)) world.emit({ type: 'notice', message });
  if (stage === undefined) {
    world.emit({
      type: 'notice',
      message: 'no rotation of the authority is in progress: there is nothing to go back from',
    });
    return { name: 'ca rotate', plays: [] };
  }
  const heading = direction === 'back' ? `back from ${describeStage(stage)}` : describeStage(stage);
  world.emit({ type: 'notice', message: `${heading}\n${whatFollows(stage, direction, inventory)}` });
  const signing = seen.store?.signing ?? 'old';
  return {
    name: `ca rotate: ${stage}${direction === 'back' ? ', back' : ''}`,
    plays: rotationPlays({ cluster, stage, direction, signing, rules, store: pki.directory }),
  };
}

function whatFollows(stage: RotationStage, direction: RotationDirection, inventory: string): string {
  const again = `provision ca rotate ${quote(inventory)}`;
  if (direction === 'back')
    return stage === 'bundle'
      ? `then no rotation is in progress; to begin one: ${again}`
      : `then the cluster works on, for days if need be; forward again: ${again}; further back: ${again} --back`;
  return stage === 'drop'
    ? 'it is the last one, and can not be taken back. Clients that are in no inventory need certificates of the new authority before'
    : `then the cluster works on, for days if need be; the next stage: ${again}; the way back: ${again} --back`;
}
