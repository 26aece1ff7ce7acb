import type { IssueCertificate } from '../model/change.js';
import { Secret } from '../model/secret.js';
import {
  type CertificateInstallation,
  installCertificateScript,
  restoreCertificateScript,
} from '../shell/install-certificate.js';
import type { CertificateInstall } from './authority.js';

/** How a signed leaf lands on its host, and how it is taken back. @param signed the PEM travels on stdin */
export function certificateInstall(
  action: IssueCertificate,
  { pem, key }: { readonly pem: string; readonly key: CertificateInstallation['key'] },
): CertificateInstall {
  const { destination, certificate } = action;
  const installation = { destination, ownership: action, key, bytes: Buffer.byteLength(pem) };
  return {
    command: {
      summary: `install the ${certificate} certificate`,
      script: installCertificateScript(installation),
      stdin: new Secret(pem),
    },
    undo: {
      summary: `put the old ${certificate} certificate back`,
      script: restoreCertificateScript(installation),
    },
  };
}
