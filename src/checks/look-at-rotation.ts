import type { X509Certificate } from 'node:crypto';
import { APISERVER } from '../facts/apiserver-processes.js';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { fileState } from '../facts/file-state.js';
import { programStarts } from '../facts/program-starts.js';
import { unitState } from '../facts/unit-state.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { AuthorityView } from '../pki/authority.js';
import {
  balancerCertificates,
  balancerTrust,
  memberCertificates,
  memberTrust,
  type WantedCertificate,
} from '../pki/certificate-list.js';
import { isSignedBy, readCertificates } from '../pki/inspect.js';
import { pathsOf } from '../resources/judge-certificate.js';
import { partOfApiserver } from './certificates.js';
import { stageOfLeaf, type LeafSeen, type RotationSeen, type TrustSeen } from './rotation-stage.js';

/** Where to look, and which authorities are looked for. */
export interface RotationLook {
  readonly cluster: Cluster;
  readonly authority: AuthorityView;
  readonly probe: (host: string) => Probe;
}

/** One process on a host: what it trusts and shows, and since when it knows. */
interface Reader {
  readonly probe: Probe;
  readonly name: string;
  readonly trust: string;
  readonly certificates: readonly WantedCertificate[];
  /** Certificates are read when the process is loaded; else at each handshake. */
  readonly readsAt: 'load' | 'handshake';
  /** Seconds since 1970; absent: it does not run, and reads all when it starts. */
  readonly since: () => Promise<number | undefined>;
}

/** What the hosts have of a rotation: asked of the files, and of the processes that read them. */
export async function lookAtRotation(look: RotationLook): Promise<RotationSeen> {
  const { authority } = look;
  const rotation = authority.rotation?.();
  const known: Known = {
    old: certificateIn(rotation?.old ?? authority.certificate()),
    new: certificateIn(rotation?.new),
    others: (rotation?.others ?? othersIn(authority)).flatMap((pem) => certificateIn(pem)?.fingerprint256 ?? []),
  };
  const readers = [...memberReaders(look), ...balancerReaders(look), ...(await apiserverReaders(look))];
  const [trusts, leaves] = await Promise.all([
    Promise.all(readers.map(async (reader) => trustSeen(reader, known))),
    Promise.all(readers.map(async (reader) => leavesSeen(reader, known))),
  ]);
  return { store: rotation, trusts, leaves: leaves.flat() };
}

interface Known {
  readonly old: X509Certificate | undefined;
  readonly new: X509Certificate | undefined;
  /** Fingerprints. */
  readonly others: readonly string[];
}

function certificateIn(pem: string | undefined): X509Certificate | undefined {
  return readCertificates(pem ?? '')[0];
}

function othersIn(authority: AuthorityView): readonly string[] {
  const [, ...others] = readCertificates(authority.trustBundle() ?? '');
  return others.flatMap((certificate) => certificate?.toString() ?? []);
}

function memberReaders({ cluster, probe }: RotationLook): readonly Reader[] {
  return cluster.members.map((member) => ({
    probe: probe(member.host),
    name: 'etcd',
    trust: memberTrust(cluster, member).path,
    certificates: memberCertificates(cluster, member),
    readsAt: 'handshake',
    since: async () => (await probe(member.host).ask(unitState, member.unit)).startedAt,
  }));
}

function balancerReaders({ cluster, probe }: RotationLook): readonly Reader[] {
  return cluster.services.flatMap((service) => {
    const trust = balancerTrust(service);
    if (trust === undefined) return [];
    return service.balancers.map(({ host, proxy }): Reader => ({
      probe: probe(host),
      name: service.proxy,
      trust: trust.path,
      certificates: balancerCertificates(cluster, service),
      readsAt: 'load',
      since: async () => (await probe(host).ask(unitState, proxy.unit)).loadedAt,
    }));
  });
}

async function apiserverReaders({ cluster, probe: on }: RotationLook): Promise<readonly Reader[]> {
  return Promise.all(
    cluster.controlPlanes.map(async (controlPlane): Promise<Reader> => {
      const probe = on(controlPlane.host);
      const since = async (): Promise<number | undefined> => oldestOf(await probe.ask(programStarts, APISERVER));
      const part = await partOfApiserver({ cluster }, controlPlane, probe);
      if (part === undefined)
        throw new ProvisionError({
          code: 'rotation-not-settled',
          message: `${controlPlane.host} has no ${controlPlane.manifest} that can be read: what its kube-apiserver trusts is not known`,
          hint: 'first: provision apply INVENTORY',
        });
      const { certificates, trust } = part;
      return { probe, name: APISERVER, trust: trust.path, certificates, readsAt: 'handshake', since };
    }),
  );
}

function oldestOf(processes: readonly { readonly startedAt: number }[]): number | undefined {
  return processes.length === 0 ? undefined : Math.min(...processes.map(({ startedAt }) => startedAt));
}

async function trustSeen({ probe, name, trust: path, since }: Reader, known: Known): Promise<TrustSeen> {
  const [{ pem }, isRead] = await Promise.all([
    probe.ask(certificateFiles, certificateFilesKey(path)),
    isReadSince(path, since, probe),
  ]);
  const has = readCertificates(pem).map((certificate) => certificate?.fingerprint256);
  const ours = [known.old?.fingerprint256, known.new?.fingerprint256];
  const isHeld = (own: X509Certificate | undefined): boolean => own !== undefined && has.includes(own.fingerprint256);
  return {
    ...{ host: probe.host, path, reader: name, isRead },
    old: isHeld(known.old),
    new: isHeld(known.new),
    strangers: has.filter((each) => each === undefined || !(ours.includes(each) || known.others.includes(each))).length,
  };
}

async function leavesSeen({ probe, certificates, readsAt, since }: Reader, known: Known): Promise<readonly LeafSeen[]> {
  return Promise.all(
    certificates.map(async ({ name, destination }): Promise<LeafSeen> => {
      const { certificatePath: path, keyPath } = pathsOf(destination);
      const [{ pem }, isRead] = await Promise.all([
        probe.ask(certificateFiles, certificateFilesKey(path, keyPath)),
        readsAt === 'handshake' ? true : isReadSince(path, since, probe),
      ]);
      const stage = stageOfLeaf(name);
      return { host: probe.host, name, path, stage, isRead, signer: signerOf(certificateIn(pem), known) };
    }),
  );
}

function signerOf(leaf: X509Certificate | undefined, known: Known): LeafSeen['signer'] {
  if (leaf === undefined) return 'none';
  if (known.new !== undefined && isSignedBy(leaf, known.new)) return 'new';
  return known.old !== undefined && isSignedBy(leaf, known.old) ? 'old' : 'other';
}

async function isReadSince(path: string, since: Reader['since'], probe: Probe): Promise<boolean> {
  const [state, at] = await Promise.all([probe.ask(fileState, path), since()]);
  return state.kind === 'absent' || at === undefined || state.changedAt <= at;
}
