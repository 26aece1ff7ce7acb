import { Command } from 'commander';
import { addAdoptCommand } from './adopt.js';
import { addApplyCommand } from './apply.js';
import { addDefragCommand } from './defrag.js';
import { addDoctorCommand } from './doctor.js';
import { addDrillCommand } from './drill.js';
import { addBypassCommand } from './bypass.js';
import { addExplainCommand } from './explain.js';
import { wayHere } from './foreign-options.js';
import { addFleetCommand } from './fleet.js';
import { addHistoryCommand } from './history.js';
import { addAlertsCommand } from './alerts.js';
import { addInventoryCommand } from './inventory.js';
import { addCaCommand } from './ca.js';
import { addCertsCommand } from './certs.js';
import { addInitCommand } from './init.js';
import { addLabCommand } from './lab.js';
import { addSchemaCommand } from './schema.js';
import { addShowCommand } from './show.js';
import { addManCommand } from './man.js';
import { addMemberCommand } from './member.js';
import { addRecoverCommand } from './recover.js';
import { addSnapshotCommand } from './snapshot.js';
import { addPlanCommand } from './plan.js';
import { addTerraformCommand } from './terraform.js';
import { addUnlockCommand } from './unlock.js';
import { addVerifyCommand } from './verify.js';
import { addCompletionCommand } from './completion.js';
import type { Context } from './context.js';
import { VERSION } from '../model/version.js';

/** The command line: every verb with its options. Nothing runs before it is parsed. */
export function createProgram(context: Context): Command {
  const program = new Command('provision')
    .description('Highly available etcd for Kubernetes over SSH: an honest plan, a safe apply, no agent on the hosts.')
    .version(VERSION)
    .configureOutput({
      // The error stays last: a screenful of help above or below it would hide it.
      outputError(message, write) {
        const way = wayHere(message) ?? 'see the options: provision VERB --help';
        write(`${message.trimEnd()}\n  → ${way}\n`);
      },
    })
    .showSuggestionAfterError();

  const verbs = [
    addAdoptCommand,
    addPlanCommand,
    addApplyCommand,
    addShowCommand,
    addVerifyCommand,
    addDoctorCommand,
    addBypassCommand,
    addDrillCommand,
    addHistoryCommand,
    addUnlockCommand,
    addInventoryCommand,
    addTerraformCommand,
    addAlertsCommand,
    addCaCommand,
    addCertsCommand,
    addSnapshotCommand,
    addMemberCommand,
    addDefragCommand,
    addFleetCommand,
    addRecoverCommand,
    addLabCommand,
    addExplainCommand,
    addSchemaCommand,
    addCompletionCommand,
    addManCommand,
  ];
  addInitCommand(program, context, {
    runVerb: async (argv, edges) => {
      await createProgram({ ...context, ...edges, argv }).parseAsync(argv, { from: 'user' });
    },
    hostLooks: async () => (await import('./look-at-hosts.js')).hostLooks(context),
  });
  for (const addVerb of verbs) addVerb(program, context);
  return program;
}
