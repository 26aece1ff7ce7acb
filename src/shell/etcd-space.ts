import type { Member } from '../model/cluster.js';
import type { Command } from '../model/remote.js';
import { etcdctl, etcdctlFlags } from './etcdctl.js';
import { needRoomLines } from './disk-room.js';
import { quote } from './quote.js';

/** A member as it is asked on its own host. */
type Asked = Pick<Member, 'clientUrl' | 'client'>;

/** Copying a database of 8 GiB (etcd docs, "system limits") from and to a slow disk takes less, in seconds. */
const DEFRAG_LIMIT_S = 3600;

/** Going through a history of that size. */
const COMPACT_LIMIT_S = 3600;

/** Physical compaction goes on after the request for it on the other members: seconds that it may take until nothing gets free. */
const SETTLE_LIMIT_S = 900;

const REFUSE = `refuse() { printf '%s\\n' "$1" >&2; exit 1; }`;

/** The same call as {@link etcdctl}, which may take long. */
function patientEtcdctl(member: Asked, limitS: number): string {
  return `timeout ${limitS} etcdctl ${etcdctlFlags(member)} --dial-timeout=5s --command-timeout=${limitS}s`;
}

/** Drops the history of all keys up to a revision. The newest value of each key stays. */
export function compactHistory(member: Asked, revision: number): Command {
  return {
    summary: `etcdctl compact --physical ${revision}`,
    script: [
      'set -eu',
      'export ETCDCTL_API=3',
      `out=$(${patientEtcdctl(member, COMPACT_LIMIT_S)} compact --physical ${revision} 2>&1) && exit 0`,
      // What an API server compacts meanwhile is the same work.
      `case $out in *'has been compacted'*) exit 0 ;; esac`,
      `printf '%s\\n' "$out" >&2`,
      'exit 1',
    ].join('\n'),
    timeoutMs: COMPACT_LIMIT_S * 1000 + 60_000,
  };
}

/** A script that prints `yes` where the history before a revision is gone, `no` where it is there, else nothing. */
export function compactedScript(member: Asked, revision: number): string {
  return [
    // Its own store is asked, not the leader: each member drops history by itself.
    `out=$(${etcdctl(member)} get --consistency=s --limit=1 --keys-only --rev=${revision - 1} / 2>&1) && echo no || ` +
      `case $out in *'has been compacted'*) echo yes ;; *) echo ;; esac`,
  ].join('\n');
}

/** Rewrites the member's database without what is free in it. It answers nobody meanwhile. */
export function defragmentMember(member: Asked & Pick<Member, 'dataDir'>): Command {
  const { dataDir } = member;
  return {
    summary: 'etcdctl defrag',
    script: [
      'set -eu',
      'export ETCDCTL_API=3',
      REFUSE,
      `data=${quote(dataDir)}`,
      '[ -d "$data" ] || refuse "there is no directory $data"',
      // Compaction frees pages after it was asked for: what is free by then is what this gives back.
      `in_use() { ${etcdctl(member)} endpoint status -w json | sed -n 's/.*"dbSizeInUse":\\([0-9]*\\).*/\\1/p'; }`,
      'before=$(in_use)',
      `end=$(($(date +%s) + ${SETTLE_LIMIT_S}))`,
      '[ -n "$before" ] || refuse "etcd does not tell how much of its database is in use"',
      'while [ "$(date +%s)" -lt "$end" ]; do',
      '  sleep 1',
      '  now=$(in_use)',
      '  [ -n "$now" ] && [ "$now" -lt "$before" ] || break',
      '  before=$now',
      'done',
      // The new file is made beside the old one; its pages are not as full as they could be.
      'need=$((before / 1024 * 11 / 10 + 16384))',
      ...needRoomLines({
        subject: 'the new database needs',
        bytes: { kib: '$need' },
        at: '"$data"',
        place: 'beside the old one in $data',
      }),
      `${patientEtcdctl(member, DEFRAG_LIMIT_S)} defrag`,
    ].join('\n'),
    timeoutMs: (DEFRAG_LIMIT_S + SETTLE_LIMIT_S) * 1000 + 60_000,
  };
}

/** Allows writes again. `alarm disarm` disarms alarms of every kind: it is not given where there is another one. */
export function disarmNospace(member: Asked): Command {
  return {
    summary: 'etcdctl alarm disarm',
    script: [
      'set -eu',
      'export ETCDCTL_API=3',
      REFUSE,
      `ctl() { ${etcdctl(member)} "$@"; }`,
      'alarms=$(ctl alarm list)',
      `other=$(printf '%s\\n' "$alarms" | grep -v -e '^$' -e 'alarm:NOSPACE' || :)`,
      '[ -z "$other" ] || refuse "another alarm is raised, which would be disarmed, too: $other"',
      '[ -z "$alarms" ] || ctl alarm disarm >/dev/null',
    ].join('\n'),
  };
}
