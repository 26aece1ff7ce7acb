// The polyfill must be there before the library loads (dependencies: tsyringe inside @peculiar/x509).
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { CertificateProfile, Usage } from '../model/certificate.js';
import { describeNames, namesExtension, readNames } from './alternative-names.js';
import { keyTypeOf, publicKeyText } from './inspect.js';
import { keyUsagesOf } from './key-usages.js';
import { describeAttributes, subjectAttributes, type SubjectAttribute } from './subject.js';

/** RFC 5280, 4.2.1.12, by the names that openssl and the x509 library share. */
const USAGES = { server: 'serverAuth', client: 'clientAuth' } as const satisfies Record<Usage, string>;

/**
 * What a certificate signing request for a profile says, as a configuration of `openssl req`: what an external CA signs
 * is asked for with the same subject, names and usages as what is signed here.
 */
export function requestConfig(profile: CertificateProfile): string {
  const usages = [...profile.usages.map((usage) => USAGES[usage]), ...(profile.furtherUsages ?? [])];
  return [
    ...['[req]', 'prompt = no', 'string_mask = utf8only'],
    ...['distinguished_name = subject', 'req_extensions = wished', '[subject]'],
    // Numbered, for a type may be there twice.
    ...subjectAttributes(profile).map(([type, value], index) => `${index}.${type} = ${escape(value)}`),
    ...['[wished]', 'basicConstraints = critical, CA:FALSE'],
    `keyUsage = critical, ${keyUsagesOf(profile).join(', ')}`,
    ...(usages.length === 0 ? [] : [`extendedKeyUsage = ${usages.join(', ')}`]),
    ...nameLines(profile),
    '',
  ].join('\n');
}

function nameLines(profile: CertificateProfile): readonly string[] {
  const names = [
    ...profile.dnsNames.map((name, index) => `DNS.${index + 1} = ${escape(name)}`),
    ...profile.ipAddresses.map((address, index) => `IP.${index + 1} = ${escape(address)}`),
  ];
  // openssl's configuration has words for few of the other kinds: what is kept is given byte by byte.
  if (profile.otherNames !== undefined)
    return [`subjectAltName = DER:${namesExtension(profile)?.toString('hex') ?? ''}`];
  return names.length === 0 ? [] : ['subjectAltName = @names', '[names]', ...names];
}

/** config(5): a backslash takes the meaning from quotes, `$`, `#` and itself. */
function escape(text: string): string {
  return text.replace(/[\\"'`$#;]/g, '\\$&').replaceAll('\n', '\\n');
}

/** A certificate signing request, as far as it is judged. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** What is wrong with it for a profile: nothing when it asks for just that. */
  readonly faults: readonly string[];
}

/**
 * Reads a request and judges it by what should have been asked for.
 * @param pem PKCS#10
 * @returns `undefined` when it cannot be read, or is not signed with its own key
 */
export async function readRequest(pem: string, wanted: CertificateProfile): Promise<CertificateRequest | undefined> {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    if (!(await request.verify(webcrypto))) return undefined;
    const key = Buffer.from(request.publicKey.rawData);
    const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
    return { publicKey, faults: [...keyFaults(publicKey, wanted), ...contentFaults(request, wanted)] };
  } catch {
    return undefined;
  }
}

function keyFaults(publicKey: KeyObject, { keepPublicKey, keyType }: CertificateProfile): readonly string[] {
  if (keepPublicKey !== null)
    return publicKeyText(publicKey) === keepPublicKey ? [] : ['is for another key than the one that the host has'];
  const type = keyTypeOf(publicKey);
  return type === keyType ? [] : [`is for a key of type ${type}, not ${keyType}`];
}

/** What a request asks for, in comparable forms: each kind of thing that whoever signs it may copy. */
interface RequestContent {
  readonly subject: string;
  /** `DNS etcd-1`, `IP ::1`. */
  readonly names: readonly string[];
  /** OIDs, sorted. */
  readonly usages: readonly string[];
  readonly keyUsages: number;
}

/** RFC 2985, 5.4.2: the one attribute that a request has, its extensions. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** The extensions that a request may have: basicConstraints, keyUsage, extendedKeyUsage, subjectAltName. */
const EXTENSIONS: readonly string[] = ['2.5.29.19', '2.5.29.15', '2.5.29.37', '2.5.29.17'];

function contentFaults(request: x509.Pkcs10CertificateRequest, profile: CertificateProfile): readonly string[] {
  const has = contentOf(request);
  const wants: RequestContent = {
    subject: describeAttributes(subjectAttributes(profile)),
    names: describeNames(profile),
    usages: [
      ...profile.usages.map((usage) => x509.ExtendedKeyUsage[USAGES[usage]] as string),
      ...(profile.furtherUsages ?? []),
    ].sort(),
    keyUsages: keyUsagesOf(profile).reduce<number>((flags, name) => flags | x509.KeyUsageFlags[name], 0),
  };
  return [
    ...shapeFaults(request),
    ...(has.subject === wants.subject ? [] : [`subject is ${has.subject}, not ${wants.subject}`]),
    ...wants.names.filter((name) => !has.names.includes(name)).map((name) => `SAN ${name} missing`),
    ...has.names.filter((name) => !wants.names.includes(name)).map((name) => `SAN ${name} no longer wanted`),
    ...(has.usages.join() === wants.usages.join() ? [] : ['extended key usages are other ones']),
    ...(has.keyUsages === wants.keyUsages ? [] : ['key usages are other ones']),
  ];
}

/**
 * Whoever signs it copies its extensions, all of them: one that nobody asked for, or one that stands there twice, would be
 * in the certificate too.
 */
function shapeFaults({ attributes, extensions }: x509.Pkcs10CertificateRequest): readonly string[] {
  const types = extensions.map(({ type }) => type);
  const strange = types.filter((type, index) => !EXTENSIONS.includes(type) || types.indexOf(type) !== index);
  const constraints = extensions.find((each) => each instanceof x509.BasicConstraintsExtension);
  return [
    ...(attributes.length <= 1 && attributes.every(({ type }) => type === EXTENSION_REQUEST)
      ? []
      : ['it has further attributes']),
    ...strange.map((type) => `extension ${type} is not wanted`),
    ...(constraints?.ca === true ? ['it asks to be an authority (CA:TRUE)'] : []),
  ];
}

function contentOf({ subjectName, extensions }: x509.Pkcs10CertificateRequest): RequestContent {
  const names = extensions.find(({ type }) => type === '2.5.29.17');
  const usages = extensions.find((each) => each instanceof x509.ExtendedKeyUsageExtension)?.usages ?? [];
  const keyUsages = extensions.find((each) => each instanceof x509.KeyUsagesExtension)?.usages ?? 0;
  return {
    subject: describeAttributes(attributesOf(subjectName)),
    names: names === undefined ? [] : describeNames(readNames(Buffer.from(names.value))),
    usages: usages.map(String).sort(),
    keyUsages,
  };
}

function attributesOf(name: x509.Name): readonly SubjectAttribute[] {
  return name
    .toJSON()
    .flatMap((part) =>
      Object.entries(part).flatMap(([type, values]) =>
        values.map((value) => [type === 'E' ? 'emailAddress' : type, value] as const),
      ),
    );
}
