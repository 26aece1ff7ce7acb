import type { Command } from 'commander';
import type { Context } from './context.js';

/** Gives a verb its arguments, options and work, or the verbs below it. */
type DefineVerb = (verb: Command, context: Context) => void;

/** What the help of all verbs says of one, and where it is defined. */
export interface Verb {
  /** Its options and arguments in a few words, as help has them: `[options] <inventory>`; empty without any. */
  readonly synopsis: string;
  readonly summary: string;
  /** It tells of all other verbs, or completes them: they are loaded with it. */
  readonly tellsOfAll?: true;
  /** Scripts call it: no help shows it. */
  readonly hidden?: true;
  /** @param run runs another command line in this process */
  readonly load: (run: (context: Context) => Promise<void>) => Promise<DefineVerb>;
}

/** Each verb by its name, in the order of the help. Help of all verbs loads none of them. */
export const VERBS: Readonly<Record<string, Verb>> = {
  init: {
    synopsis: '[options] [file]',
    summary: 'ask for hosts and addresses, and write an inventory',
    load: async (run) => {
      const { defineInitCommand } = await import('./init.js');
      return (verb, context) => {
        defineInitCommand(verb, context, {
          runVerb: async (argv, edges) => run({ ...context, ...edges, argv }),
          hostLooks: async () => (await import('./look-at-hosts.js')).hostLooks(context),
        });
      };
    },
  },
  adopt: {
    synopsis: '[options] <inventory>',
    summary: 'describe an existing etcd cluster in variables beside the inventory; changes nothing on the hosts',
    load: async () => (await import('./adopt.js')).defineAdoptCommand,
  },
  plan: {
    synopsis: '[options] <inventory>',
    summary: 'show what apply would do; changes nothing',
    load: async () => (await import('./plan.js')).definePlanCommand,
  },
  apply: {
    synopsis: '[options] <inventory>',
    summary: 'plan, ask for confirmation, and perform exactly that plan',
    load: async () => (await import('./apply.js')).defineApplyCommand,
  },
  show: {
    synopsis: '[options] <file>',
    summary: 'show a saved plan, as `plan` has shown it; connects to nothing',
    load: async () => (await import('./show.js')).defineShowCommand,
  },
  verify: {
    synopsis: '[options] <inventory>',
    summary: 'check the health of a running cluster; changes nothing, but for the pods of --smoke-test',
    load: async () => (await import('./verify.js')).defineVerifyCommand,
  },
  doctor: {
    synopsis: '',
    summary: 'list what this machine is missing, and for what; `doctor etcd`: why etcd does not answer',
    load: async () => (await import('./doctor.js')).defineDoctorCommand,
  },
  bypass: {
    synopsis: '[options] <inventory> <way>',
    summary: 'in an emergency, point the API servers directly at the etcd members, and back',
    load: async () => (await import('./bypass.js')).defineBypassCommand,
  },
  drill: {
    synopsis: '[options] <inventory>',
    summary: 'stop the proxy, then keepalived, where the virtual IP is; measure, and restore everything',
    load: async () => (await import('./drill.js')).defineDrillCommand,
  },
  history: {
    synopsis: '[options] <inventory> [run]',
    summary: 'show what earlier applies, bypasses and drills did',
    load: async () => (await import('./history.js')).defineHistoryCommand,
  },
  unlock: {
    synopsis: '[options] <inventory>',
    summary: 'remove the lock that an abandoned run left behind',
    load: async () => (await import('./unlock.js')).defineUnlockCommand,
  },
  inventory: {
    synopsis: '[options] <file>',
    summary: 'print groups and merged variables of an inventory, as `ansible-inventory --list` does',
    load: async () => (await import('./inventory.js')).defineInventoryCommand,
  },
  terraform: {
    synopsis: '[options] <inventory>',
    summary: 'write a Terraform module for a load balancer of a cloud in front of etcd; connects to no host',
    load: async () => (await import('./terraform.js')).defineTerraformCommand,
  },
  alerts: {
    synopsis: '[options] <inventory>',
    summary: "write Prometheus' rules for etcd, its load balancer and its certificates; connects to no host",
    load: async () => (await import('./alerts.js')).defineAlertsCommand,
  },
  ca: {
    synopsis: '',
    summary: 'the certificate authority on this machine',
    load: async () => (await import('./ca.js')).defineCaCommand,
  },
  certs: {
    synopsis: '',
    summary: 'list all certificates of the cluster, and renew them',
    load: async () => (await import('./certs.js')).defineCertsCommand,
  },
  snapshot: {
    synopsis: '',
    summary: "save the cluster's data, list, verify and restore it",
    load: async () => (await import('./snapshot.js')).defineSnapshotCommand,
  },
  member: {
    synopsis: '',
    summary: 'replace a member of etcd whose host is gone for good',
    load: async () => (await import('./member.js')).defineMemberCommand,
  },
  defrag: {
    synopsis: '[options] <inventory>',
    summary: 'defragment etcd, one member after the other; where it is out of space: compact, and disarm the alarm',
    load: async () => (await import('./defrag.js')).defineDefragCommand,
  },
  fleet: {
    synopsis: '',
    summary: 'list, plan, apply and verify many clusters, each on its own',
    load: async () => (await import('./fleet.js')).defineFleetCommand,
  },
  recover: {
    synopsis: '[options] <inventory>',
    summary: 'recover an etcd that has lost its quorum for good, from the data of its most advanced member',
    load: async () => (await import('./recover.js')).defineRecoverCommand,
  },
  lab: {
    synopsis: '',
    summary: 'real hosts on this machine, for trying things out',
    load: async () => (await import('./lab.js')).defineLabCommand,
  },
  explain: {
    synopsis: '[codes...]',
    summary: 'why an error occurs, and what to do next; without a code, lists all codes',
    load: async () => (await import('./explain.js')).defineExplainCommand,
  },
  schema: {
    synopsis: '<schema>',
    summary:
      'print the JSON Schema of an inventory, a playbook, a plan, a diagnosis, a fleet, the events or answers of init, for editors and checkers',
    load: async () => (await import('./schema.js')).defineSchemaCommand,
  },
  completion: {
    synopsis: '<shell>',
    summary: 'print a script that completes verbs, options, hosts and groups: source <(provision completion bash)',
    load: async () => (await import('./completion.js')).defineCompletionCommand,
  },
  // The name that the script of `completion` has for what it asks.
  'completion-server': {
    synopsis: '[words...]',
    summary: '',
    tellsOfAll: true,
    hidden: true,
    load: async () => (await import('./completion.js')).defineCompletionServer,
  },
  man: {
    synopsis: '',
    summary: 'print the manual page in man(7), which `man -l -` shows',
    tellsOfAll: true,
    load: async () => (await import('./man.js')).defineManCommand,
  },
};
