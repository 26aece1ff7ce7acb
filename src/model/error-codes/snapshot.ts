import type { Explanations } from './explanation.js';

/** Snapshots: saving, checking and restoring them. */
export const SNAPSHOT = {
  'no-healthy-member': {
    why: 'No member can be saved: none answers as a healthy part of a quorum.',
    next: 'See `provision verify INVENTORY`. Without a quorum, save one all the same: `provision snapshot save INVENTORY --from HOST`.',
  },
  'members-of-two-clusters': {
    why: 'Healthy members say that they are of different clusters, and no cluster has most of them.',
    next: 'See `provision verify INVENTORY`. Then name the member to save: `provision snapshot save INVENTORY --from HOST`.',
    kind: 'unsafe',
  },
  'snapshot-implausible': {
    why: 'A snapshot is of an older revision than most members had reached before it was taken, or of a later one than they have now: its host gave something else than what the cluster has. It was not kept.',
    next: 'See what is the matter with that member: `provision verify INVENTORY`. Save another one: `provision snapshot save INVENTORY --from HOST`.',
  },
  'snapshot-damaged': {
    why: 'A snapshot is damaged or incomplete: the checksum at its end does not match its contents.',
    next: 'Take another: `provision snapshot save INVENTORY`, or choose another from `provision snapshot list INVENTORY`.',
  },
  'snapshot-differs': {
    why: 'The tool of etcd finds something else in a snapshot than its manifest says.',
    next: 'Do not rely on it. Take another: `provision snapshot save INVENTORY`.',
  },
  'snapshot-unreadable': {
    why: 'The etcd tool on a host could not read the snapshot.',
    next: 'Try on the host: `etcdutl snapshot status FILE`, or `etcdctl snapshot status FILE`.',
  },
  'trial-failed': {
    why: 'A trial restore of the snapshot failed. Nothing of it remains.',
    next: 'Take another: `provision snapshot save INVENTORY`; this one is not to be relied on.',
  },
  'file-is-there': {
    why: 'A file of that name exists. A snapshot, its manifest and an exported authority replace no file.',
    next: 'Give another name with -o FILE, or remove the file after looking at it.',
  },
  'no-room': {
    why: 'The disk of this machine would become too full.',
    next: 'Make room, give another place with -o FILE, or let --keep N remove old snapshots.',
  },
  'no-etcd-tool': {
    why: 'There is no etcdutl and no etcdctl where the snapshot would be restored.',
    next: 'Install it there: `apt-get install etcd-client`; or try on a host that has etcd: `provision snapshot verify FILE INVENTORY --on HOST`.',
  },
  'other-cluster': {
    why: 'The snapshot is of another cluster than the one that runs; where no member answers, it has another name or other members than the inventory, or no manifest that tells. Also a cluster that was restored has another id.',
    next: 'Give the right snapshot. Where this very one is meant, say so with --other-cluster.',
    kind: 'unsafe',
  },
  'newer-snapshot': {
    why: "The snapshot is of a later minor version of etcd than the one installed, which can't read it.",
    next: 'Restore it where etcd has the same minor version.',
  },
  'other-restore': {
    why: 'The restore of another snapshot was begun on these hosts, and is not finished.',
    next: 'Finish it with its snapshot, or undo it: `provision snapshot restore INVENTORY --take-back`.',
  },
  'being-taken-back': {
    why: 'A restore is being undone, and that is not finished.',
    next: 'Finish it first: `provision snapshot restore INVENTORY --take-back`.',
  },
  'several-restores': {
    why: 'The hosts have notes of more than one unfinished restore.',
    next: 'Look at /var/lib/provision/restore on the hosts that the error names, and keep the notes of one.',
  },
  'nothing-to-take-back': {
    why: 'No unfinished restore was found on the hosts.',
    next: 'Nothing is to be done. `provision verify INVENTORY` shows how the cluster is.',
  },
  'too-late': {
    why: 'An API server writes on the restored data already; undoing the restore would lose what it wrote.',
    next: 'Finish the restore with its snapshot. The data of before is kept beside it.',
  },
} satisfies Explanations;
