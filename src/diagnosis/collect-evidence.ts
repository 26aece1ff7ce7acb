import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { clock, NOW } from '../facts/clock.js';
import { etcdCondition, etcdConditionKey } from '../facts/etcd-condition.js';
import { etcdIdentity, etcdIdentityKey } from '../facts/etcd-identity.js';
import { etcdStatus, etcdStatusKey } from '../facts/etcd-status.js';
import { pairFault } from '../facts/pair-fault.js';
import { unlessLost } from '../facts/unless-lost.js';
import { peerFiles, type Cluster, type Member } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { describeSubject } from '../pki/compare.js';
import { notAfterOf, readCertificates, subjectOf } from '../pki/inspect.js';
import type { CertificateTrouble, LostMember, MemberEvidence, SeenMember } from './evidence.js';

/** What the look needs. */
export interface EvidenceSource {
  readonly cluster: Pick<Cluster, 'members' | 'isManaged'>;
  readonly probe: (host: string) => Probe;
  /** Milliseconds since 1970, on the control machine. */
  readonly now: () => number;
}

/**
 * Asks every member's host all that a diagnosis needs, at once: one exec a host. A host that can't be asked hides nothing
 * of the others.
 */
export async function collectEvidence({ cluster, probe, now }: EvidenceSource): Promise<readonly MemberEvidence[]> {
  return Promise.all(
    cluster.members.map(async (member) => {
      const found = await unlessLost(lookAt(member, cluster, { probe: probe(member.host), now }));
      return { member, found: found instanceof RemoteError ? lost(found) : found };
    }),
  );
}

async function lookAt(
  member: Member,
  cluster: EvidenceSource['cluster'],
  { probe, now }: { readonly probe: Probe; readonly now: () => number },
): Promise<SeenMember> {
  const { clientUrl, client } = member;
  const sent = now();
  const [host, status, identity, condition, certificates] = await Promise.all([
    probe.ask(clock, NOW),
    probe.ask(etcdStatus, etcdStatusKey(member)),
    probe.ask(etcdIdentity, etcdIdentityKey({ url: clientUrl, ...client })),
    probe.ask(etcdCondition, etcdConditionKey(member, cluster.members)),
    certificateTroubles(member, cluster, { probe, now: new Date(sent) }),
  ]);
  return { kind: 'seen', status, identity, condition, certificates, clock: { sent, host, received: now() } };
}

function lost({ message, hint, host }: RemoteError): LostMember {
  const [first = ''] = message.split('\n');
  return { kind: 'lost', reason: first.startsWith(`${host}: `) ? first.slice(host.length + 2) : first, next: hint };
}

async function certificateTroubles(
  member: Member,
  { isManaged }: Pick<Cluster, 'isManaged'>,
  { probe, now }: { readonly probe: Probe; readonly now: Date },
): Promise<readonly CertificateTrouble[]> {
  const { server, client } = member;
  const pairs = [
    ['server', server.certificate, server.key] as const,
    // Where an adopted member has its peer certificate is not known.
    ...(isManaged ? [['peer', peerFiles(member).certificate, peerFiles(member).key] as const] : []),
    ['client', client.certificate, client.key] as const,
  ];
  const [trust, ...found] = await Promise.all([
    probe.ask(certificateFiles, certificateFilesKey(client.ca)),
    ...pairs.map(async ([of, ...paths]): Promise<readonly CertificateTrouble[]> => {
      const fault = pairFault(paths, await probe.ask(certificateFiles, certificateFilesKey(...paths)), now);
      return fault === undefined ? [] : [{ of, text: fault }];
    }),
  ]);
  const fault = trustFault(client.ca, trust.pem, now);
  return [...(fault === undefined ? [] : [{ of: 'authority' as const, text: fault }]), ...found.flat()];
}

/** Why nothing can be verified by what a host trusts: no authority in the file is valid now. */
function trustFault(path: string, pem: string, now: Date): string | undefined {
  const authorities = readCertificates(pem).flatMap((each) => (each === undefined ? [] : [each]));
  const [first] = authorities;
  if (first === undefined) return `has no authority in ${path}`;
  if (authorities.some((each) => notAfterOf(each) > now && new Date(each.validFrom) <= now)) return undefined;
  const name = describeSubject(subjectOf(first));
  const end = notAfterOf(first);
  return end > now
    ? `has ${path}, in which ${name} is valid only from ${new Date(first.validFrom).toISOString().slice(0, 10)}`
    : `has ${path}, in which ${name} expired on ${end.toISOString().slice(0, 10)}`;
}
