import { InputError, type Problem } from '../model/errors.js';
import type { Become, Connection, Variables } from '../model/inventory.js';
import { Secret } from '../model/secret.js';
import { CONNECTION_VARIABLES } from './connection-variables.js';

/** What {@link readConnection} needs to know. */
export interface ConnectionSource {
  readonly host: string;
  readonly variables: Variables;
  /** The absolute path of a key file. */
  resolvePath(path: string): string;
}

/** Connections of Ansible that are SSH by another program. */
const SSH_CONNECTIONS = [
  'ssh',
  'smart',
  'paramiko',
  'paramiko_ssh',
  'ansible.builtin.ssh',
  'ansible.builtin.paramiko_ssh',
];

const KEY_NAMES = ['ansible_ssh_private_key_file', 'ansible_private_key_file'];

/** The first of these variables that has a value, and where: `ansible_user of inventory.yaml:5:35`. */
function placeOf(variables: Variables, names: readonly string[]): string | undefined {
  const name = names.find((each) => (variables.get(each) ?? '') !== '');
  const at = name === undefined ? undefined : variables.at(name);
  return at === undefined ? name : `${name} of ${at.file}:${at.line}:${at.column}`;
}

/**
 * How to reach a host, from its `ansible_*` variables (ansible/plugins/connection/ssh.py, plugins/become/sudo.py).
 * @throws InputError for values of a wrong kind, for connections other than SSH and for become methods other than sudo
 */
export function readConnection(source: ConnectionSource): Connection {
  const reader = createReader(source);
  const port = reader.number('ansible_port', 'ansible_ssh_port');
  const kind = reader.text('ansible_connection');
  if (kind !== undefined && !SSH_CONNECTIONS.includes(kind)) {
    reader.refuse(
      'ansible_connection',
      `'${kind}' is not supported, hosts are reached over ssh; remove it for this host`,
    );
  }
  const key = reader.text(...KEY_NAMES);
  refuseWhatIsNotDone(reader);
  const connection: Connection = {
    address: reader.text('ansible_host', 'ansible_ssh_host') ?? source.host,
    port,
    user: reader.text('ansible_user', 'ansible_ssh_user'),
    ...(key === undefined
      ? {}
      : { privateKeyFile: source.resolvePath(key), privateKeyNamedBy: placeOf(source.variables, KEY_NAMES) }),
    password: reader.secret('ansible_password', 'ansible_ssh_password', 'ansible_ssh_pass'),
    sshArgs: readSshArguments(reader),
    become: readBecome(reader),
  };
  reader.finish();
  return connection;
}

function refuseWhatIsNotDone(reader: Reader): void {
  for (const { names, effect, note } of CONNECTION_VARIABLES) {
    const name = effect === 'refused' ? names.find((each) => reader.text(each) !== undefined) : undefined;
    if (name !== undefined) reader.refuse(name, `is not supported: ${note}`);
  }
}

/** In the order in which Ansible puts them (ssh.py, _build_command); ssh takes the first value that it finds. */
function readSshArguments(reader: Reader): string | undefined {
  const checking = reader.truth('ansible_ssh_host_key_checking') ?? reader.truth('ansible_host_key_checking');
  const seconds = reader.text('ansible_ssh_timeout', 'ansible_timeout');
  if (seconds !== undefined && !/^[1-9]\d{0,4}$/.test(seconds))
    reader.refuse('ansible_ssh_timeout', `'${seconds}' is not a number of seconds; expected 1 to 99999`);
  const words = [
    reader.text('ansible_ssh_args'),
    checking === false ? '-o StrictHostKeyChecking=no' : undefined,
    seconds === undefined ? undefined : `-o ConnectTimeout=${seconds}`,
    reader.text('ansible_ssh_common_args'),
    reader.text('ansible_ssh_extra_args'),
  ].filter((text) => text !== undefined);
  return words.length === 0 ? undefined : words.join(' ');
}

/** sudo's options that change neither what is run nor how the password is asked for (sudo(8)). */
const SUDO_FLAG =
  /^(?:-[HEiPSn]+|--(?:set-home|login|preserve-env(?:=[\w,]+)?|preserve-groups|stdin|non-interactive|(?:group|role|type)=[\w.:-]+))$/;
/** How sudo asks is up to the connection, which knows whether there is a password. */
const ASKING = /^--(?:stdin|non-interactive)$/;

function readSudoFlags(reader: Reader): readonly string[] | undefined {
  const text = reader.text('ansible_become_flags', 'ansible_sudo_flags');
  if (text === undefined) return undefined;
  const words = text.split(/\s+/).filter((word) => word !== '');
  const unknown = words.find((word) => !SUDO_FLAG.test(word));
  if (unknown !== undefined)
    reader.refuse(
      'ansible_become_flags',
      `'${unknown}' is not supported; supported are -H -E -i -P -S -n and --group=`,
    );
  return words
    .filter((word) => !ASKING.test(word))
    .map((word) => (word.startsWith('--') ? word : word.replaceAll(/[Sn]/g, '')))
    .filter((word) => word !== '-');
}

function readSudoProgram(reader: Reader): string | undefined {
  const program = reader.text('ansible_become_exe', 'ansible_sudo_exe');
  if (program !== undefined && !/^(?:\/(?:[\w.+-]+\/)*)?sudo$/.test(program))
    reader.refuse('ansible_become_exe', `'${program}' is not supported, only sudo or the absolute path of a sudo is`);
  return program;
}

function readBecome(reader: Reader): Become | undefined {
  if (reader.truth('ansible_become') !== true) return undefined;
  const method = reader.text('ansible_become_method') ?? 'sudo';
  if (method !== 'sudo' && method !== 'ansible.builtin.sudo') {
    reader.refuse('ansible_become_method', `'${method}' is not supported, only sudo is`);
  }
  return {
    method: 'sudo',
    program: readSudoProgram(reader),
    flags: readSudoFlags(reader),
    user: reader.text('ansible_become_user', 'ansible_sudo_user') ?? 'root',
    password: reader.secret('ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'),
  };
}

interface Reader {
  /** The first of the variables that is set, as Ansible's order of aliases. */
  text(...names: string[]): string | undefined;
  number(...names: string[]): number | undefined;
  truth(name: string): boolean | undefined;
  secret(...names: string[]): Secret | undefined;
  refuse(name: string, message: string): void;
  /** @throws InputError with all that was refused */
  finish(): void;
}

function createReader({ host, variables }: ConnectionSource): Reader {
  const problems: Problem[] = [];
  function refuse(name: string, message: string): void {
    problems.push({ severity: 'error', at: variables.at(name), subject: name, message: `${message} (host ${host})` });
  }
  function text(...names: string[]): string | undefined {
    for (const name of names) {
      const value = variables.get(name);
      if (value === undefined || value === null || value === '') continue;
      if (typeof value !== 'object') return String(value);
      refuse(name, 'expected a text');
    }
    return undefined;
  }
  return {
    text,
    refuse,
    number(...names) {
      const value = text(...names);
      if (value === undefined) return undefined;
      const port = Number(value);
      if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
      refuse(
        names.find((name) => variables.get(name) !== undefined) ?? '',
        `'${value}' is not a port; expected 1 to 65535`,
      );
      return undefined;
    },
    truth(name) {
      const value = text(name)?.toLowerCase();
      if (value === undefined) return undefined;
      if (['true', 'yes', 'on', '1', 'y', 't'].includes(value)) return true;
      if (!['false', 'no', 'off', '0', 'n', 'f'].includes(value)) refuse(name, `'${value}' is neither true nor false`);
      return false;
    },
    secret(...names) {
      const value = text(...names);
      return value === undefined ? undefined : new Secret(value);
    },
    finish() {
      if (problems.length > 0) throw new InputError(problems);
    },
  };
}
