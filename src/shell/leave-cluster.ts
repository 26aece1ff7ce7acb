import type { Member } from '../model/cluster.js';
import type { Command } from '../model/remote.js';
import { handOverLeadership } from './etcdctl.js';
import { ASKING_TIMEOUT_MS, askingPeers, type MembershipRequest } from './asking-peers.js';
import { podMember, podRuns } from './etcd-pod.js';
import { quote } from './quote.js';

/** Makes a leader hand over before its member leaves. @param leaving names of all that leave: none of them gets it */
export function yieldLeadership(member: Member, leaving: readonly string[]): Command {
  return { summary: 'hand over etcd leadership, if held', script: handOverLeadership(member, leaving) };
}

/**
 * Takes a member that is to leave out of the list, as the only change in progress. It is asked of those that stay.
 * @param id as etcdctl writes it, in hex
 * @param stopped the member that must not run any more, where the script runs on its host
 */
export function removeLeaving(request: MembershipRequest, id: string, stopped: Member | undefined): Command {
  const pending = `$1 != id && ($2 != "started" || $6 == "true") { print; exit }`;
  return {
    summary: `etcdctl member remove ${id}`,
    script: [
      ...askingPeers(request),
      ...(stopped === undefined
        ? []
        : (podLines(stopped) ?? [`runs() { systemctl is-active --quiet ${quote(`${stopped.unit}.service`)}; }`])),
      'guard() {',
      `printf '%s\\n' "$list" | grep -q ${quote(`^${id}, `)} || exit 0`,
      ...(stopped === undefined
        ? []
        : [`! runs || refuse ${quote('etcd runs here again: the list of members was not changed')}`]),
      `other=$(printf '%s\\n' "$list" | awk -F ', ' -v id=${quote(id)} ${quote(pending)})`,
      '[ -z "$other" ] || refuse "another membership change is in progress: $other"',
      '}',
      `change member remove ${quote(id)}`,
    ].join('\n'),
    timeoutMs: ASKING_TIMEOUT_MS,
  };
}

function podLines(member: Member): readonly string[] | undefined {
  const pod = podMember(member);
  return pod === undefined ? undefined : podRuns(pod);
}

/** Takes a member back into service that was stopped to leave: as long as its data is in its place, it may still be listed. */
export function backInService({ unit, dataDir }: Member): Command {
  const name = quote(`${unit}.service`);
  return {
    summary: `start ${unit} again, where its data is in its place`,
    script: [
      'set -eu',
      `[ -e ${quote(`${dataDir}/member`)} ] || exit 0`,
      `systemctl enable --quiet ${name}`,
      `systemctl start ${name}`,
    ].join('\n'),
  };
}
