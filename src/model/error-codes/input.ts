import type { Explanations } from './explanation.js';

/** What was given: inventories, playbooks, options and answers. Nothing has been done on any host. */
export const INPUT = {
  'input-invalid': {
    why: 'A file that was given is wrong in one or more places. All of them are listed, each with its line.',
    next: 'Correct these lines. `provision inventory FILE --format yaml` prints how an inventory is understood.',
  },
  unreadable: {
    why: 'A file of the inventory, or of its variables, does not exist or may not be read.',
    next: 'Check the path and its permissions with `ls -l`.',
  },
  'file-unreadable': {
    why: "A file that was named, or one on a host that would be edited, can't be read: it does not exist, is no regular file, is no UTF-8 text, or is too large.",
    next: "Look at the file that the message names, and give the right one or correct it. What can't be read in full is never edited.",
  },
  'directory-gone': {
    why: 'The directory in which the program was started has been removed or replaced since the shell went there.',
    next: 'Go to a directory that is there, `cd` alone goes home; then run the same command again.',
  },
  'inventory-empty': {
    why: 'The inventory contains no host, or its directory no inventory file.',
    next: 'Name a file with hosts. `provision init` asks, and writes one; the directory inventory/ holds examples.',
  },
  'inventory-script': {
    why: 'The inventory is an executable program, a dynamic inventory of Ansible. Programs are not run.',
    next: 'Save what it prints: `ansible-inventory -i FILE --list --export --yaml > inventory.yml`.',
  },
  vault: {
    why: "A value that Ansible Vault encrypted can't be decrypted: the password is missing, wrong or unreadable, or the value is damaged.",
    next: 'Give the right one with --vault-password-file FILE.',
  },
  'plan-not-inventory': {
    why: 'A saved plan was given where an inventory was expected.',
    next: 'Give both: `provision apply INVENTORY --plan FILE`.',
  },
  'not-an-inventory': {
    why: 'A file was given where an inventory was expected, and it seems to be something else: answers, a playbook, a report, a list that a verb has printed.',
    next: 'Name the file with the hosts. `provision init` asks, and writes one; the directory inventory/ holds examples.',
  },
  'unknown-schema': {
    why: 'There is no schema of that name.',
    next: 'Give one of: inventory, playbook, plan, events, answers.',
  },
  'playbook-unreadable': {
    why: "There is no shipped playbook of that name, or the file of your own can't be read.",
    next: 'Use a shipped name, as the help of `plan` lists them, or a path.',
  },
  'import-circle': {
    why: 'A playbook imports itself, directly or by way of another.',
    next: 'Remove one import_playbook of the circle that the message names.',
  },
  'unknown-gate': {
    why: 'A play asks for a gate that does not exist.',
    next: 'Correct `gates` in the playbook; the message has the name.',
  },
  'unknown-order': {
    why: 'A play asks for an order of hosts that does not exist.',
    next: 'Correct `order` in the playbook; the message has the name.',
  },
  'no-load-balancer': {
    why: 'A play needs a load balancer, and the inventory describes none: no virtual IP is set, or it is switched off.',
    next: 'Set etcd_lb_ip or kube_apiserver_lb_ip to a free address, or plan etcd alone: `provision plan INVENTORY --playbook etcd`.',
  },
  'not-in-group': {
    why: 'A play gives a role to a host that is not in the group which the role is for.',
    next: 'Add the host to the group, or narrow `hosts` of the play.',
  },
  'variables-file': {
    why: "Variables can't be added to a file beside the inventory: its form is unknown, it changed meanwhile, or it may not be written.",
    next: 'Look at the file that the message names, then run again; or add the variables by hand. Nothing was written.',
  },
  'template-missing': {
    why: 'A file that belongs to this program is missing: the installation is incomplete.',
    next: 'Install provision again.',
  },
  'no-terminal': {
    why: 'A question would have to be asked, and there is no terminal: a pipe, a job or CI.',
    next: 'Give the answer as the option that the error names, for example --yes or --passphrase-file FILE.',
  },
  'answer-missing': {
    why: 'A question of `provision init` would have to be asked, has no default that is right, and nobody is to be asked.',
    next: 'Add the answer to the file of --answers; `provision schema answers` describes it.',
  },
  cancelled: {
    why: 'Ctrl-C was pressed at a question. Nothing was changed.',
    next: 'Run the command again if it was a mistake.',
  },
  declined: {
    why: 'A question was answered with no, or with another name than the expected one. Nothing was changed.',
    next: 'Run the command again and confirm. Without a terminal: --yes, where the command has it.',
  },
  'nothing-chosen': {
    why: 'It was not said what the command is about, or two things were said that exclude each other.',
    next: 'Give one of them; the error shows the command that lists the choices.',
  },
  'limit-refused': {
    why: 'A restore of a part of the members would make two clusters.',
    next: 'Leave --limit out.',
  },
  'inventory-needed': {
    why: 'A trial of a snapshot on a host needs the host and the inventory that it is in; one of them is missing.',
    next: '`provision snapshot verify FILE INVENTORY --on HOST`',
  },
  'unknown-code': {
    why: 'There is no error code of that name in this version.',
    next: 'List them with `provision explain`.',
  },
  'unknown-run': {
    why: 'No journal of that name is kept beside the inventory.',
    next: 'List them with `provision history INVENTORY`.',
  },
  'unknown-certificate': {
    why: 'No certificate of that name is renewed here. Those that kubeadm made are renewed by kubeadm.',
    next: 'List the names with `provision certs list INVENTORY`.',
  },
  'unknown-member': {
    why: 'The host that was named is in the inventory no member of etcd.',
    next: 'Name one of the hosts in the group etcd.',
  },
  'cloud-unfit': {
    why: "The load balancer of this cloud can't have the members as the inventory describes them. Nothing was written.",
    next: 'Change the variable that the hint names, or choose another cloud: `provision terraform INVENTORY --cloud aws -o DIR`.',
  },
  'module-in-the-way': {
    why: 'A file that this program did not write has the name of a file of the Terraform module. Nothing was written.',
    next: 'Choose another directory with -o, or move the file away.',
  },
  'alerts-in-the-way': {
    why: 'A file that this program did not write has the name that was given for the rules or the targets. Nothing was written.',
    next: 'Choose another file with -o or --targets, or move it away.',
  },
  'fleet-empty': {
    why: 'The directory has no inventory of a cluster: none of the names that are looked for.',
    next: 'Give the directory that has NAME.yaml, or NAME/inventory.yaml, for each cluster; `provision fleet list DIRECTORY` shows what is found.',
  },
  'fleet-ambiguous': {
    why: 'Two inventories of a fleet have the same name, for example hosts.yaml and inventory.ini in one directory.',
    next: 'Keep one inventory in each directory, and name others after their clusters.',
  },
  'fleet-too-large': {
    why: 'A matrix of GitHub starts a limited number of jobs.',
    next: 'Take a part: `provision fleet list DIRECTORY --format github-matrix --shard 1/2`.',
  },
  'fleet-revision': {
    why: 'What changed since a revision could not be asked of git: the directory is in no repository, or the revision is not in this checkout.',
    next: 'In a pipeline fetch the whole history (`fetch-depth: 0`), then run the same command again.',
  },
} satisfies Explanations;
