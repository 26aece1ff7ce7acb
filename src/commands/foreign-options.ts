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

/**
 * What to type in place of an option that another tool has.
 *
 * @param message commander's: `error: unknown option '--check'`
 * @returns undefined when it is about something else
 */
export function wayHere(message: string): string | undefined {
  const option = /unknown option '([^'=]+)/.exec(message)?.[1];
  return WAYS.find(([options]) => option !== undefined && options.includes(option))?.[1];
}
