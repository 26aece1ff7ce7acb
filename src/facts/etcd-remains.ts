import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { remainsScript } from '../shell/etcd-remains.js';
import { blocksByKey } from './blocks-by-key.js';
import { fieldsOf } from './protobuf-fields.js';

/** What a host has of its member, running or not. Ids and indexes are decimal texts. */
export interface EtcdRemains {
  /** There is a database. */
  readonly hasData: boolean;
  /** How large it is, bytes; 0 without one. */
  readonly databaseBytes: number;
  /** A process of its unit runs, ready or not. */
  readonly isRunning: boolean;
  /** Of its log; undefined where there is none, or it can't be read. */
  readonly clusterId: string | undefined;
  /** Of the database of a member that is stopped. */
  readonly revision: number | undefined;
  /** Raft's term and index of the newest snapshot of its log, by its name. */
  readonly snapshot: { readonly term: number; readonly index: number } | undefined;
}

/** The key to ask {@link etcdRemains} by. */
export function etcdRemainsKey({ dataDir, unit }: Pick<Member, 'dataDir' | 'unit'>): string {
  return JSON.stringify([dataDir, unit]);
}

/** Key: {@link etcdRemainsKey}. Asked where a quorum is lost: it reads the database. */
export const etcdRemains: Fact<EtcdRemains> = {
  name: 'etcd-remains',
  script: (keys) =>
    keys
      .map((key) => {
        const [dataDir = '', unit = ''] = JSON.parse(key) as readonly string[];
        return remainsScript({ dataDir, unit });
      })
      .join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^E$/m, keys, parseBlock),
};

function parseBlock(block: string): EtcdRemains {
  const line = (letter: string): string | undefined => new RegExp(`^${letter} (.+)$`, 'm').exec(block)?.[1];
  const [, term, index] = /^([0-9a-f]{16})-([0-9a-f]{16})$/.exec(line('S') ?? '') ?? [];
  const revision = /"revision":(\d{1,15})\b/.exec(line('R') ?? '')?.[1];
  const head = line('W');
  return {
    hasData: line('D') !== undefined,
    databaseBytes: Number(/^\d{1,15}$/.exec(line('D') ?? '')?.[0] ?? 0),
    isRunning: line('P') === 'yes',
    clusterId: head === undefined ? undefined : clusterIdIn(Buffer.from(head, 'base64')),
    revision: revision === undefined ? undefined : Number(revision),
    snapshot:
      term === undefined || index === undefined
        ? undefined
        : { term: Number.parseInt(term, 16), index: Number.parseInt(index, 16) },
  };
}

/**
 * The cluster that a write-ahead log belongs to. Its first two records are a checksum and the metadata: each is a protocol buffers
 * message with 8 bytes of length before it; type 1, checksum, and { node id, cluster id } (etcd wal/encoder.go, record.proto).
 */
export function clusterIdIn(log: Buffer): string | undefined {
  for (let at = 0; at + 8 <= log.length;) {
    // The upper byte says how many bytes of padding there are, in its lower three bits.
    const length = log.readUIntLE(at, 6);
    const flags = log.readUInt8(at + 7);
    const padding = flags >= 0x80 ? flags & 7 : 0;
    const record = fieldsOf(log.subarray(at + 8, at + 8 + length));
    const data = record.get(3);
    if (record.get(1) === 1n && Buffer.isBuffer(data)) {
      const id = fieldsOf(data).get(2);
      return typeof id === 'bigint' ? String(id) : undefined;
    }
    if (length === 0) return undefined;
    at += 8 + length + padding;
  }
  return undefined;
}
