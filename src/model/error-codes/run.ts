import type { Explanations } from './explanation.js';

/** The course of a plan, an apply or a drill. */
export const RUN = {
  'run-failed': {
    why: 'One or more hosts failed. Each failure is listed with its host, its command and its last output, and has a code of its own.',
    next: 'Fix the first cause, then run the same command again: finished changes are detected.',
  },
  'look-failed': {
    why: "What a host answered to a read-only question can't be understood, or the question failed there.",
    next: 'Try the command that the message names on the host. Nothing was changed by looking.',
  },
  'command-failed': {
    why: 'A command on a host ended with an error. Its last output is shown. What this run had changed on that host was rolled back as far as the report says.',
    next: 'Fix what the output names, then run the same command again.',
  },
  'gate-not-open': {
    why: 'The roll-out waited for a condition, for example that etcd is healthy, which did not become true. No later host was touched.',
    next: 'Fix the reason in the message; `provision verify INVENTORY` shows the whole picture. Then run the same command again.',
  },
  'not-converged': {
    why: 'After the change a host is still not in the planned state: another program changes the same thing, or the change has no effect there.',
    next: 'Look who else manages it (a cron job, another configuration tool), then run `provision plan INVENTORY`.',
  },
  'still-unknown': {
    why: 'A step that was to be decided during the apply could not be decided even then. The message has the reason.',
    next: 'Fix the reason, then run the same command again.',
  },
  interrupted: {
    why: 'Ctrl-C stopped the run between two changes. The exit code is 130.',
    next: 'What is done stays. Run the same command again to go on.',
    kind: 'stopped',
  },
  'plan-stale': {
    why: 'The hosts, the inventory or the playbook have changed since the plan was made, or it was applied already. What was not shown is not done.',
    next: 'Make and read a new plan: `provision plan INVENTORY -o FILE`.',
    kind: 'stale',
  },
  'plan-unreadable': {
    why: 'The file is no saved plan, or a damaged one.',
    next: 'Make one: `provision plan INVENTORY -o FILE`.',
  },
  'plan-writable-by-others': {
    why: 'Another user of this machine may have written the saved plan since it was reviewed: its permissions allow it.',
    next: 'Read it again with `provision show FILE` after `chmod go-w FILE`, or make a new one.',
    kind: 'unsafe',
  },
  'plan-of-another-version': {
    why: 'The plan was saved by another version of this program, which has another format of plans.',
    next: 'Make a new one with this version: `provision plan INVENTORY -o FILE`.',
    kind: 'stale',
  },
  'report-format': {
    why: "A report is written in the format that its file's name ends with: Markdown, JUnit's XML, or HTML.",
    next: 'Name a file that ends with `.md`, `.xml` or `.html`; several are written by several `--report`.',
  },
  'report-in-the-way': {
    why: 'The file is there, and is no report of this program. A report is written only over an earlier report.',
    next: 'Choose another name for `--report`, or move the file away.',
  },
  'plan-mismatch': {
    why: 'The plan and the playbook have different plays. This is a bug.',
    next: 'Make a new plan, and please report it.',
  },
  'clock-off': {
    why: 'The clock of a host, or of this machine, is so far off that new certificates or waiting times would be wrong.',
    next: 'Set it right: `timedatectl`; let chrony or systemd-timesyncd keep the time.',
    kind: 'unsafe',
  },
  locked: {
    why: 'Another run is changing this cluster, or was lost while it did. Nothing was changed.',
    next: 'Wait for it. If it no longer runs, remove its lock: `provision unlock INVENTORY`.',
    kind: 'locked',
  },
  'still-busy': {
    why: 'A run was killed, or lost its connection, while a command ran on a host. The command goes on there by itself, and another one at the same time could undo what it does: none was begun.',
    next: 'Wait until it has ended, then run the same command again. The error names its process: on the host, `ps -fp PID` shows it. Where it will never end, and you know what it leaves unfinished: `kill PID`.',
    kind: 'locked',
  },
  'lock-unsure': {
    why: 'Hosts that are to be changed, or more than half of the etcd members, could not be locked: two runs could work at once.',
    next: 'Make these hosts reachable, or leave them out with the command that the error prints. Nothing was changed.',
    kind: 'unreachable',
  },
  'lock-needs-root': {
    why: 'The lock of a host is in a place for root only, and the run is not root there.',
    next: 'Set `become: true` in the playbook, or run with --become.',
  },
  'still-running': {
    why: 'The run whose lock is to be removed, or whose report is wanted, is still active on this machine.',
    next: 'Wait for its end. Before a lock is removed, stop that process: the message has its number.',
  },
  'drill-refused': {
    why: 'A drill stops services on purpose, and the cluster is not healthy enough for it. Nothing was stopped.',
    next: 'Fix what is listed; `provision verify INVENTORY` shows it with the next command.',
    kind: 'unsafe',
  },
  'no-fail-over': {
    why: 'A service was stopped on the active load balancer, and no other one took over. The service was started again.',
    next: 'Look at HAProxy and keepalived on the other balancers; the error prints the command for their log.',
  },
} satisfies Explanations;
