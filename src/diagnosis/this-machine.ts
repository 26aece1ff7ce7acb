import type { CheckItem } from '../checks/check.js';
import { counted } from '../model/counted.js';

/** What was seen of the machine that this program runs on. */
export interface SeenMachine {
  /** As `process.versions.node` has it: `20.19.2`. */
  readonly node: string;
  /** The OpenSSH client. */
  readonly hasSsh: boolean;
  /** What the agent that SSH_AUTH_SOCK names answered: keys, or why there is no answer. Absent: the variable is not set. */
  readonly agent?: { readonly keys: number } | { readonly problem: string };
  /** Files in `~/.ssh` that OpenSSH tries by itself, as a person would write them. */
  readonly defaultKeys: readonly string[];
  /** Names in `~/.ssh/known_hosts`, as entries. */
  readonly knownHosts: number;
  /** Absent: nobody here can tell. */
  readonly clock?: 'synchronised' | 'not synchronised';
  /** Whether questions can be asked and a live display drawn. */
  readonly terminal: 'yes' | 'no';
  /** Whether PROVISION_CA_PASSPHRASE is set. */
  readonly passphrase: 'set' | 'not set';
  /** etcd's own tool for snapshots: `etcdutl`, or an older `etcdctl`. */
  readonly snapshotTool?: string;
  /** What the lab is missing, one line each, and the packages that bring some of it. */
  readonly lab: { readonly problems: readonly string[]; readonly packages: readonly string[] };
}

/** `engines` of package.json: the first version of each line of Node that the tests run on. */
const NODE_LINES: readonly (readonly [major: number, minor: number])[] = [
  [20, 19],
  [22, 13],
  [24, 0],
];

/**
 * Says what this machine has and is missing, for what, and what to type next. Pure.
 * @returns `fail` only for what nothing works without; `warn`: one way of use is missing
 */
export function checkThisMachine(seen: SeenMachine): readonly CheckItem[] {
  return [nodeItem(seen), sshItem(seen), keyItem(seen), hostKeyItem(seen), clockItem(seen), ...usesOf(seen)];
}

function nodeItem({ node }: SeenMachine): CheckItem {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const newest = Math.max(...NODE_LINES.map(([line]) => line));
  const isTried = major > newest || NODE_LINES.some(([line, first]) => line === major && minor >= first);
  if (isTried) return { check: 'node', verdict: 'ok', evidence: `Node ${node}` };
  const wanted = NODE_LINES.map((line) => line.join('.')).join(', ');
  return {
    ...{
      check: 'node',
      verdict: 'fail',
      evidence: `Node ${node}; expected one of ${wanted} or a newer one of its line`,
    },
    next: 'install a supported Node: https://nodejs.org/en/download',
  };
}

function sshItem({ hasSsh }: SeenMachine): CheckItem {
  const check = 'ssh-client';
  if (hasSsh) return { check, verdict: 'ok', evidence: '~/.ssh/config is read, and jump hosts work: ssh is there' };
  return {
    ...{ check, verdict: 'warn', evidence: 'no program ssh: ~/.ssh/config is not read, and jump hosts do not work' },
    next: 'apt-get install openssh-client',
  };
}

function keyItem({ agent, defaultKeys }: SeenMachine): CheckItem {
  const check = 'ssh-keys';
  const files = defaultKeys.length === 0 ? [] : [defaultKeys.join(', ')];
  const held = agent !== undefined && 'keys' in agent ? agent.keys : 0;
  const has = [...(held === 0 ? [] : [`an agent with ${counted(held, 'key')}`]), ...files];
  const problem = agent !== undefined && 'problem' in agent ? [`the agent of SSH_AUTH_SOCK: ${agent.problem}`] : [];
  const evidence = [...has, ...problem].join('; ');
  if (has.length > 0 && problem.length === 0) return { check, verdict: 'ok', evidence };
  if (has.length > 0)
    return {
      check,
      verdict: 'warn',
      evidence,
      next: 'unset SSH_AUTH_SOCK, or start the agent again: eval "$(ssh-agent)"',
    };
  return {
    ...{ check, verdict: 'warn' },
    evidence: evidence || 'no agent, and no key in ~/.ssh that is tried by itself',
    next: 'name a key: --private-key FILE or ansible_ssh_private_key_file; or make one: ssh-keygen -t ed25519',
  };
}

function hostKeyItem({ knownHosts }: SeenMachine): CheckItem {
  const check = 'known-hosts';
  if (knownHosts > 0) return { check, verdict: 'ok', evidence: `known_hosts has ${counted(knownHosts, 'entry')}` };
  return {
    ...{ check, verdict: 'warn', evidence: 'known_hosts has no host: none can be trusted yet' },
    next: '`provision init` shows the fingerprints and asks; or: ssh-keyscan HOST, compared with the host’s own',
  };
}

function clockItem({ clock }: SeenMachine): CheckItem {
  const check = 'own-clock';
  if (clock === 'synchronised') return { check, verdict: 'ok', evidence: 'this machine’s clock is synchronised' };
  const evidence =
    clock === undefined
      ? 'whether this machine’s clock is synchronised is not known'
      : 'this machine’s clock is not synchronised: certificates are dated by it';
  return { check, verdict: 'warn', evidence, next: 'look at it: timedatectl; date -u' };
}

/** Each way of use, and what it is missing. */
function usesOf({ terminal, passphrase, snapshotTool, lab }: SeenMachine): readonly CheckItem[] {
  const asked = terminal === 'yes';
  return [
    {
      ...{ check: 'terminal', verdict: 'ok' },
      evidence: asked
        ? 'questions can be asked here'
        : 'no terminal: nothing can be asked, so give --yes or a saved plan',
    },
    passphrase === 'set' || asked
      ? {
          ...{ check: 'ca-passphrase', verdict: 'ok' },
          evidence: passphrase === 'set' ? 'PROVISION_CA_PASSPHRASE is set' : 'the passphrase of the CA is asked for',
        }
      : {
          ...{ check: 'ca-passphrase', verdict: 'warn' },
          evidence: 'no terminal to ask for the CA’s passphrase on, and PROVISION_CA_PASSPHRASE is not set',
          next: 'set PROVISION_CA_PASSPHRASE from your secret store',
        },
    snapshotTool === undefined
      ? {
          ...{ check: 'snapshot-verify', verdict: 'warn' },
          evidence: 'neither etcdutl nor etcdctl is here: a snapshot can’t be restored on trial on this machine',
          next: 'apt-get install etcd-client; or on a host: provision snapshot verify INVENTORY --on HOST',
        }
      : { check: 'snapshot-verify', verdict: 'ok', evidence: `snapshots are restored on trial with ${snapshotTool}` },
    lab.problems.length === 0
      ? { check: 'lab', verdict: 'ok', evidence: 'a lab can run here: provision lab demo' }
      : {
          ...{ check: 'lab', verdict: 'warn', evidence: `no lab can run here; missing: ${lab.problems.join('; ')}` },
          next:
            lab.packages.length === 0
              ? 'needed for a lab only (`provision lab demo`)'
              : `for a lab only: apt-get install ${lab.packages.join(' ')}`,
        },
  ];
}
