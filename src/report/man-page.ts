import { EXIT } from '../model/errors.js';

/** A verb of the command line, as its help has it. */
export interface ManVerb {
  /** As it is typed, with its arguments: `provision ca import [options] <store>`. */
  readonly usage: string;
  readonly description: string;
  /** Arguments and options, each with what it is. */
  readonly terms: readonly { readonly term: string; readonly meaning: string }[];
  /** What its help says below the options, as it is; empty: nothing. */
  readonly below: string;
}

/** Exit codes, in short; the README has them at length. */
const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done, or nothing to do.',
  failed: 'Failed. The last lines say which host, which command, and what to do next.',
  changesPending: 'With --detailed-exitcode: there are changes, or changes were made.',
  locked: 'Another run holds the lock of this cluster: try again later.',
  unreachable: 'A host could not be reached, or was lost on the way: try again later.',
  stale: 'The saved plan no longer fits: make and review a new one.',
  unsafe: 'Refused, because going on could do harm: a person has to look.',
  stopped: 'Stopped by Ctrl-C.',
};

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['PROVISION_CA_PASSPHRASE', 'The passphrase of the CA’s key, in place of a question.'],
  ['PROVISION_SSH_KEY_PASSPHRASE', 'The passphrase of encrypted private keys.'],
  ['ANSIBLE_VAULT_PASSWORD_FILE', 'The password of Ansible Vault values: a file, or a program that prints it.'],
  ['SSH_AUTH_SOCK', 'The ssh agent.'],
  ['NO_COLOR', 'If it is set, nothing is coloured.'],
  ['PROVISION_LAB_CACHE, PROVISION_LAB_MIRROR, PROVISION_LAB_SECURITY_MIRROR', 'See the verb lab up.'],
];

const FILES: readonly (readonly [name: string, meaning: string])[] = [
  ['pki/', 'Beside the inventory: the authority, its key encrypted. Keep it.'],
  ['.provision/', 'Beside the inventory: the journal of earlier runs.'],
  ['~/.ssh/config, ~/.ssh/known_hosts', 'As ssh has them.'],
];

/**
 * The manual page of the program, section 1, in man(7)'s macros.
 * @param page `version`; `summary`, one sentence; `verbs` in the order of the help
 * @returns roff in UTF-8, with a newline at the end
 */
export function renderManPage(page: {
  readonly version: string;
  readonly summary: string;
  readonly verbs: readonly ManVerb[];
}): string {
  const codes = Object.entries(EXIT) as readonly (readonly [keyof typeof EXIT, number])[];
  return `${[
    `.TH PROVISION 1 "" "provision ${escaped(page.version)}" "User Commands"`,
    '.SH NAME',
    `provision \\- ${escaped(page.summary)}`,
    '.SH SYNOPSIS',
    '.B provision',
    '.I verb',
    '[\\fIoptions\\fR] [\\fIarguments\\fR]',
    '.SH VERBS',
    ...page.verbs.flatMap(renderVerb),
    '.SH EXIT STATUS',
    ...codes.flatMap(([name, code]) => tagged(String(code), MEANINGS[name])),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, meaning]) => tagged(name, meaning)),
    '.SH FILES',
    ...FILES.flatMap(([name, meaning]) => tagged(name, meaning)),
    '.SH SEE ALSO',
    '.BR ssh (1),',
    '.BR ssh_config (5)',
  ].join('\n')}\n`;
}

function renderVerb({ usage, description, terms, below }: ManVerb): readonly string[] {
  return [
    `.SS ${escaped(usage)}`,
    escaped(description),
    ...terms.flatMap(({ term, meaning }) => tagged(term, meaning)),
    ...(below === '' ? [] : ['.PP', '.nf', ...below.split('\n').map(escaped), '.fi']),
  ];
}

function tagged(term: string, meaning: string): readonly string[] {
  return ['.TP', `.B ${escaped(term)}`, escaped(meaning)];
}

/** A text as roff prints it: no request at the start of a line, and each hyphen one that can be copied (man(7)). */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^(?=[.'])/, '\\&')
    .replaceAll('\n', ' ');
}
