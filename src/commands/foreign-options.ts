/** Options of `ansible-playbook` and OpenTofu that people type by habit, and what does the same here. */
const WAYS: readonly (readonly [options: readonly string[], way: string])[] = [
  [['-i', '--inventory', '--inventory-file'], 'the inventory is an argument: provision plan inventory.yaml'],
  [['--check', '-C'], '`--check` is a verb here: provision plan INVENTORY'],
  [['--diff', '-D'], 'a plan always shows its differences: provision plan INVENTORY'],
  [
    ['-v', '-vv', '-vvv', '-vvvv', '--verbose'],
    'an error always shows its command and output; every event: --format json',
  ],
  [['-e', '--extra-vars', '-var', '--var'], 'variables are set in the inventory, in group_vars/ or in host_vars/'],
  [
    ['-t', '--tags', '--skip-tags'],
    'there are no tags: choose a part with --playbook (etcd, etcd-lb, repoint), hosts with --limit',
  ],
  [
    ['--list-hosts', '--list-tasks', '--syntax-check', '--start-at-task', '--step'],
    'see what would be done: provision plan INVENTORY',
  ],
  [['-target', '--target'], 'choose hosts with --limit'],
  [['-auto-approve', '--auto-approve'], 'do not ask: --yes'],
  [['-out'], 'save the plan: --out FILE'],
];

/** Verbs of other tools that people type by habit: what does the same here. None is one of this program. */
const VERBS: readonly (readonly [verbs: readonly string[], way: string])[] = [
  [['version'], 'provision --version'],
  [['deploy', 'install', 'run', 'up', 'create', 'play', 'upgrade', 'update'], 'provision apply INVENTORY'],
  [['check', 'diff', 'preview', 'validate', 'lint', 'dry-run'], 'provision plan INVENTORY'],
  [['status', 'health', 'ping', 'test', 'get'], 'provision verify INVENTORY'],
  [['list', 'hosts', 'ls'], 'provision inventory FILE'],
  [['log', 'logs'], 'provision history INVENTORY'],
  [['backup'], 'provision snapshot save INVENTORY'],
  [['restore'], 'provision snapshot restore INVENTORY'],
  [['renew'], 'provision certs renew INVENTORY'],
  [['import'], 'an authority: provision ca import STORE; a running etcd: provision adopt INVENTORY'],
  [
    ['destroy', 'delete', 'remove', 'reset', 'uninstall', 'down'],
    'nothing here removes a cluster; by hand: docs/operating.md; a lab: provision lab down',
  ],
];

/**
 * What to type in place of an option or a verb that another tool has.
 *
 * @param message commander's: `error: unknown option '--check'`
 * @returns undefined when it is about something else
 */
export function wayHere(message: string): string | undefined {
  const [, kind, word] = /unknown (option|command) '([^'=]+)/.exec(message) ?? [];
  const table = kind === 'option' ? WAYS : VERBS;
  return table.find(([words]) => word !== undefined && words.includes(word))?.[1];
}
