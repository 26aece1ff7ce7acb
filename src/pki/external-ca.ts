import { createPublicKey, type X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { requestedKeyPath } from '../shell/request-certificate.js';
import type { PlannedCertificate } from './authority.js';
import { isForKey, reasonsToSign } from './compare.js';
import { notAfterOf, publicKeyText, readCertificates } from './inspect.js';
import type { CertificateRequest } from './request.js';
import { readIfThere, replace } from './store-files.js';

/** Whose signatures are waited for, and where they are found. */
export interface ExternalCa {
  /** The store, absolute. */
  readonly directory: string;
  readonly authority: X509Certificate;
  readonly now: Date;
  /** A certificate that ends within this many days would be replaced by the next plan: it is not taken. */
  readonly renewBeforeDays: number;
}

/** A certificate that fits what is planned. */
interface Signature {
  /** The leaf alone. */
  readonly certificatePem: string;
  /** SubjectPublicKeyInfo, DER as base64. */
  readonly publicKey: string;
  readonly validUntil: Date;
}

/** What stands in the store for a planned certificate: one that fits, or why none does. */
type Found = { readonly signature: Signature } | { readonly missing: string };

/** Where a request is written, and where its certificate is awaited: beside it, as `.crt`. */
function requestPaths(
  directory: string,
  { host, action }: PlannedCertificate,
): { readonly request: string; readonly certificate: string } {
  const path = join(directory, 'requests', host, action.certificate);
  return { request: `${path}.csr`, certificate: `${path}.crt` };
}

/** What a plan says of a certificate that an external CA signs: where it is awaited, and whether it is there and fits. */
export async function describeSignature(planned: PlannedCertificate, place: ExternalCa): Promise<string> {
  const found = await findSignature(planned, place);
  const state = 'missing' in found ? found.missing : `is there, valid until ${dayOf(found.signature.validUntil)}`;
  return `external CA: ${requestPaths(place.directory, planned).certificate} ${state}`;
}

/**
 * All certificates that a plan needs signed, checked before any host is touched.
 * @param probe asks a host whether the key still waits there; without it only the store is looked at
 * @returns the certificates, in the same order
 * @throws ProvisionError `signatures-missing`, listing each that is missing or wrong
 */
export async function requireSignatures(
  planned: readonly PlannedCertificate[],
  place: ExternalCa,
  probe?: (host: string) => Probe,
): Promise<readonly Signature[]> {
  const found = await Promise.all(planned.map(async (each) => findUsable(each, place, probe)));
  const problems = found.flatMap((each, index) => ('missing' in each ? [{ missing: each.missing, index }] : []));
  if (problems.length === 0) return found.flatMap((each) => ('signature' in each ? [each.signature] : []));
  const lines = problems.flatMap(({ missing, index }) => {
    const each = planned[index];
    return each === undefined
      ? []
      : [`  ${each.host}, ${each.action.certificate}: ${requestPaths(place.directory, each).certificate} ${missing}`];
  });
  throw new ProvisionError({
    code: 'signatures-missing',
    message: [
      `an external CA signs ${counted(planned.length, 'certificate')}, of which ${problems.length} cannot be used:`,
      ...lines,
    ].join('\n'),
    hint: 'nothing was changed; make the requests with `provision ca request INVENTORY`, have them signed, and apply again; or, if the key of the authority belongs here, put ca.key.age back',
  });
}

/** What became of a request. */
export interface KeptRequest {
  readonly path: string;
  /** A request that is there already for the same key and the same wish stays. */
  readonly isNew: boolean;
  /** A certificate that fits stands beside it. */
  readonly isSigned: boolean;
}

/**
 * Writes a request that a host has made, after checking that it asks for what is planned.
 * @param pem PKCS#10
 * @param suffix random, for the name of the staged file
 * @throws ProvisionError `request-rejected`
 */
export async function keepRequest(
  planned: PlannedCertificate,
  pem: string,
  place: ExternalCa,
  suffix: string,
): Promise<KeptRequest> {
  const { request: path } = requestPaths(place.directory, planned);
  const given = await read(pem, planned);
  const wrong = given === undefined ? ['cannot be read'] : given.faults;
  if (given === undefined || wrong.length > 0) throw rejected(planned, wrong);
  const before = await readIfThere(path);
  const old = before === undefined ? undefined : await read(before, planned);
  const stays = old?.faults.length === 0 && publicKeyText(old.publicKey) === publicKeyText(given.publicKey);
  if (!stays) await replace(path, pem, 0o644, suffix);
  return { path, isNew: !stays, isSigned: 'signature' in (await findSignature(planned, place)) };
}

async function findUsable(
  planned: PlannedCertificate,
  place: ExternalCa,
  probe: ((host: string) => Probe) | undefined,
): Promise<Found> {
  const found = await findSignature(planned, place);
  if ('missing' in found || probe === undefined || planned.action.profile.keepPublicKey !== null) return found;
  const path = requestedKeyPath(planned.action.certificate);
  const { key, publicKey } = await probe(planned.host).ask(certificateFiles, certificateFilesKey(path, path));
  const fits =
    publicKey.kind === 'known'
      ? publicKeyText(createPublicKey(publicKey.pem)) === found.signature.publicKey
      : key !== undefined && publicKey.kind === 'unchecked';
  if (fits) return found;
  return {
    missing: `is for a key that is no longer waiting on ${planned.host}, in ${path}, any more: request it again`,
  };
}

async function findSignature(planned: PlannedCertificate, place: ExternalCa): Promise<Found> {
  const paths = requestPaths(place.directory, planned);
  const [requestPem, pem] = await Promise.all([readIfThere(paths.request), readIfThere(paths.certificate)]);
  if (requestPem === undefined) return { missing: 'is not requested yet' };
  const request = await read(requestPem, planned);
  if (request === undefined) return { missing: `has a request that cannot be read: request it again` };
  const what = pem === undefined ? 'is requested' : 'was signed';
  if (request.faults.length > 0)
    return { missing: `${what} with outdated contents (${request.faults.join('; ')}): request it again` };
  if (pem === undefined) return { missing: 'is requested, and not signed yet' };
  return judge(pem, request, planned, place);
}

function judge(pem: string, request: CertificateRequest, planned: PlannedCertificate, place: ExternalCa): Found {
  const publicKey = publicKeyText(request.publicKey);
  const certificates = readCertificates(pem).flatMap((each) => each ?? []);
  // Some authorities hand out the chain, in any order.
  const leaf = certificates.find((each) => isForKey(each, publicKey)) ?? certificates[0];
  if (leaf === undefined) return { missing: 'holds no readable certificate; PEM was expected' };
  const { profile } = planned.action;
  const from = new Date(leaf.validFrom);
  const faults = [
    ...reasonsToSign(leaf, { ...place, profile }).map(({ text }) => text),
    ...(isForKey(leaf, publicKey) ? [] : ['is for another key than its request']),
    ...(from > place.now ? [`is valid only from ${from.toISOString()}`] : []),
  ];
  if (faults.length > 0) return { missing: `does not fit: ${faults.join('; ')}: have its request signed again` };
  return { signature: { certificatePem: leaf.toString(), publicKey, validUntil: notAfterOf(leaf) } };
}

async function read(pem: string, { action }: PlannedCertificate): Promise<CertificateRequest | undefined> {
  const { readRequest } = await import('./request.js');
  return readRequest(pem, action.profile);
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function rejected({ host, action }: PlannedCertificate, faults: readonly string[]): ProvisionError {
  return new ProvisionError({
    code: 'request-rejected',
    message: `the request that ${host} made for ${action.certificate} is not what was asked for, and is discarded: ${faults.join('; ')}`,
    hint: `look at openssl on ${host}: version 1.1.1 or later is needed`,
  });
}
