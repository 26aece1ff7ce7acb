import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { quotaUntold, refuseSmallQuota } from '../resources/joinable-size.js';
import { refuseOtherVersion, wantedVersion } from '../resources/joinable-version.js';
import { peersOf } from '../resources/joining-steps.js';
import { letInByMembers } from '../resources/let-in-by-members.js';
import type { RecoveryDecision } from './decide-recovery.js';

/**
 * What would stop a member from joining the survivor, refused while nothing is stopped: in the middle of a recovery nobody serves.
 * @param bytes of the survivor's database
 * @returns what the firewalls of the others would stop, who are not needed for the first join: to be told
 * @throws ProvisionError `firewall-cuts-off`, `quota-too-small`, `upgrade-refused`
 */
export async function refuseWhoCannotJoin(
  { survivor, others }: Pick<RecoveryDecision, 'survivor' | 'others'>,
  { cluster, bytes }: { readonly cluster: Cluster; readonly bytes: number },
  probe: (host: string) => Probe,
): Promise<readonly string[]> {
  for (const member of others) refuseSmallQuota(member, { size: bytes, quota: quotaUntold(survivor, bytes) });
  await refuseVersions({ survivor, others }, probe);
  await Promise.all(others.map(async (member) => askFirewall(survivor, { cluster, member, probe })));
  const pairs = others.flatMap((member) =>
    others.filter((each) => each !== member).map((each) => [each, member] as const),
  );
  const told = await Promise.all(
    pairs.map(async ([each, member]) => {
      try {
        await askFirewall(each, { cluster, member, probe });
        return [];
      } catch (error) {
        if (!(error instanceof ProvisionError) || error.code !== 'firewall-cuts-off') throw error;
        return [
          `the firewall of ${each.host} does not let ${member.host} in at ${member.address}; ${error.hint ?? ''}`,
        ];
      }
    }),
  );
  return told.flat();
}

async function refuseVersions(
  { survivor, others }: Pick<RecoveryDecision, 'survivor' | 'others'>,
  probe: (host: string) => Probe,
): Promise<void> {
  const versionOf = async (member: Member) => ({ member, version: await wantedVersion(member, probe(member.host)) });
  const [first, ...rest] = await Promise.all([survivor, ...others].map(versionOf));
  const running = first?.version === undefined ? [] : [first.version];
  for (const { member, version } of rest) if (version !== undefined) refuseOtherVersion(member, version, running);
}

async function askFirewall(
  of: Member,
  {
    cluster,
    member,
    probe,
  }: { readonly cluster: Cluster; readonly member: Member; readonly probe: (host: string) => Probe },
): Promise<void> {
  const left = { steps: ['add' as const], removed: undefined, initialCluster: '', found: undefined };
  const way = { cluster, member, peers: peersOf(cluster, member), decide: () => Promise.resolve(left) };
  await letInByMembers([of.host], way).plan(probe(member.host));
}
