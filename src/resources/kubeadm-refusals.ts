import type { X509Certificate } from 'node:crypto';
import { ProvisionError } from '../model/errors.js';
import { KUBEADM_PLACES } from '../model/kubeadm.js';
import { filesOf, KUBEADM_PKI, keyBeside } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { isSignedBy, notAfterOf } from '../pki/inspect.js';
import type { KubeadmFound } from './look-at-kubeadm.js';

/** `kubeadm certs`; before, it was `kubeadm alpha certs` (kubernetes#94938). */
const FIRST_MINOR = 20;

interface Means {
  readonly found: KubeadmFound;
  /** Where the file is a symbolic link: what it holds. */
  readonly link: string | undefined;
  /** Where kubeadm keeps certificates; absent: not known. */
  readonly certificatesDir: string | undefined;
  /** Of kubeadm, `v1.20.2`; absent: there is none. */
  readonly version: string | undefined;
  readonly now: Date;
}

/**
 * What kubeadm needs to renew a certificate.
 * @throws ProvisionError where it could not, or would make another one of it
 */
export function refuseUnrenewable(
  { host }: Probe,
  { found, link, certificatesDir, version, now }: Means,
): { readonly leaf: X509Certificate; readonly authority: X509Certificate } {
  const { certificate, leaf, hasKey, authority, canSign } = found;
  const { name, path } = certificate;
  const key = keyBeside(certificate.authority);
  const elsewhere = 'docs/runbooks/kubeadm-certificates.md';
  const again = `have kubeadm make it again, with the configuration of the cluster (kubeadm init phase): ${elsewhere}`;
  if (leaf === undefined) throw refused(host, path, 'holds no readable certificate', again);
  if (!hasKey) throw refused(host, path, `has no key beside it (${filesOf(certificate).join(', ')})`, again);
  if (authority === undefined || !isSignedBy(leaf, authority))
    throw refused(
      host,
      path,
      `was not signed by ${certificate.authority}, with which kubeadm would renew it`,
      `have it renewed by who signed it, or look at both: ssh ${host} sudo kubeadm certs check-expiration`,
    );
  if (!canSign) throw keyElsewhere(host, { path, name, key, elsewhere });
  refusePlace(host, { found, link, certificatesDir });
  if (notAfterOf(authority) <= now)
    throw refused(
      host,
      path,
      `would be signed by ${certificate.authority}, which has ended`,
      `make a new authority by hand first: ${elsewhere}`,
    );
  if (version === undefined)
    throw new ProvisionError({
      code: 'no-kubeadm',
      message: `${host}: ${path} is renewed with kubeadm, and there is none (${KUBEADM_PLACES.join(', ')})`,
      hint: `install the kubeadm of the version that runs, or leave the host out: --limit`,
    });
  if (minorOf(version) < FIRST_MINOR)
    throw refused(
      host,
      path,
      `would be renewed by kubeadm ${version}, and v1.${FIRST_MINOR} or newer is needed`,
      `ssh ${host} sudo kubeadm alpha certs renew ${name}; then restart the static pods that read it`,
    );
  return { leaf, authority };
}

/** What kubeadm would renew must be what is shown, in a file of its own, and can be proved here. */
function refusePlace(
  host: string,
  {
    found: {
      certificate: { name, path },
      hasOpenssl,
    },
    link,
    certificatesDir = KUBEADM_PKI,
  }: Pick<Means, 'found' | 'link' | 'certificatesDir'>,
): void {
  if (link !== undefined)
    throw refused(
      host,
      path,
      `is a symbolic link to ${link}`,
      `renew it where it is: ssh ${host} sudo kubeadm certs renew ${name}`,
    );
  if (certificatesDir !== KUBEADM_PKI)
    throw refused(
      host,
      path,
      `is not what the API server shows: kubeadm keeps certificates in ${certificatesDir}`,
      `renew them by hand: ssh ${host} sudo kubeadm certs renew ${name}; then restart the static pods that read it`,
    );
  if (!hasOpenssl)
    throw refused(
      host,
      path,
      "can't be proved after its renewal: there is no openssl",
      `ssh ${host} sudo apt-get install openssl`,
    );
}

function minorOf(version: string): number {
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  return major === '1' ? Number(minor) : 0;
}

function refused(host: string, path: string, why: string, hint: string): ProvisionError {
  return new ProvisionError({ code: 'kubeadm-cannot-renew', message: `${host}: ${path} ${why}`, hint });
}

function keyElsewhere(
  host: string,
  {
    path,
    name,
    key,
    elsewhere,
  }: { readonly path: string; readonly name: string; readonly key: string; readonly elsewhere: string },
): ProvisionError {
  return new ProvisionError({
    code: 'kubeadm-authority-elsewhere',
    message: `${host}: ${path} can't be renewed here: the key of its authority is not on the host (${key})`,
    hint: [
      `have it signed where that key is, by a request of this host (kubeadm certs generate-csr): ${elsewhere}`,
      `or leave it out, and name the others: HOST/NAME in place of kubeadm (this one is ${host}/${name})`,
    ].join('\n'),
  });
}
