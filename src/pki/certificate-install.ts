import type { IssueCertificate } from '../model/action.js';
import { Secret } from '../model/secret.js';
import {
  type CertificateInstallation,
  installCertificateScript,
  restoreCertificateScript,
} from '../shell/install-certificate.js';
import type { CertificateInstall } from './authority.js';

/** A certificate that was signed. */
interface SignedLeaf {
  /** Travels on stdin. */
  readonly pem: string;
  readonly key: CertificateInstallation['key'];
}

/** How a signed leaf lands on its host, and how it is rolled back. @param copy name of the copies of what it replaces */
export function certificateInstall(
  action: IssueCertificate,
  { pem, key }: SignedLeaf,
  copy: string,
): CertificateInstall {
  const { destination, certificate } = action;
  const installation = { destination, ownership: action, key, bytes: Buffer.byteLength(pem) };
  return {
    command: {
      summary: `install the ${certificate} certificate`,
      script: installCertificateScript(installation, copy),
      stdin: new Secret(pem),
    },
    undo: (when) => ({
      summary: `put the old ${certificate} certificate back`,
      script: restoreCertificateScript({ destination, ownership: action, key, copy, when }),
    }),
  };
}
