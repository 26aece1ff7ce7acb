import { createHash, createHmac } from 'node:crypto';

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  readonly file: string;
  readonly line: number;
  readonly revoked: boolean;
  /** Comma-separated patterns, or one hashed name. */
  readonly patterns: string;
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … */
  readonly type: string;
  /** The key in base64. */
  readonly key: string;
}

/**
 * Reads a known_hosts file. Lines that are no entries are skipped, as ssh does; so are `@cert-authority` lines, because
 * ssh2 knows no host certificates.
 */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split('\n').flatMap((content, index) => {
    const words = content.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [patterns, type, key] = words;
    if (patterns === undefined || type === undefined || key === undefined || patterns.startsWith('#')) return [];
    if (marker !== undefined && marker !== '@revoked') return [];
    return [{ file, line: index + 1, revoked: marker !== undefined, patterns, type, key }];
  });
}

/** The name under which ssh stores a host: with its port when that is not 22. */
export function knownHostName(hostname: string, port: number): string {
  return port === 22 ? hostname.toLowerCase() : `[${hostname.toLowerCase()}]:${port}`;
}

/** A name as `HashKnownHosts` writes it. @param salt 20 random bytes */
export function hashHostName(name: string, salt: Uint8Array): string {
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${Buffer.from(salt).toString('base64')}|${hash}`;
}

function matchesPattern(name: string, pattern: string): boolean {
  const expression = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(name);
}

/** Does the entry speak of that name? A negated pattern that matches wins over all others of its line. */
export function matchesName(entry: KnownHost, name: string): boolean {
  if (entry.patterns.startsWith('|')) {
    const salt = entry.patterns.split('|')[2] ?? '';
    return hashHostName(name, Buffer.from(salt, 'base64')) === entry.patterns;
  }
  const patterns = entry.patterns.split(',');
  const negated = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  if (negated.some((pattern) => matchesPattern(name, pattern))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(name, pattern));
}

/** What known_hosts says about a key that a host shows. */
export type Verdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  /** Another key is known for the host: of this type, or only of other types. */
  | { readonly kind: 'changed'; readonly entry: KnownHost };

/** The type word at the start of a public key in wire format. */
export function keyType(key: Uint8Array): string {
  const bytes = Buffer.from(key);
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString('latin1');
}

/** A key's fingerprint as `ssh-keygen -l` prints it. @param key wire format, or its base64 */
export function fingerprint(key: Uint8Array | string): string {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
}

/** The entries for a host. @param name as {@link knownHostName} writes it */
export function entriesFor(entries: readonly KnownHost[], name: string): readonly KnownHost[] {
  return entries.filter((entry) => matchesName(entry, name));
}

/**
 * Judges the key that a host shows.
 * @param entries the entries for this host ({@link entriesFor})
 * @param key wire format
 */
export function judgeHostKey(entries: readonly KnownHost[], key: Uint8Array): Verdict {
  const text = Buffer.from(key).toString('base64');
  const revoked = entries.find((entry) => entry.revoked && entry.key === text);
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const valid = entries.filter((entry) => !entry.revoked);
  if (valid.some((entry) => entry.key === text)) return { kind: 'known' };
  const other = valid.find((entry) => entry.type === keyType(key)) ?? valid[0];
  return other === undefined ? { kind: 'unknown' } : { kind: 'changed', entry: other };
}

/** Signature algorithms of a key type, best first (RFC 8332 for RSA). */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** The algorithms to ask a host for: those of its known keys first, else it may show another key than the known one. */
export function hostKeyAlgorithms(entries: readonly KnownHost[]): readonly string[] {
  const known = entries.filter((entry) => !entry.revoked).map((entry) => entry.type);
  const types = new Set([...known, ...Object.keys(SIGNATURES)]);
  return [...types].flatMap((type) => SIGNATURES[type] ?? []);
}
