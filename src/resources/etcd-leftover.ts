import { etcdData, etcdDataKey } from '../facts/etcd-data.js';
import { isUntouchedLoneMember } from '../facts/etcd-phase.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { moveDataAside } from '../shell/etcd-unit.js';

/**
 * No throw-away data in the way. Debian's package starts a lone member at its installation: its data is moved aside
 * when it is provably untouched. Give it before the environment file: with that, the data could not be told from a
 * member's.
 */
export function etcdLeftover(member: Member): Resource {
  return {
    address: `etcd-leftover:${member.dataDir}`,
    paths: [],
    async plan(probe) {
      const data = await probe.ask(etcdData, etcdDataKey(member));
      if (!data.hasData || data.isConfigured || data.isBootstrapping) return UNCHANGED;
      if (!isUntouchedLoneMember(data)) throw inTheWay(member, data.lone?.revision);
      return changed({
        summary: `move aside ${member.dataDir}: the untouched member that the package started alone`,
        diff: ['- one member, known only to itself, nothing ever written (revision 1)'],
        actions: [
          {
            kind: 'run',
            command: moveDataAside(member.dataDir),
            undo: { lasting: 'the data stays aside, under a dated name' },
          },
        ],
        effect: 'change',
        disruptive: false,
      });
    },
  };
}

function inTheWay(member: Member, revision: number | undefined): ProvisionError {
  const what =
    revision === undefined
      ? 'nothing answers for it on http://127.0.0.1:2379, so it cannot be told whether it was ever used'
      : `it was written to, or has peers (revision ${revision})`;
  return new ProvisionError({
    code: 'etcd-data-in-the-way',
    message: `${member.dataDir} on ${member.host} holds etcd data, and ${member.configFile} names no cluster (ETCD_INITIAL_CLUSTER): ${what}`,
    hint:
      revision === undefined
        ? `if it is only the start by the package itself: systemctl start etcd on ${member.host}, then plan again`
        : `if it is not needed: systemctl stop etcd, and move ${member.dataDir} away on ${member.host}`,
  });
}
