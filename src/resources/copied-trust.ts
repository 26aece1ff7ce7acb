import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import type { Resource } from '../model/change.js';
import { plainContent, type Content } from '../model/content.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { HostFile } from '../model/virtual-service.js';
import { readCertificates } from '../pki/inspect.js';
import { file } from './file.js';

/** The authority of others, which hosts hold, on a host that verifies by it. */
export interface CopiedTrust {
  readonly path: string;
  /** Where it is; all must hold the same. */
  readonly from: readonly HostFile[];
}

/**
 * A file with the certificates that these hosts hold. While it is as it should be, it is enough that some of them answer;
 * it is written only when all of them do, so that nobody alone decides what is trusted.
 */
export function copiedTrust({ path, from }: CopiedTrust): Resource {
  return {
    address: `trust:${path}`,
    paths: [path],
    async plan(probe) {
      // All in one turn, with the question for the file itself.
      const looks = Promise.all(from.map((source) => lookAt(source, probe)));
      const content = async (): Promise<Content> => agreedContent(await looks);
      const planned = file({ path, content, owner: 'root', group: 'root', mode: '0644' }).plan(probe);
      // Of a content that nobody has yet nothing can be wrong.
      planned.catch(() => undefined);
      const seen = await looks;
      if (seen.length > 0 && seen.every(({ kind }) => kind === 'absent'))
        return { kind: 'unknown', because: `no host has ${from[0]?.path ?? 'it'} yet, which kubeadm makes` };
      const outcome = await planned;
      const [lost] = seen.flatMap((look) => (look.kind === 'lost' ? [look.error] : []));
      if (outcome.kind === 'change' && lost !== undefined) throw lost;
      return outcome;
    },
  };
}

interface Held extends HostFile {
  readonly kind: 'held';
  readonly certificates: readonly string[];
}

/** What a host holds, or why it can't be asked. */
type Look = Held | { readonly kind: 'absent' } | { readonly kind: 'lost'; readonly error: RemoteError };

async function lookAt(source: HostFile, probe: Probe): Promise<Look> {
  try {
    const { pem, certificate } = await probe.on(source.host).ask(certificateFiles, certificateFilesKey(source.path));
    // No API server yet: it will get what the others have.
    if (certificate === undefined && pem === '') return { kind: 'absent' };
    const found = readCertificates(pem).flatMap((certificate) => certificate?.toString().trim() ?? []);
    return { kind: 'held', ...source, certificates: [...new Set(found)].toSorted() };
  } catch (error) {
    if (error instanceof RemoteError) return { kind: 'lost', error };
    throw error;
  }
}

function agreedContent(looks: readonly Look[]): Content {
  const held = looks.filter((look) => look.kind === 'held');
  const [lost] = looks.flatMap((look) => (look.kind === 'lost' ? [look.error] : []));
  const [first] = held;
  if (first === undefined && lost !== undefined) throw lost;
  const without = held.find(({ certificates }) => certificates.length === 0);
  if (first === undefined || without !== undefined) throw noAuthority(without);
  const other = held.find(({ certificates }) => certificates.join() !== first.certificates.join());
  if (other !== undefined) throw disagreement(first, other);
  return plainContent(`${first.certificates.join('\n')}\n`);
}

function noAuthority(source: Held | undefined): ProvisionError {
  return new ProvisionError({
    code: 'authority-missing',
    message: `${source?.path ?? 'the authority'} on ${source?.host ?? 'all hosts'} holds no certificate: nothing could be verified by it`,
    hint: source === undefined ? undefined : `ssh ${source.host} sudo openssl x509 -noout -subject -in ${source.path}`,
  });
}

function disagreement(one: Held, other: Held): ProvisionError {
  return new ProvisionError({
    code: 'authorities-differ',
    message: `${one.path} on ${one.host} and ${other.path} on ${other.host} hold different authorities: one cluster has one`,
    hint: `compare them: ssh ${one.host} sudo sha256sum ${one.path}; ssh ${other.host} sudo sha256sum ${other.path}`,
  });
}
