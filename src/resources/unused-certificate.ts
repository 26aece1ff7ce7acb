import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { fileState } from '../facts/file-state.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { readCertificates } from '../pki/inspect.js';
import { absent } from './absent.js';
import { isOurs, type CertificateRules } from './judge-certificate.js';

/**
 * A certificate with its key that an earlier inventory wanted, and this one does not. It goes where an authority of the store
 * signed it: what others keep at that place, as for their own sections of the same configuration, stays.
 */
export function unusedCertificate(path: string, rules: CertificateRules): Resource {
  const gone = absent({ path });
  return {
    address: `unused-certificate:${path}`,
    paths: gone.paths,
    async plan(probe) {
      const state = await probe.ask(fileState, path);
      if (state.kind !== 'file') return UNCHANGED;
      const { pem } = await probe.ask(certificateFiles, certificateFilesKey(path, path));
      const [leaf] = readCertificates(pem);
      return leaf !== undefined && isOurs(leaf, rules) ? gone.plan(probe) : UNCHANGED;
    },
  };
}
