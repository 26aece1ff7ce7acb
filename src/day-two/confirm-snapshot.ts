import { askHosts } from '../checks/ask-hosts.js';
import { etcdCompacted, etcdCompactedKey } from '../facts/etcd-compacted.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import {
  askMembers,
  isFit,
  reachedByMost,
  type AskedMembers,
  type Heard,
  type SnapshotSource,
  type VotersOf,
} from './snapshot-source.js';

/** Members a moment behind get as far as the snapshot with the next heartbeat, 100 ms by default. */
const CONFIRM_MS = 15_000;
const BETWEEN_LOOKS_MS = 200;

/** What it takes to ask again. */
export interface AskAgain {
  readonly cluster: VotersOf;
  /** For one look: what is asked once more is another one. */
  readonly newProbe: () => AskedMembers['probe'];
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Makes sure that a snapshot is of a revision which most members had reached before, and no later one than they have now: a host can
 * give any file, and an old or an invented one would be found out on the worst day. What is in it only a restore shows.
 * @param revision of the newest entry in the snapshot; 0 where it has none
 * @throws ProvisionError `snapshot-implausible`
 */
export async function requireConfirmed(
  { member, status, confirmed }: SnapshotSource,
  revision: number,
  { cluster, newProbe, now, sleep }: AskAgain,
): Promise<void> {
  if (confirmed === undefined) return;
  const until = now() + CONFIRM_MS;
  for (;;) {
    const asked = { cluster, probe: newProbe() };
    const { answers } = await askMembers(asked);
    const same = answers.filter((each) => isFit(each) && each.status.clusterId === status.clusterId);
    const reached = reachedByMost(same.map((each) => each.status.revision));
    if (revision < confirmed && !(reached === confirmed && (await isHistoryGone(confirmed, same, asked))))
      throw implausible(member, revision, `most members had reached revision ${confirmed} before`);
    if (reached >= revision) return;
    if (now() >= until) throw implausible(member, revision, `most members are at revision ${reached} after it`);
    await sleep(BETWEEN_LOOKS_MS);
  }
}

/**
 * Whether most members have dropped all that came before a revision: what was deleted last has then left no entry, and a snapshot of
 * now is as old as the newest key that is left. How old that is, a member tells only by going through all its keys, which is not
 * asked of one that serves. A store that nothing was ever written to is at revision 1, and has no entry.
 */
async function isHistoryGone(
  revision: number,
  voters: readonly Heard[],
  { probe }: Pick<AskedMembers, 'probe'>,
): Promise<boolean> {
  if (revision <= 1) return true;
  const { heard } = await askHosts(
    voters.map(({ member }) => member.host),
    async (host) => {
      const [voter] = voters.filter(({ member }) => member.host === host);
      return voter && probe(host).ask(etcdCompacted, etcdCompactedKey(voter.member, revision));
    },
  );
  return 2 * [...heard.values()].filter((said) => said === 'yes').length > voters.length;
}

function implausible({ host }: Member, revision: number, why: string): ProvisionError {
  return new ProvisionError({
    code: 'snapshot-implausible',
    message: `${host}: its snapshot is of revision ${revision}, and ${why}; it was not kept`,
    hint: 'see what that member says: provision verify INVENTORY; save another one: provision snapshot save INVENTORY --from HOST',
  });
}
