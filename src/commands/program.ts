import { Command } from 'commander';
import { wayHere } from './foreign-options.js';
import type { Context } from './context.js';
import { VERSION } from '../model/version.js';

type AddVerb = (program: Command, context: Context) => void;

/** Each verb, in the order of the help; its module is loaded when it is needed. */
const VERBS: Readonly<Record<string, () => Promise<AddVerb>>> = {
  init: async () => {
    const { addInitCommand } = await import('./init.js');
    return (program, context) => {
      addInitCommand(program, context, {
        runVerb: async (argv, edges) => runProgram({ ...context, ...edges, argv }),
        hostLooks: async () => (await import('./look-at-hosts.js')).hostLooks(context),
      });
    };
  },
  adopt: async () => (await import('./adopt.js')).addAdoptCommand,
  plan: async () => (await import('./plan.js')).addPlanCommand,
  apply: async () => (await import('./apply.js')).addApplyCommand,
  show: async () => (await import('./show.js')).addShowCommand,
  verify: async () => (await import('./verify.js')).addVerifyCommand,
  doctor: async () => (await import('./doctor.js')).addDoctorCommand,
  bypass: async () => (await import('./bypass.js')).addBypassCommand,
  drill: async () => (await import('./drill.js')).addDrillCommand,
  history: async () => (await import('./history.js')).addHistoryCommand,
  unlock: async () => (await import('./unlock.js')).addUnlockCommand,
  inventory: async () => (await import('./inventory.js')).addInventoryCommand,
  terraform: async () => (await import('./terraform.js')).addTerraformCommand,
  alerts: async () => (await import('./alerts.js')).addAlertsCommand,
  ca: async () => (await import('./ca.js')).addCaCommand,
  certs: async () => (await import('./certs.js')).addCertsCommand,
  snapshot: async () => (await import('./snapshot.js')).addSnapshotCommand,
  member: async () => (await import('./member.js')).addMemberCommand,
  defrag: async () => (await import('./defrag.js')).addDefragCommand,
  fleet: async () => (await import('./fleet.js')).addFleetCommand,
  recover: async () => (await import('./recover.js')).addRecoverCommand,
  lab: async () => (await import('./lab.js')).addLabCommand,
  explain: async () => (await import('./explain.js')).addExplainCommand,
  schema: async () => (await import('./schema.js')).addSchemaCommand,
  completion: async () => (await import('./completion.js')).addCompletionCommand,
  man: async () => (await import('./man.js')).addManCommand,
};

/** Verbs that tell of all others. */
const TELL_OF_ALL: readonly string[] = ['man'];

const ALL_VERBS = 'see the verbs: provision --help';

/** Runs what was typed. */
export async function runProgram(context: Context): Promise<void> {
  const { argv } = context;
  const program = await createProgram(context, argv[0]);
  await program.parseAsync(argv, { from: 'user' });
}

/**
 * The command line: a verb with its options. Nothing runs before it is parsed.
 * @param word what was typed first: where it is a verb, the others are not loaded
 */
export async function createProgram(context: Context, word?: string): Promise<Command> {
  const isAlone = word !== undefined && Object.hasOwn(VERBS, word) && !TELL_OF_ALL.includes(word);
  const program = new Command('provision')
    .description('Highly available etcd for Kubernetes over SSH: an honest plan, a safe apply, no agent on the hosts.')
    .version(VERSION)
    // Long arguments leave little room at 80 columns; what is not wrapped here, a terminal breaks within a word.
    .configureHelp({ minWidthToWrap: 20 })
    .configureOutput({
      // The error stays last: a screenful of help above or below it would hide it.
      outputError(message, write) {
        // Verbs of other tools are those of the program, not of one of its verbs.
        const here = isAlone && message.includes('unknown command') ? undefined : wayHere(message);
        const way = here ?? (isAlone ? `see how to call it: provision ${word} --help` : ALL_VERBS);
        // Where the way is known, a verb that is merely spelt like it would lead astray.
        const shown = here === undefined ? message : message.replace(/\n\(Did you mean [^\n]*/, '');
        write(`${shown.trimEnd()}\n  → ${way}\n`);
      },
    })
    .showSuggestionAfterError();
  for (const [verb, load] of Object.entries(VERBS)) if (!isAlone || verb === word) (await load())(program, context);
  return program;
}
