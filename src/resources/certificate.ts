import { verify, type X509Certificate } from 'node:crypto';
import { type CertificateFiles, certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { keyProof, keyProofKey } from '../facts/key-proof.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { WantedCertificate } from '../pki/certificate-list.js';
import { describeSubject, type CertificateFault } from '../pki/compare.js';
import { subjectOf } from '../pki/inspect.js';
import { changeFileScript } from '../shell/change-ownership.js';
import { describeSigning } from './describe-certificate.js';
import { givenUp, ownershipDiff } from './file.js';
import { isOurs, judgeCertificate, pathsOf, type CertificateRules, type Verdict } from './judge-certificate.js';
import { withSignature } from './with-signature.js';

/** So many items a message names; a host can show thousands. */
const NAMED = 20;

/**
 * A leaf and its key on a host. It is judged by what it says and who signed it, not by being another file: whatever
 * fits is left alone. A leaf is renewed for the key that the host has, unless that key is what is wrong.
 */
export function certificateResource(wanted: WantedCertificate, rules: CertificateRules): Resource {
  const { certificatePath, keyPath } = pathsOf(wanted.destination);
  return {
    address: `certificate:${certificatePath}`,
    paths: [...new Set([certificatePath, keyPath])],
    async plan(probe: Probe): Promise<Outcome> {
      const files = await probe.ask(certificateFiles, certificateFilesKey(certificatePath, keyPath));
      const verdict = judgeCertificate(wanted, rules, files);
      if (verdict.faults.length === 0) return wanted.policy === 'exact' ? mendOwnership(wanted, files) : UNCHANGED;
      await refuseUngranted(verdict, rules, probe);
      const isReplaced = isGivenUp(verdict, rules, probe.host);
      return withSignature(signed(verdict, rules, { files, isReplaced }), probe.host, rules.authority);
    },
  };
}

/** All that is wrong with a certificate that a host has: the reasons for which the resource would sign it again. */
export function certificateFaults(
  wanted: WantedCertificate,
  rules: CertificateRules,
  files: CertificateFiles,
): readonly CertificateFault[] {
  return judgeCertificate(wanted, rules, files).faults;
}

/** @throws ProvisionError `certificate-not-granted` when the host shows what this authority may not sign for it */
async function refuseUngranted(
  { leaf, rights, wanted }: Verdict,
  { now }: CertificateRules,
  probe: Probe,
): Promise<void> {
  const { certificatePath, keyPath } = pathsOf(wanted.destination);
  if (rights.kind === 'refused') throw notGranted(certificatePath, rights.items, rights.because);
  if (rights.kind === 'granted' || leaf === undefined) return;
  const statement = `provision: ${probe.host} asks for a new key for ${certificatePath} at ${now.toISOString()}`;
  const signature = await probe.ask(keyProof, keyProofKey(keyPath, statement));
  if (!isSignatureOf(leaf, statement, signature))
    throw notGranted(certificatePath, rights.items, 'the host does not prove to hold its key');
}

function isSignatureOf(leaf: X509Certificate, statement: string, signature: Buffer | undefined): boolean {
  return signature !== undefined && verify('sha256', Buffer.from(statement), leaf.publicKey, signature);
}

function notGranted(path: string, items: readonly string[], because: string): ProvisionError {
  const named = items.slice(0, NAMED).join('; ') + (items.length > NAMED ? `; and ${items.length - NAMED} more` : '');
  const grants = items.filter((item) => item !== 'CA:TRUE').slice(0, NAMED);
  return new ProvisionError({
    code: 'certificate-not-granted',
    message: `${path} cannot be signed: it contains what the inventory does not grant (${named}), and ${because}`,
    hint: [
      ...(grants.length === 0
        ? []
        : [`if it should say so, grant it in the inventory: etcd_cert_grants: ${JSON.stringify(grants)}`]),
      `if not, move ${path} away on the host: the next plan issues a plain one (which authority is used: provision ca show STORE)`,
    ].join('\n'),
  });
}

/** @returns whether it is another tool's, and given up @throws ProvisionError `file-not-ours` */
function isGivenUp({ leaf, wanted }: Verdict, rules: CertificateRules, host: string): boolean {
  if (rules.foreign === undefined || leaf === undefined || isOurs(leaf, rules)) return false;
  const path = pathsOf(wanted.destination).certificatePath;
  const what = `${describeSubject(subjectOf(leaf))}, issued by ${leaf.issuer.replaceAll('\n', ', ')}`;
  return givenUp(rules.foreign, { host, path, what, because: 'was signed by no authority in the store' });
}

function signed(
  verdict: Verdict,
  rules: CertificateRules,
  { files, isReplaced }: { readonly files: CertificateFiles; readonly isReplaced: boolean },
): Outcome {
  const { wanted } = verdict;
  const { certificatePath } = pathsOf(wanted.destination);
  const isFirst = files.certificate === undefined && files.key === undefined;
  const reasons = verdict.faults.map(({ text }) => text);
  return changed({
    summary: isFirst
      ? `issue the ${wanted.name} certificate ${certificatePath}`
      : `${isReplaced ? 'replace' : 'reissue'} the ${wanted.name} certificate ${certificatePath}${isReplaced ? ', which another tool made' : ''}: ${reasons.join('; ')}`,
    diff: [
      ...(isFirst ? [] : verdict.faults.map(({ text, diff }) => diff ?? `~ ${text}`)),
      ...describeSigning(wanted, verdict, rules),
    ],
    actions: [
      {
        kind: 'issue-certificate',
        certificate: wanted.name,
        profile: { ...wanted.profile, keepPublicKey: verdict.keep ?? null },
        destination: wanted.destination,
        ...wanted.ownership,
      },
    ],
    // Whoever still trusts only the old signer, or reaches a server by a name that goes, refuses the new certificate.
    effect: isFirst ? 'create' : 'change',
    disruptive: verdict.isForeign || (!isFirst && losesName(verdict)),
  });
}

/** Nobody reaches a client by the names in its certificate. */
function losesName({ wanted, faults }: Verdict): boolean {
  return wanted.profile.usages.includes('server') && faults.some(({ isFelt }) => isFelt === true);
}

/** The certificate is right; only who may read or change the files may not be. */
function mendOwnership({ destination, ownership }: WantedCertificate, files: CertificateFiles): Outcome {
  const { certificatePath, keyPath } = pathsOf(destination);
  const wanted = [
    { path: keyPath, owned: ownership, found: files.key },
    ...(certificatePath === keyPath
      ? []
      : [{ path: certificatePath, owned: { ...ownership, mode: '0644' }, found: files.certificate }]),
  ];
  const wrong = wanted.flatMap(({ path, owned, found }) => {
    const diff = found === undefined ? [] : ownershipDiff(owned, found);
    return found === undefined || diff.length === 0 ? [] : [{ path, owned, found, diff }];
  });
  if (wrong.length === 0) return UNCHANGED;
  return changed({
    summary: wrong.map(({ path }) => `set owner and mode of ${path}`).join(', '),
    diff: wrong.flatMap(({ diff }) => diff),
    actions: wrong.map(({ path, owned, found }) => ({
      kind: 'run',
      command: { summary: `set owner and mode of ${path}`, script: changeFileScript(path, owned, found) },
      undo: { summary: `restore owner and mode of ${path}`, script: changeFileScript(path, found) },
    })),
    effect: 'change',
    disruptive: false,
  });
}
