import type { Explanations } from './explanation.js';

/** The etcd cluster: its members, its quorum, and whose data an API server uses. */
export const ETCD = {
  'quorum-at-risk': {
    why: 'A change would restart a member while others are away or unhealthy: fewer members than a quorum would serve, and etcd would stop. No member leaves either, while one that stays is not healthy.',
    next: 'Make the other members healthy first; `provision verify INVENTORY` shows them.',
    kind: 'unsafe',
  },
  'etcd-unsure': {
    why: 'A host has no etcd data, and members are away, or are to leave (`etcd_former`) and not found on their hosts: whether a cluster exists already is not known. A second one could be made.',
    next: 'Make these hosts reachable, or take one that is gone for good out of the group etcd. Describe an etcd of others, as a stacked one, first: `provision adopt INVENTORY`.',
    kind: 'unsafe',
  },
  'etcd-member-lost': {
    why: 'A host has no etcd data while the cluster exists: the member was lost, or is new. Starting it as it is could create a second cluster.',
    next: 'Replace it: `provision member replace INVENTORY HOST`.',
    kind: 'unsafe',
  },
  'member-not-gone': {
    why: 'A member is replaced only where its host shows that it is gone. Its process runs and does not answer, or an etcd answers at its address elsewhere. A slow member is no dead one. Nor does one leave that serves while ssh does not reach it.',
    next: 'See what it does: `journalctl -u etcd` on its host. Where it is beyond help, stop it there, and run the same command again.',
    kind: 'unsafe',
  },
  'member-has-data': {
    why: 'The member that would be replaced is only stopped: its data is on its host.',
    next: 'Start it. Where its data is damaged for good, move it aside first, as the hint shows, then replace the member.',
    kind: 'unsafe',
  },
  'member-not-managed': {
    why: 'The member belongs to an adopted etcd: its packages, unit and configuration are not made here, so a new one can not be either.',
    next: 'Replace it with the tool that made it, in the order of docs/runbooks/replace-a-member.md.',
  },
  'etcd-unhealthy': {
    why: 'Members are defragmented, one after the other, only while all of them are healthy but for their space: each answers nobody meanwhile.',
    next: 'Make them healthy first: `provision doctor etcd INVENTORY` names the cause.',
    kind: 'unsafe',
  },
  'quorum-there': {
    why: 'A recovery gives up what all members but one have. A member has a leader, by its own host or by one that hears it over the network: the quorum is not lost, also where a person has named it as lost.',
    next: 'Replace a single member with `provision member replace INVENTORY HOST`; `provision doctor etcd INVENTORY` names what else is wrong. To give the serving members up all the same, stop them first: `sudo systemctl disable --now etcd` there, or switch the machines off. A host that says so wrongly of another member has no say once it is named with `--lost`; a control plane, once the inventory leaves it out; one that says so wrongly of its own member, once it is switched off.',
    kind: 'unsafe',
  },
  'quorum-may-return': {
    why: 'Members that are stopped or unreachable may have their data, and would be a quorum again. A recovery gives that up.',
    next: 'Bring them back. Where they are lost for good: `provision recover INVENTORY --lost HOST`, once for each.',
    kind: 'unsafe',
  },
  'recovery-not-proved': {
    why: 'A host has noted that a recovery goes on from its data, and another one that it was fenced for that neither noted, nor shows by having no data. One host that says so would decide whose data is given up.',
    next: 'Look at the notes of both, in `/var/lib/provision/restore`. Remove the wrong one, or name who is given up: `provision recover INVENTORY --lost HOST`.',
    kind: 'unsafe',
  },
  'nothing-survives': {
    why: 'No member is left that has data and is not named as lost.',
    next: 'Restore a snapshot: `provision snapshot restore INVENTORY FILE`.',
  },
  'two-clusters': {
    why: 'The survivors have data of different clusters: no number says which history is the right one.',
    next: 'Name the hosts whose data is not to be recovered: `provision recover INVENTORY --lost HOST`. It is moved aside, and kept.',
    kind: 'unsafe',
  },
  'member-moved': {
    why: 'The inventory has another data directory or address for a member that has its data. A restart alone would lose the one, or leave the others asking at the old place for the other. A new name needs nothing of this: etcd takes it at its next start.',
    next: 'Leave the variable as it was; or follow the hint, one member after the other, while all others are healthy.',
    kind: 'unsafe',
  },
  'no-runc': {
    why: 'A release of containerd has no runc, which its package would bring, and the host has none: no container could be started.',
    next: 'Name a release of runc with `kube_cluster_runc_release` and its SHA-256, or install the package.',
  },
  'program-in-the-way': {
    why: 'A release of etcd, containerd, runc or the CNI plugins is found by links, and something of others is in their place. It is neither replaced nor passed over.',
    next: 'See whose it is. Where nobody needs it, move it away, as the hint shows; else leave it to the package: `etcd_install: package`, or no `kube_cluster_…_release`.',
  },
  'upgrade-refused': {
    why: 'The inventory asks for a version of etcd that the members can not go to from the one that they run: etcd goes one minor version at a time, never back, and some pairs of versions do harm.',
    next: 'Set `etcd_version` to the next version of the path that the error names, apply, and go on from there.',
    kind: 'unsafe',
  },
  'quota-too-small': {
    why: 'A host that joins would run with a quota which the database of the members has nearly reached. Its alarm NOSPACE would stop the writes of all members.',
    next: 'Set `etcd_quota_backend_bytes` of the group etcd to what the members run with: `etcd_server_quota_backend_bytes` in their metrics. Or make the database smaller: `provision defrag INVENTORY`.',
    kind: 'unsafe',
  },
  'upgrade-while-down': {
    why: 'The version of etcd would change while too few members run. What they ran, and whether the new one can read their data, is not known for certain.',
    next: 'Start them with the version that they have, then run the same command again.',
    kind: 'unsafe',
  },
  'runs-a-release': {
    why: 'The inventory wants the etcd of the package, and the host runs a release of another version. The package has one version only, and etcd never goes back.',
    next: 'Keep `etcd_install: release`; or go to the version of the package by release first, where that one is newer.',
  },
  'release-unreadable': {
    why: 'The tarball of an etcd release can not be read: a file that is missing on the control machine, or a mirror that does not answer.',
    next: 'Name a file or a mirror with `etcd_release_url`. Where only the hosts reach the mirror: `etcd_release_fetch: host`.',
  },
  'release-differs': {
    why: 'The tarball of an etcd release is not the one whose SHA-256 the inventory has. It was sent to no host.',
    next: 'Compare it with SHA256SUMS of the release. Remove a damaged file, or correct `etcd_release_sha256`.',
  },
  'alarm-disputed': {
    why: 'The alarm NOSPACE is listed by some members only. Alarms are replicated: the word of one host drops no history.',
    next: 'Compare what each says: `provision doctor etcd INVENTORY`.',
    kind: 'unsafe',
  },
  'membership-pending': {
    why: 'Another membership change was begun and is not finished: etcd lists a learner, or a member that never started.',
    next: 'Finish that one first: `provision apply INVENTORY`, where its host is in the group etcd. One change at a time.',
    kind: 'unsafe',
  },
  'etcd-data-in-the-way': {
    why: 'There is etcd data where a new member would be made, for example from a start by the package itself.',
    next: 'If nobody needs it, stop etcd and move the data directory away; the error has the exact commands. Never delete it unseen.',
    kind: 'unsafe',
  },
  'membership-differs': {
    why: 'The inventory and etcd name different members.',
    next: 'Compare both with `provision verify INVENTORY`; then correct the group etcd, or finish the membership change: `provision apply INVENTORY` adds a bare host of the group etcd, and removes members of the group etcd_former.',
    kind: 'unsafe',
  },
  'foreign-etcd': {
    why: 'The etcd behind an API server, or a member of the inventory, belongs to another cluster. After the change data would be gone from view.',
    next: 'Correct the group etcd, or move the data to this cluster first, with a snapshot: docs/runbooks/snapshots.md.',
    kind: 'unsafe',
  },
  'etcd-not-proved': {
    why: 'Whether the etcd that an API server uses is this cluster could not be proved, because members do not answer. An API server is never moved on a guess.',
    next: 'Start these members; `provision verify INVENTORY` names them.',
    kind: 'unsafe',
  },
  'etcd-auth-on': {
    why: 'The etcd asks its clients who they are (RBAC), and a load balancer that ends TLS would make one user of all of them. Nothing was changed.',
    next: 'Set etcd_lb_mode to passthrough.',
    kind: 'unsafe',
  },
  'mixed-overrides': {
    why: 'An --etcd-servers-overrides of the API server names servers of this cluster and of another in one list.',
    next: 'Name the servers of one cluster only, as the inventory names them.',
    kind: 'unsafe',
  },
  'not-adoptable': {
    why: "The existing etcd has something that can't be described in variables. The items above the error say what. Nothing was written.",
    next: 'Fix each item, then run `provision adopt INVENTORY` again.',
  },
  'adopted-etcd-differs': {
    why: 'The variables of an adopted member name a file or a unit that is not on the host.',
    next: 'Remove the wrong variables, then run `provision adopt INVENTORY`.',
  },
} satisfies Explanations;
