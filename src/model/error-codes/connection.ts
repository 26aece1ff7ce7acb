import type { Explanations } from './explanation.js';

/** The way to a host: network, host key, login, sudo, and the shell behind them. */
export const CONNECTION = {
  unreachable: {
    why: 'No SSH connection to the host, or to its jump host, could be made: its name does not resolve, it is down, or a firewall is in between.',
    next: 'Follow the hint, which differs by reason. A host that is away for long is left out with --limit; the plan prints the command.',
    kind: 'unreachable',
  },
  'unknown-host': {
    why: 'A host was asked for that is not in the inventory. This is a bug if no playbook of your own names it.',
    next: 'Add the host to the inventory, or correct its name.',
  },
  'ssh-config-invalid': {
    why: 'OpenSSH does not accept its configuration for this host, or a name in it has characters that a shell could run.',
    next: 'See what ssh makes of it with `ssh -G HOST`; check ansible_host, ansible_user and ansible_ssh_common_args.',
  },
  'host-key-unknown': {
    why: 'The host is not in known_hosts yet: nobody has said that this key belongs to it.',
    next: 'Compare the fingerprint with the one on the host, then run again with --accept-new-host-keys.',
  },
  'host-key-changed': {
    why: 'The host shows another key than the one in known_hosts. Either it was reinstalled, or someone intercepts the connection.',
    next: 'Find out which. Only if it was reinstalled: remove the old key with `ssh-keygen -R HOST`, then run again with --accept-new-host-keys.',
    kind: 'unsafe',
  },
  'host-key-revoked': {
    why: 'The key of the host is marked as @revoked in known_hosts.',
    next: 'Give the host a new key: `rm /etc/ssh/ssh_host_*`, then `ssh-keygen -A`, on the host.',
    kind: 'unsafe',
  },
  'authentication-refused': {
    why: 'The host accepts none of the keys and passwords that were tried for this user.',
    next: 'Try it by hand: `ssh -v USER@HOST true`. Check ansible_user and ansible_ssh_private_key_file.',
  },
  'key-unusable': {
    why: "A private key file can't be used: it can't be read, is no private key, or its passphrase is missing or wrong.",
    next: 'Check the file with `ssh-keygen -y -f FILE`, or load the key into an agent with `ssh-add FILE`.',
  },
  'connection-lost': {
    why: 'The connection ended before a command did. Whether the command completed is not known.',
    next: 'Run the same command again: finished changes are detected, and the rest is completed.',
    kind: 'unreachable',
  },
  'no-channel': {
    why: 'The SSH server of the host did not open another channel: it is overloaded, or allows one session only.',
    next: 'Look at its log, `journalctl -u ssh`, and at MaxSessions in its sshd_config.',
    kind: 'unreachable',
  },
  'no-answer': {
    why: 'The host answered something else than what was asked for: a start file of the login shell, or a ForceCommand, is in the way.',
    next: 'Log in by hand and look at the login shell, its start files and any ForceCommand.',
  },
  'command-hung': {
    why: 'A command did not start, or did not end in its time. It may still run on the host.',
    next: 'Look on the host what runs: `ssh HOST ps -ef`. Then run the same command again.',
  },
  'output-too-large': {
    why: 'A host printed more than the limit for one answer, so the rest was not read.',
    next: 'Look at the start files of the login shell, and at what the command prints by hand.',
  },
  'become-password-wrong': {
    why: 'sudo does not accept the password.',
    next: 'Check ansible_become_password, or give the password with --ask-become-pass.',
  },
  'become-password-missing': {
    why: 'sudo wants a password, and none is set.',
    next: 'Set ansible_become_password, or run again with --ask-become-pass.',
  },
  'become-needs-tty': {
    why: 'sudo on the host works on a terminal only (requiretty).',
    next: 'Add to its sudoers: `Defaults:USER !requiretty`.',
  },
  'become-refused': {
    why: 'The login user may not become the other user, or that user does not exist.',
    next: 'Allow it on the host with visudo, or check ansible_become_user.',
  },
  'become-no-sudo': {
    why: 'sudo is not installed on the host.',
    next: 'Log in as root and leave out ansible_become, or install sudo.',
  },
  'become-failed': {
    why: 'sudo failed for a reason of its own, which the message quotes.',
    next: 'Try it by hand: `ssh HOST sudo true`.',
  },
} satisfies Explanations;
