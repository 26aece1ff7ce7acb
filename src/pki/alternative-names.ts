import type { CertificateProfile, OtherName } from '../model/certificate.js';
import { readDer, writeDer } from './der.js';
import { addressBytes, canonicalIp } from '../model/ip.js';

/** RFC 5280, 4.2.1.6: the context tags of GeneralName. */
const TAGS = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87, registeredId: 0x88 } as const;

/** How the kinds are called that this program keeps, and never makes. */
const KINDS: Readonly<Record<number, string>> = {
  0xa0: 'otherName',
  0xa3: 'x400Address',
  0xa4: 'directoryName',
  0xa5: 'ediPartyName',
  [TAGS.registeredId]: 'registeredID',
};

/** What a DNS name in a certificate looks like; whatever else is there is kept as it is, byte by byte. */
const PLAIN_NAME = /^[\x21-\x7e]{1,253}$/;

/** The names of a certificate, as a profile has them. */
export type AlternativeNames = Pick<CertificateProfile, 'dnsNames' | 'ipAddresses'> & {
  readonly otherNames: readonly OtherName[];
};

/**
 * Reads the value of the extension subjectAltName, each kind sorted.
 * @param value DER
 * @throws Error when it is not one
 */
export function readNames(value: Buffer): AlternativeNames {
  const [list] = readDer(value);
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  const otherNames: OtherName[] = [];
  for (const { tag, content, raw } of readDer(list?.content ?? Buffer.alloc(0))) {
    const text = content.toString('latin1');
    const address = tag === TAGS.ip ? addressText(content) : undefined;
    if (address !== undefined) ipAddresses.push(address);
    else if (tag === TAGS.dns && PLAIN_NAME.test(text)) dnsNames.push(text);
    else otherNames.push({ text: describe(tag, content), der: raw.toString('base64') });
  }
  return {
    dnsNames: dnsNames.sort(),
    ipAddresses: ipAddresses.sort(),
    otherNames: otherNames.sort((a, b) => (a.der < b.der ? -1 : 1)),
  };
}

/** The value of the extension subjectAltName, DER; `undefined` where a profile has no names. */
export function namesExtension({ dnsNames, ipAddresses, otherNames = [] }: CertificateProfile): Buffer | undefined {
  const names = [
    ...dnsNames.map((name) => writeDer(TAGS.dns, Buffer.from(name, 'latin1'))),
    ...ipAddresses.map((address) => writeDer(TAGS.ip, addressBytes(address))),
    ...otherNames.map(({ der }) => Buffer.from(der, 'base64')),
  ];
  return names.length === 0 ? undefined : writeDer(0x30, Buffer.concat(names));
}

/** All names as a person reads them, with their kinds: `DNS etcd-1`, `IP ::1`, `URI spiffe://example/etcd`. */
export function describeNames({
  dnsNames,
  ipAddresses,
  otherNames = [],
}: Partial<AlternativeNames>): readonly string[] {
  return [
    ...(dnsNames ?? []).map((name) => `DNS ${name}`),
    ...(ipAddresses ?? []).map((address) => `IP ${address}`),
    ...otherNames.map(({ text }) => text),
  ];
}

function describe(tag: number, content: Buffer): string {
  const kinds: Readonly<Record<number, string>> = { [TAGS.email]: 'email', [TAGS.uri]: 'URI', [TAGS.dns]: 'DNS' };
  const kind = kinds[tag];
  // JSON shows what is hidden in a text: line ends, NUL.
  const text = content.toString('latin1');
  if (kind !== undefined) return `${kind} ${/^[\x20-\x7e]*$/.test(text) ? text : JSON.stringify(text)}`;
  return `${KINDS[tag] ?? `name of kind ${tag}`} ${content.toString('hex')}`;
}

function addressText(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonicalIp(groups.join(':'));
}
