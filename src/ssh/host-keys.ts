import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RemoteError } from '../model/errors.js';
import { LARGE_FILE_BYTES, readTextBounded } from '../model/read-bounded.js';
import { quote } from '../shell/quote.js';
import { causeCode } from './cause.js';
import {
  entriesFor,
  fingerprint,
  hashHostName,
  hostKeyAlgorithms,
  judgeHostKey,
  keyType,
  knownHostName,
  parseKnownHosts,
  type KnownHost,
} from './known-hosts.js';
import type { Settings } from './settings.js';

/** What the user chose about host keys, and where notices go. */
export interface HostKeyPolicy {
  /** Unknown keys of all hosts are accepted and remembered (`--accept-new-host-keys`). */
  readonly acceptNew: boolean;
  /** Unknown keys that a person has compared: host → fingerprint. They are remembered; another key of the host is unknown. */
  readonly confirmed?: ReadonlyMap<string, string> | undefined;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly onNotice: (host: string, message: string) => void;
}

/** How one connection checks its host's key. */
export interface HostKeyCheck {
  /** In order of preference, for the key exchange. */
  readonly algorithms: readonly string[];
  /** @returns what is wrong with the key; undefined when it is to be trusted */
  verify(key: Uint8Array): RemoteError | undefined;
  /** Writes the key to known_hosts if it was new. Only after the handshake proved that the host holds it. */
  remember(): Promise<void>;
}

/** known_hosts files, each read once. */
export interface HostKeys {
  checkFor(host: string, settings: Settings): Promise<HostKeyCheck>;
}

/** The name of the host in known_hosts; HostKeyAlias stands alone, without a port (sshconnect.c). */
function nameOf(settings: Settings): string {
  return settings.hostKeyAlias?.toLowerCase() ?? knownHostName(settings.hostname, settings.port);
}

function unknownKey(host: string, name: string, key: Uint8Array): RemoteError {
  return new RemoteError({
    code: 'host-key-unknown',
    host,
    message: `${host}: the host key of ${name} is not known: ${keyType(key)} ${fingerprint(key)}`,
    fingerprint: fingerprint(key),
    hint: 'compare the fingerprint with the one on the host (ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub), then run again with --accept-new-host-keys',
  });
}

function changedKey(host: string, name: string, key: Uint8Array, known: KnownHost): RemoteError {
  return new RemoteError({
    code: 'host-key-changed',
    host,
    message:
      `${host}: the host key of ${name} has changed: someone may be intercepting the connection, or the host was reinstalled.\n` +
      `  it shows ${keyType(key)} ${fingerprint(key)}\n` +
      `  known is ${known.type} ${fingerprint(known.key)} (${known.file}:${known.line})`,
    hint: `if the host was reinstalled: ssh-keygen -R ${quote(name)} -f ${quote(known.file)}, then run again with --accept-new-host-keys`,
  });
}

function revokedKey(host: string, name: string, key: Uint8Array, entry: KnownHost): RemoteError {
  return new RemoteError({
    code: 'host-key-revoked',
    host,
    message: `${host}: the host key of ${name} is revoked: ${keyType(key)} ${fingerprint(key)} (${entry.file}:${entry.line})`,
    hint: 'give the host a new key: rm /etc/ssh/ssh_host_*, then ssh-keygen -A, on the host',
  });
}

async function readEntries(file: string): Promise<readonly KnownHost[]> {
  try {
    return parseKnownHosts(await readTextBounded(file, LARGE_FILE_BYTES), file);
  } catch (error) {
    // Most users have only one of ssh's four files.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(causeCode(error))) return [];
    throw error;
  }
}

/** Adds a line in one write: with O_APPEND, two processes that do so at once do not mix their lines. */
async function appendLine(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const separator = size > 0 && last.toString() !== '\n' ? '\n' : '';
    await handle.write(`${separator}${line}\n`);
  } finally {
    await handle.close();
  }
}

/** Makes a {@link HostKeys} over the files that the settings of each host name. */
export function createHostKeys(policy: HostKeyPolicy): HostKeys {
  const files = new Map<string, Promise<readonly KnownHost[]>>();
  const entriesIn = (file: string): Promise<readonly KnownHost[]> => {
    const entries = files.get(file) ?? readEntries(file);
    files.set(file, entries);
    return entries;
  };

  async function remember(host: string, settings: Settings, key: Uint8Array): Promise<void> {
    const name = nameOf(settings);
    const file = settings.userKnownHostsFiles[0];
    if (file === undefined || file === '/dev/null') return;
    const patterns = settings.hashKnownHosts ? hashHostName(name, policy.randomBytes(20)) : name;
    const line = `${patterns} ${keyType(key)} ${Buffer.from(key).toString('base64')}`;
    const before = await entriesIn(file);
    files.set(file, Promise.resolve([...before, ...parseKnownHosts(line, file)]));
    await appendLine(file, line);
    policy.onNotice(host, `the host key of ${name} was added to ${file}: ${keyType(key)} ${fingerprint(key)}`);
  }

  async function checkFor(host: string, settings: Settings): Promise<HostKeyCheck> {
    const name = nameOf(settings);
    const all = await Promise.all([...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles].map(entriesIn));
    const entries = entriesFor(all.flat(), name);
    // As ssh does: an entry without the port vouches for the host when none with the port exists.
    const portless = settings.hostKeyAlias === undefined ? entriesFor(all.flat(), settings.hostname.toLowerCase()) : [];
    let added: Uint8Array | undefined;
    return {
      algorithms: hostKeyAlgorithms([...entries, ...portless]),
      verify(key) {
        const verdict = judgeHostKey(entries, key);
        if (verdict.kind === 'known') return undefined;
        if (verdict.kind === 'changed') return changedKey(host, name, key, verdict.entry);
        const fallback = judgeHostKey(portless, key);
        const revoked = [verdict, fallback].find((each) => each.kind === 'revoked');
        if (revoked !== undefined) return revokedKey(host, name, key, revoked.entry);
        if (fallback.kind === 'known') return undefined;
        const isConfirmed = policy.confirmed?.get(host) === fingerprint(key);
        if (!isConfirmed && !policy.acceptNew && !settings.acceptsNewKeys) return unknownKey(host, name, key);
        added = Uint8Array.from(key);
        return undefined;
      },
      async remember() {
        if (added !== undefined) await remember(host, settings, added);
      },
    };
  }

  return { checkFor };
}
