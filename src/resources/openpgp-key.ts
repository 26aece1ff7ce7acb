import { createHash } from 'node:crypto';

/** A public key, or several, by which apt knows a repository. */
export interface OpenPgpKeys {
  /** ASCII-armored lines, as apt takes them within a source; always the same for the same key. */
  readonly armor: readonly string[];
  /** Of each primary key, in capital hexadecimal digits. */
  readonly fingerprints: readonly string[];
}

/** Packet types (RFC 9580, 5). */
const PUBLIC_KEY = 6;
const SECRET = [5, 7];
/** Signature, trust, user id, public subkey, user attribute, padding: what a key is exported with. */
const BESIDE = [2, 12, 13, 14, 17, 21];

const BLOCK = /-----BEGIN PGP ([A-Z ]+)-----\r?\n(?:[A-Za-z]+: .*\r?\n)*\r?\n([A-Za-z0-9+/=\s]*?)-----END PGP \1-----/g;
const LINE = 64;

/**
 * Reads a public key, armored or binary. Whether it is still valid, and has signed anything, is apt's to judge.
 * @returns what is wrong with it, in words that follow the name of a file
 */
export function readOpenPgpKeys(bytes: Buffer): OpenPgpKeys | string {
  const binary = isArmored(bytes) ? dearmored(bytes.toString('latin1')) : bytes;
  if (typeof binary === 'string') return binary;
  const fingerprints = fingerprintsOf(binary);
  return typeof fingerprints === 'string' ? fingerprints : { armor: armored(binary), fingerprints };
}

function isArmored(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN PGP ');
}

function dearmored(text: string): Buffer | string {
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0) return 'has an armored key that is cut off';
  const parts: Buffer[] = [];
  for (const [, kind = '', body = ''] of blocks) {
    if (kind !== 'PUBLIC KEY BLOCK') return `holds a ${kind}; expected a PUBLIC KEY BLOCK`;
    const lines = body.split(/\s+/).filter((line) => line !== '');
    const sum = lines.find((line) => /^=[A-Za-z0-9+/]{4}$/.test(line));
    const data = Buffer.from(lines.filter((line) => line !== sum).join(''), 'base64');
    if (sum !== undefined && sum.slice(1) !== checksum(data)) return 'is damaged: its checksum differs';
    parts.push(data);
  }
  return Buffer.concat(parts);
}

function armored(binary: Buffer): readonly string[] {
  const lines = binary.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return [
    '-----BEGIN PGP PUBLIC KEY BLOCK-----',
    '',
    ...lines,
    `=${checksum(binary)}`,
    '-----END PGP PUBLIC KEY BLOCK-----',
  ];
}

/** CRC-24 (RFC 9580, 6.1). */
function checksum(data: Buffer): string {
  let crc = 0xb704ce;
  for (const byte of data) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return Buffer.from([(crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff]).toString('base64');
}

interface Packet {
  readonly type: number;
  readonly body: Buffer;
  /** Where the next one starts. */
  readonly end: number;
}

const NO_KEY = 'is no OpenPGP key';

function fingerprintsOf(binary: Buffer): readonly string[] | string {
  const found: string[] = [];
  for (let at = 0; at < binary.length;) {
    const packet = packetAt(binary, at);
    if (packet === undefined) return found.length === 0 ? NO_KEY : 'is damaged: a part of the key is cut off';
    if (SECRET.includes(packet.type)) return 'holds a private key, which no host must get; expected the public one';
    if (packet.type === PUBLIC_KEY) {
      const fingerprint = fingerprintOf(packet.body);
      if (fingerprint === undefined) return 'holds a key of an old or unknown version; expected version 4 or 6';
      found.push(fingerprint);
    } else if (found.length === 0 || !BESIDE.includes(packet.type)) return NO_KEY;
    at = packet.end;
  }
  return found.length === 0 ? NO_KEY : found;
}

/** RFC 9580, 5.5.4. */
function fingerprintOf(body: Buffer): string | undefined {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  if (body[0] === 4) return digest('sha1', [Buffer.from([0x99]), length.subarray(2), body]);
  return body[0] === 6 ? digest('sha256', [Buffer.from([0x9b]), length, body]) : undefined;
}

function digest(algorithm: string, parts: readonly Buffer[]): string {
  return createHash(algorithm).update(Buffer.concat(parts)).digest('hex').toUpperCase();
}

/** RFC 9580, 4.2; a key has no part of unknown length. */
function packetAt(binary: Buffer, at: number): Packet | undefined {
  const head = binary[at] ?? 0;
  if ((head & 0x80) === 0) return undefined;
  const isNew = (head & 0x40) !== 0;
  const length = isNew ? newLength(binary, at + 1) : oldLength(binary, at + 1, head & 3);
  if (length === undefined) return undefined;
  const start = at + 1 + length.bytes;
  const end = start + length.value;
  if (end > binary.length) return undefined;
  return { type: isNew ? head & 0x3f : (head & 0x3c) >> 2, body: binary.subarray(start, end), end };
}

interface Length {
  readonly value: number;
  /** That it takes itself. */
  readonly bytes: number;
}

function newLength(binary: Buffer, at: number): Length | undefined {
  const [first, second = 0] = binary.subarray(at);
  if (first === undefined || (first >= 224 && first < 255)) return undefined;
  if (first < 192) return { value: first, bytes: 1 };
  if (first < 224) return { value: ((first - 192) << 8) + second + 192, bytes: 2 };
  return at + 5 > binary.length ? undefined : { value: binary.readUInt32BE(at + 1), bytes: 5 };
}

function oldLength(binary: Buffer, at: number, kind: number): Length | undefined {
  const bytes = [1, 2, 4][kind];
  if (bytes === undefined || at + bytes > binary.length) return undefined;
  return { value: binary.readUIntBE(at, bytes), bytes };
}
