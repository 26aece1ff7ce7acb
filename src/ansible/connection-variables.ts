/** What this program does with a variable of Ansible's about connections. */
export interface ConnectionVariable {
  /** The names by which Ansible knows it, those that count first first. */
  readonly names: readonly string[];
  readonly effect: 'honoured' | 'no effect' | 'refused';
  /** What it does here, why it has no effect, or what to do instead. */
  readonly note: string;
}

function honoured(names: readonly string[], note: string): ConnectionVariable {
  return { names, effect: 'honoured', note };
}

function ignored(names: readonly string[], note: string): ConnectionVariable {
  return { names, effect: 'no effect', note };
}

function refused(names: readonly string[], note: string): ConnectionVariable {
  return { names, effect: 'refused', note };
}

const SSH = 'SSH is spoken by this program itself';
const NO_COPY = 'files travel over the same connection as commands: no sftp and no scp';

/**
 * All variables that Ansible documents for its connection plugin `ssh` (lib/ansible/plugins/connection/ssh.py, 2.19) and
 * its become plugin `sudo` (plugins/become/sudo.py), and those of the hosts that choose them.
 */
export const CONNECTION_VARIABLES = [
  honoured(['ansible_host', 'ansible_ssh_host'], 'address or name to connect to; default: the name in the inventory'),
  honoured(['ansible_port', 'ansible_ssh_port'], '1 to 65535; default: what ~/.ssh/config says'),
  honoured(['ansible_user', 'ansible_ssh_user'], 'login user'),
  honoured(['ansible_password', 'ansible_ssh_password', 'ansible_ssh_pass'], 'login password'),
  honoured(
    ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
    'beside the inventory or the working directory',
  ),
  honoured(['ansible_connection'], '`ssh`, `smart` or `paramiko`: all mean SSH by this program; any other is refused'),
  honoured(
    ['ansible_ssh_args'],
    "ssh's own options; they go before those of the next two. What concerns sharing of connections has no effect",
  ),
  honoured(['ansible_ssh_common_args'], "ssh's own options: `-J bastion`, `-o ProxyCommand=…`"),
  honoured(['ansible_ssh_extra_args'], "ssh's own options, after the common ones"),
  honoured(
    ['ansible_ssh_host_key_checking', 'ansible_host_key_checking'],
    '`false`: unknown host keys are accepted and remembered; a changed key is still refused',
  ),
  honoured(['ansible_ssh_timeout', 'ansible_timeout'], 'seconds for the TCP connection and again for the login'),
  honoured(['ansible_become'], 'commands run as another user'),
  honoured(['ansible_become_method'], '`sudo`; any other is refused'),
  honoured(['ansible_become_user', 'ansible_sudo_user'], 'default `root`'),
  honoured(['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'], "sudo's password"),
  honoured(['ansible_become_exe', 'ansible_sudo_exe'], 'name or path of sudo; a program of another name is refused'),
  honoured(
    ['ansible_become_flags', 'ansible_sudo_flags'],
    '`-H`, `-E`, `-i`, `-P` and their long forms, `--group=`, `--role=`, `--type=`; `-S` and `-n` are set as needed; others are refused. Default `-H`',
  ),
  refused(['ansible_ssh_executable'], `${SSH}; leave it out`),
  refused(['ansible_ssh_pkcs11_provider'], `${SSH}: put the key into an ssh-agent (ssh-add -s PROVIDER)`),
  refused(
    ['ansible_private_key', 'ansible_ssh_private_key'],
    'keys are read from files: set ansible_ssh_private_key_file, or put the key into an ssh-agent',
  ),
  refused(
    ['ansible_private_key_passphrase', 'ansible_ssh_private_key_passphrase'],
    'set PROVISION_SSH_KEY_PASSPHRASE, or put the key into an ssh-agent',
  ),
  refused(['ansible_sudo_chdir'], 'commands name absolute paths; leave it out'),
  ignored(['ansible_ssh_password_mechanism', 'ansible_sshpass_prompt'], `${SSH}, without sshpass`),
  ignored(['ansible_sftp_executable', 'ansible_sftp_extra_args', 'ansible_sftp_batch_mode'], NO_COPY),
  ignored(['ansible_scp_executable', 'ansible_scp_extra_args', 'ansible_ssh_transfer_method'], NO_COPY),
  ignored(['ansible_pipelining', 'ansible_ssh_pipelining'], 'scripts always travel on stdin'),
  ignored(['ansible_control_path', 'ansible_control_path_dir'], 'one connection a host is kept open anyway'),
  ignored(['ansible_ssh_retries'], 'a connection that is dropped before the login is tried again six times'),
  ignored(['ansible_ssh_use_tty'], 'commands run without a terminal'),
  ignored(['ansible_ssh_verbosity'], 'errors say what was tried'),
] as const satisfies readonly ConnectionVariable[];
