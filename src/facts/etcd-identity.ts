import type { Fact } from '../model/remote.js';
import { etcdStatusCommand, type EtcdStatusRequest } from '../shell/etcd-status-request.js';
import { opensslReason } from './https-answer.js';
import { fieldsOf } from './protobuf-fields.js';

/** Who answers at an etcd endpoint. Ids are decimal texts, as in etcdctl's JSON. */
export type EtcdIdentity =
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'answers';
      readonly clusterId: string;
      readonly memberId: string;
      /** Id of the leader that it follows, or is; `0` while there is none, and for a learner, which does not notice when its leader goes. */
      readonly leaderId: string;
      /** The store's revision: 1 when nothing was ever written. */
      readonly revision: number;
    };

/** The key to ask {@link etcdIdentity} by. */
export function etcdIdentityKey({
  url,
  ca = null,
  certificate = null,
  key = null,
  connectTo,
}: NullableRequest): string {
  return JSON.stringify([url, ca, certificate, key, ...(typeof connectTo === 'string' ? [connectTo] : [])]);
}

type NullableRequest = { readonly [Name in keyof EtcdStatusRequest]: EtcdStatusRequest[Name] | null };

/** Key: {@link etcdIdentityKey}. Asked as an etcd client asks, from the host; all at once, for some may hang. */
export const etcdIdentity: Fact<EtcdIdentity> = {
  name: 'etcd-identities',
  // One short line each: what runs side by side does not mix.
  script: (keys) =>
    [...keys.map((key, index) => `{ out=$(${commandFor(key)}); printf 'I %s %s\\n' ${index} "$out"; } &`), 'wait'].join(
      '\n',
    ),
  parse(stdout, keys) {
    const answers = new Map(
      [...stdout.matchAll(/^I (\d+) ([A-Za-z0-9+/=]*)$/gm)].map(([, index, text = '']) => [
        Number(index),
        readIdentity(Buffer.from(text, 'base64')),
      ]),
    );
    return new Map(
      keys.map((key, index) => [key, answers.get(index) ?? { kind: 'silent', reason: 'nothing came back' }]),
    );
  },
};

function commandFor(key: string): string {
  const [url = '', ca, certificate, clientKey, connectTo] = JSON.parse(key) as readonly (string | null)[] & {
    0: string;
  };
  const files = { ca: ca ?? undefined, certificate: certificate ?? undefined, key: clientKey ?? undefined };
  return etcdStatusCommand({ url, ...files, connectTo: connectTo ?? undefined });
}

/** Of etcd's rpc.proto, `message StatusResponse`; what is 0 or false is left out. */
const [LEADER, IS_LEARNER] = [4, 10];

/**
 * Reads the answer to a gRPC call of etcdserverpb.Maintenance/Status; what is none is `silent`, whatever came back.
 * @param bytes what openssl or bash complained of, then HTTP/2 frames
 */
export function readIdentity(bytes: Buffer): EtcdIdentity {
  // A frame begins with the upper byte of its length, which is 0: no text holds that.
  const start = bytes.indexOf(0);
  const text = (start < 0 ? bytes : bytes.subarray(0, start)).toString('utf8');
  const message = start < 0 ? Buffer.alloc(0) : dataOf(bytes.subarray(start));
  // A gRPC message has a flag and its length before it.
  const status = fieldsOf(message.subarray(5));
  const [header, leader, isLearner] = [status.get(1), status.get(LEADER), status.get(IS_LEARNER) === 1n];
  if (!Buffer.isBuffer(header)) return { kind: 'silent', reason: start < 0 ? complaint(text) : 'no etcd answers' };
  const [clusterId, memberId, revision] = [1, 2, 3].map((field) => fieldsOf(header).get(field));
  if (typeof clusterId !== 'bigint' || typeof memberId !== 'bigint')
    return { kind: 'silent', reason: 'an answer without a cluster id' };
  return {
    kind: 'answers',
    clusterId: String(clusterId),
    memberId: String(memberId),
    leaderId: typeof leader === 'bigint' && !isLearner ? String(leader) : '0',
    revision: typeof revision === 'bigint' ? Number(revision) : 0,
  };
}

function complaint(text: string): string {
  const [, shell] =
    /: (Connection refused|No route to host|Network is unreachable|Name or service not known)/.exec(text) ?? [];
  const [, socket] = /^connect:errno=(\d+)/m.exec(text) ?? [];
  if (shell !== undefined) return shell;
  if (socket !== undefined) return 'no connection';
  return text.trim() === '' ? 'no answer in time' : opensslReason(text);
}

/** What the DATA frames of the one stream hold (RFC 9113, sections 4.1 and 6.1). */
function dataOf(frames: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 9 <= frames.length;) {
    const length = frames.readUIntBE(at, 3);
    const [type, flags, stream] = [frames.readUInt8(at + 3), frames.readUInt8(at + 4), frames.readUInt32BE(at + 5)];
    const payload = frames.subarray(at + 9, at + 9 + length);
    const isPadded = (flags & 8) !== 0;
    const padding = isPadded ? (payload[0] ?? 0) : 0;
    if (type === 0 && stream === 1)
      parts.push(payload.subarray(isPadded ? 1 : 0, Math.max(0, payload.length - padding)));
    at += 9 + length;
  }
  return Buffer.concat(parts);
}
