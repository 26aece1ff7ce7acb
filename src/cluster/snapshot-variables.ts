import { defaulted, optional } from './variable-definition.js';
import { absolutePath, calendar, commandWords, wholeNumber } from './variable-kinds.js';

/** Snapshots that hosts save of their own members. */
export const SNAPSHOT_VARIABLES = {
  etcd_snapshot_schedule: optional({
    schema: calendar(),
    type: 'calendar expression of systemd',
    fallbackText: 'no snapshots on a schedule',
    description:
      'When each member host saves a snapshot of its own member: `hourly`, `*-*-* 02:30`. ' +
      '[What is kept, and how it is restored](../runbooks/snapshots.md#on-a-schedule).',
  }),
  etcd_snapshot_directory: defaulted('/var/backups/etcd', {
    schema: absolutePath(),
    type: 'path',
    description: 'Schedule: where a host keeps them. A directory of its own, for root only.',
  }),
  etcd_snapshot_keep: defaulted(7, {
    schema: wholeNumber(1, 10_000),
    type: 'whole number',
    description: 'Schedule: how many verified snapshots a host keeps. The last one is never removed.',
  }),
  etcd_snapshot_upload: optional({
    schema: commandWords(),
    type: 'list of words, or text',
    fallbackText: 'none',
    description:
      'Schedule: a program of the host, by its path, with its first words: `[/usr/local/bin/store, --bucket, etcd]`. It is run after each verified ' +
      "snapshot, with the snapshot's path as its last word, and without a shell.",
  }),
} as const;
