import { hostPort } from '../model/endpoint.js';
import { opensslConnection, type HttpsRequest } from './https-request.js';
import { quote } from './quote.js';

/** What an etcd is asked, and with what. A plain `http://` URL is asked without any file. */
export type EtcdStatusRequest = HttpsRequest;

/** No answer takes longer, in seconds. A server that has answered closes a TLS connection after one. */
const LIMIT_S = 5;

/** grpc-go does not close a plain connection when it is asked to: this long is waited for the answer, in seconds. */
const PLAIN_LIMIT_S = 3;

/** An answer is some 400 bytes. */
const LIMIT_BYTES = 2400;

/**
 * A command that prints, in base64, what comes back when an etcd is asked for its status by gRPC, as its clients ask: the
 * JSON gateway may be off, and etcdctl is not on every host. It needs openssl, or bash for a plain URL.
 */
export function etcdStatusCommand(request: EtcdStatusRequest): string {
  const url = new URL(request.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isPlain = url.protocol === 'http:';
  const port = url.port === '' ? (isPlain ? '80' : '443') : url.port;
  const bytes = statusCall(isPlain ? 'http' : 'https', hostPort(host, Number(port))).toString('base64');
  const send = `printf %s ${bytes} | base64 -d`;
  // bash, because no other program of every host opens a plain connection.
  const plain = `exec 3<>"/dev/tcp/$1/$2" && base64 -d >&3 && cat <&3`;
  const exchange = isPlain
    ? `printf %s ${bytes} | timeout ${PLAIN_LIMIT_S} bash -c ${quote(plain)} ask ${quote(host)} ${quote(port)}`
    : `${send} | timeout ${LIMIT_S} ${opensslConnection(request)} -alpn h2`;
  return `${exchange} 2>&1 | head -c ${LIMIT_BYTES} | base64 -w0`;
}

/**
 * The bytes of one HTTP/2 connection (RFC 9113) with one gRPC call, etcdserverpb.Maintenance/Status without a body. The
 * headers are HPACK literals without Huffman (RFC 7541, appendix A for the indexes).
 */
function statusCall(scheme: 'http' | 'https', authority: string): Buffer {
  const headers = Buffer.concat([
    Buffer.from([POST, scheme === 'https' ? HTTPS : HTTP]),
    literal(PATH, '/etcdserverpb.Maintenance/Status'),
    literal(AUTHORITY, authority),
    literal(CONTENT_TYPE, 'application/grpc'),
    literal(0, 'te', 'trailers'),
  ]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
    frame(HEADERS, END_HEADERS, 1, headers),
    frame(DATA, END_STREAM, 1, Buffer.alloc(5)),
    // No more calls: the server closes after the answer.
    frame(GOAWAY, 0, 0, Buffer.alloc(8)),
  ]);
}

const [DATA, HEADERS, SETTINGS, GOAWAY] = [0, 1, 4, 7];
const [END_STREAM, END_HEADERS] = [1, 4];
/** Of HPACK's static table: whole fields with their first bit set, names alone. */
const [POST, HTTP, HTTPS] = [0x83, 0x86, 0x87];
const [AUTHORITY, PATH, CONTENT_TYPE] = [1, 4, 31];

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function literal(name: number, ...texts: readonly string[]): Buffer {
  const strings = texts.map((text) => Buffer.concat([integer(Buffer.byteLength(text), 7), Buffer.from(text)]));
  return Buffer.concat([integer(name, 4), ...strings]);
}

/** An HPACK integer (RFC 7541, section 5.1) behind zero bits. @param bits of its first byte that it may use */
function integer(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([value]);
  const rest: number[] = [];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) rest.push((left % 128) + 128);
  return Buffer.from([most, ...rest, left]);
}
