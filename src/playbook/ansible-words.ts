/** What does the same here, by words of Ansible's plays and tasks that there are not. */
const WAYS: Readonly<Record<string, string>> = {
  'register until retries delay block rescue always changed_when failed_when set_fact':
    'a plan is decided before anything runs, so no task may depend on what another one did',
  'handlers notify listen force_handlers meta':
    'there are no handlers: `systemd` with `state: restarted` or `reloaded` acts where a file of the tasks before it is newer than the service',
  with_sequence: 'write `loop: "{{ range(1, 4) }}"`',
  'with_nested with_cartesian': 'write `loop: "{{ ones | product(others) | list }}"`',
  with_together: 'write `loop: "{{ ones | zip(others) | list }}"`',
  'with_fileglob with_file with_subelements with_random_choice with_first_found with_lines with_indexed_items with_flattened with_inventory_hostnames':
    'write `loop`, with a list or a template that gives one',
  'pre_tasks post_tasks': 'put them into `tasks`, or into a play of their own',
  'vars_files vars_prompt include_vars':
    'variables are in `vars`, and in group_vars/ and host_vars/ beside the inventory',
  'remote_user connection port become_user become_method become_flags become_exe':
    'set it in the inventory: ansible_user, ansible_port, ansible_become_user, …',
  'local_action delegate_to delegate_facts':
    'a task changes the hosts of its play; for other hosts, write a play of their own',
  'strategy any_errors_fatal max_fail_percentage ignore_errors ignore_unreachable run_once throttle async poll no_log check_mode diff':
    'a host that fails is rolled back, and no later batch begins; secrets are shown nowhere',
  timeout: 'each command has a time of its own, after which it is ended',
  debugger: 'a plan shows each change, with the reason, before anything runs',
  'gather_subset gather_timeout fact_path setup': 'hosts are asked for what a plan needs, and for nothing else',
  'validate_argspec validate_argument_spec': 'the variables of a role are checked always',
  tags: 'choose a part with --playbook, hosts with --limit',
  environment: 'write variables of the environment into the command',
  'import_tasks include_tasks import_role include_role include collections module_defaults':
    'only whole plays are imported: `import_playbook`',
  action: 'write the module and its parameters: `copy: { dest: /etc/motd, content: hello }`',
  'raw script': 'use `shell`, with `creates` or `removes`',
  'debug assert fail pause wait_for uri stat': 'a task only changes its host; what must hold is a gate',
  'lineinfile blockinfile replace ini_file': 'write the whole file, with `template` or `copy`',
  'package yum dnf apt_repository apt_key': 'packages are installed by `apt`',
};

const INSTEAD = new Map(
  Object.entries(WAYS).flatMap(([words, way]) => words.split(' ').map((word) => [word, way] as const)),
);

/** What is said of a word of Ansible that this program does not have; `undefined` of any other word. */
export function insteadOf(word: string): string | undefined {
  const short = word.replace(/^ansible\.builtin\./, '');
  const way = INSTEAD.get(short);
  return way === undefined ? undefined : `is not supported: ${way}`;
}
