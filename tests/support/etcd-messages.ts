/**
 * The few messages of etcd's gRPC API that writers need (etcd api/etcdserverpb/rpc.proto), in protobuf's wire format.
 * The JSON gateway is no way for a test: a member that is set up by a configuration file has none (etcd 3.4).
 */

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const bytesField = (number: number, text: string): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(Buffer.byteLength(text)), Buffer.from(text)]);

const numberField = (number: number, value: number): Buffer => Buffer.concat([varint(number * 8), varint(value)]);

/** A message in gRPC's frame: not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `PutRequest`, framed. */
export function putRequest(key: string, value: string): Buffer {
  return framed(Buffer.concat([bytesField(1, key), bytesField(2, value)]));
}

/** `RangeRequest` for the names of all keys that begin with a prefix, framed. @param atRevision what this member has itself */
export function rangeRequest(prefix: string, atRevision?: number): Buffer {
  // As clients do: up to the next text of the same length.
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const own = atRevision === undefined ? [] : [numberField(4, atRevision), numberField(7, 1)];
  return framed(Buffer.concat([bytesField(1, prefix), bytesField(2, end), ...own, numberField(8, 1)]));
}

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(at);
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = readVarint();
    const value = readVarint();
    if ((tag & 7) === 0) yield { number: tag >>> 3, value };
    else {
      yield { number: tag >>> 3, value: message.subarray(at, at + value) };
      at += value;
    }
  }
}

const messagesOf = (message: Buffer, number: number): readonly Buffer[] =>
  [...fieldsOf(message)].flatMap((field) =>
    field.number === number && typeof field.value !== 'number' ? [field.value] : [],
  );

/** What a `RangeResponse` says. */
export interface RangeResponse {
  readonly revision: number;
  readonly keys: readonly string[];
}

/** Reads a framed `RangeResponse`. */
export function readRangeResponse(frame: Buffer): RangeResponse {
  const message = frame.subarray(5);
  const header = messagesOf(message, 1)[0] ?? Buffer.alloc(0);
  const revision = [...fieldsOf(header)].find(({ number }) => number === 3)?.value;
  const keys = messagesOf(message, 2).map((entry) => (messagesOf(entry, 1)[0] ?? Buffer.alloc(0)).toString('utf8'));
  return { revision: Number(revision), keys };
}
