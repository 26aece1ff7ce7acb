import { COPIES, kubeconfigCertificates, type KubeconfigCertificates } from '../facts/kubeconfig-certificates.js';
import type { Probe } from '../model/remote.js';
import { isSignedBy, notAfterOf, readCertificates } from '../pki/inspect.js';
import { quote } from '../shell/quote.js';
import type { KubeadmFound } from './look-at-kubeadm.js';

/** A person's copy of an administrator's kubeconfig. */
export interface KubeconfigCopy {
  readonly path: string;
  /** When what it holds ends. */
  readonly end: Date;
  /** What a person types to copy the present one. */
  readonly copyAgain: string;
}

/** What is in homes of the host, asked for in the same turn as all else. */
export async function lookAtCopies(probe: Probe): Promise<readonly KubeconfigCertificates[]> {
  return (await Promise.all(COPIES.map(async (each) => probe.ask(kubeconfigCertificates, each)))).flat();
}

/**
 * Those that are copies of this very kubeconfig: they hold one client certificate, of the same user, signed by the same authority.
 * Another user of the cluster must not get an administrator's, and a kubeconfig of several clusters is not written over.
 */
export function copiesOf(
  { certificate, leaf, authority }: KubeadmFound,
  files: readonly KubeconfigCertificates[],
  host: string,
): readonly KubeconfigCopy[] {
  if (leaf === undefined || authority === undefined) return [];
  return files.flatMap(({ path, pem }) => {
    const [own, ...more] = readCertificates(pem);
    if (own === undefined || more.length > 0) return [];
    if (own.subject !== leaf.subject || !isSignedBy(own, authority)) return [];
    const copyAgain = `ssh ${host} sudo cp -T ${certificate.path} ${quote(path)}`;
    return [{ path, end: notAfterOf(own), copyAgain }];
  });
}
