import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { pairFault } from '../facts/pair-fault.js';
import { unlessLost } from '../facts/unless-lost.js';
import { peerFiles, type Cluster, type Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { GateInput } from '../model/gate.js';
import type { Probe } from '../model/remote.js';

/**
 * The members that their own certificates on disk keep from serving: expired, missing, not fitting their keys. What such a
 * member cannot say or do is no fault of the change that is going on, which may be the one that renews them.
 * @returns by host, why
 */
export async function brokenCertificates(
  cluster: Cluster,
  probe: GateInput['probe'],
  now: Date,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    cluster.members.map(
      async (member) => [member.host, await unlessLost(faultOf(cluster, member, probe(member.host), now))] as const,
    ),
  );
  return new Map(
    found.flatMap(([host, fault]) =>
      fault === undefined || fault instanceof RemoteError ? [] : [[host, fault] as const],
    ),
  );
}

async function faultOf(cluster: Cluster, member: Member, probe: Probe, now: Date): Promise<string | undefined> {
  const pairs = [
    [member.server.certificate, member.server.key] as const,
    // Where an adopted member has its peer certificate is not known.
    ...(cluster.isManaged ? [[peerFiles(member).certificate, peerFiles(member).key] as const] : []),
  ];
  const faults = await Promise.all(
    pairs.map(async (paths) => {
      const files = await probe.ask(certificateFiles, certificateFilesKey(...paths));
      return pairFault(paths, files, now);
    }),
  );
  return faults.find((fault) => fault !== undefined);
}
