import { certificateFiles, type CertificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { AuthorityView } from '../pki/authority.js';
import type { WantedTrust } from '../pki/certificate-list.js';
import { describeSubject } from '../pki/compare.js';
import { givenUp, type ForeignFile, type ForeignFiles } from './file.js';
import { notAfterOf, readCertificates, subjectOf } from '../pki/inspect.js';

/**
 * The authority's public certificate on a host. The file is judged by the certificates in it, not by its bytes.
 * @param foreign given: a file that trusts other authorities is not replaced without a word
 */
export function trustBundleResource(wanted: WantedTrust, authority: AuthorityView, foreign?: ForeignFiles): Resource {
  return {
    address: `trust:${wanted.path}`,
    paths: [wanted.path],
    async plan(probe): Promise<Outcome> {
      const found = await probe.ask(certificateFiles, certificateFilesKey(wanted.path));
      return decideTrust(
        wanted,
        authority,
        found,
        (stranger) => foreign !== undefined && givenUp(foreign, { host: probe.host, path: wanted.path, ...stranger }),
      );
    },
  };
}

/** Judges a file of others: may it be replaced? @throws ProvisionError when it may not */
type JudgeForeign = (stranger: Pick<ForeignFile, 'what' | 'because'>) => boolean;

function decideTrust(
  wanted: WantedTrust,
  authority: AuthorityView,
  found: CertificateFiles,
  judge: JudgeForeign,
): Outcome {
  const bundle = authority.trustBundle();
  const { owner, group, mode } = wanted.ownership;
  const stat = found.certificate;
  const isSame = isTrustBundle(wanted, found, bundle);
  const isOwned = stat !== undefined && stat.owner === owner && stat.group === group && stat.mode === mode;
  if (isSame && (isOwned || wanted.policy === 'at-least')) return UNCHANGED;
  if (stat !== undefined && wanted.policy === 'at-least') throw foreignTrust(wanted.path, found.pem);
  const losesAuthority = !isSame && trustsOthers(found, bundle);
  const isReplaced =
    losesAuthority && judge({ what: listed(found.pem), because: 'trusts others than the authority in the store' });
  // The text says what the host has, and nothing of the authority: see reasonsToSign.
  return changed({
    summary:
      stat === undefined
        ? `install the trust bundle ${wanted.path}`
        : `replace the trust bundle ${wanted.path}${isReplaced ? ', which another tool wrote' : ''}`,
    diff: [
      ...(isSame || stat === undefined ? [] : described(found.pem)),
      ...(isSame && stat !== undefined ? [`- ${stat.owner}:${stat.group} ${stat.mode}`] : []),
      `+ ${authority.trustedInWords ?? "this cluster's authority"}, ${owner}:${group} ${mode}`,
    ],
    actions: [{ kind: 'install-trust', path: wanted.path, owner, group, mode }],
    // Nothing of ours reads the new file before its service restarts, and that is a change of its own.
    effect: stat === undefined ? 'create' : 'change',
    disruptive: isReplaced || (wanted.verifiesClients === true && losesAuthority),
  });
}

/**
 * Does the file hold the certificates of the bundle, and by its policy no others?
 * @param bundle PEM; absent: there is no authority yet
 */
export function isTrustBundle(
  { policy }: Pick<WantedTrust, 'policy'>,
  found: CertificateFiles,
  bundle: string | undefined,
): boolean {
  if (bundle === undefined) return false;
  const [has, wants] = [fingerprintsOf(found.pem), fingerprintsOf(bundle)];
  const holdsAll = [...wants].every((fingerprint) => has.has(fingerprint));
  return holdsAll && (policy === 'at-least' || has.size === wants.size);
}

function fingerprintsOf(pem: string): ReadonlySet<string> {
  return new Set(readCertificates(pem).map((certificate) => certificate?.fingerprint256 ?? 'unreadable'));
}

/** Replaced, it would no longer trust whom it trusts now. */
function foreignTrust(path: string, pem: string): ProvisionError {
  return new ProvisionError({
    code: 'foreign-trust',
    message: `${path} does not hold the authority in the store, and another tool wrote it: ${listed(pem)}`,
    hint: 'compare it with: provision ca show STORE; add the authority to the file, or import the right one into the store',
  });
}

/** Whether it holds a certificate that the bundle does not. */
function trustsOthers({ pem }: CertificateFiles, bundle: string | undefined): boolean {
  const ours = fingerprintsOf(bundle ?? '');
  return [...fingerprintsOf(pem)].some((fingerprint) => !ours.has(fingerprint));
}

function listed(pem: string): string {
  return described(pem)
    .map((line) => line.replace(/^- /, ''))
    .join('; ');
}

function described(pem: string): readonly string[] {
  const lines = readCertificates(pem).map((certificate) =>
    certificate === undefined
      ? '- a certificate that cannot be read'
      : `- ${describeSubject(subjectOf(certificate))}, until ${notAfterOf(certificate).toISOString().slice(0, 10)}, ` +
        `SHA-256 ${certificate.fingerprint256.slice(0, 23)}…`,
  );
  return lines.length === 0 ? ['- no certificate'] : lines;
}
