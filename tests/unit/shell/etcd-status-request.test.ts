import { expect, test } from '@jest/globals';
import { etcdStatusCommand } from '../../../src/shell/etcd-status-request.js';

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: string;
}

/** What a command sends: the preface and the frames of an HTTP/2 connection (RFC 9113, section 4.1). */
function sentBy(command: string): readonly [preface: string, ...Frame[]] {
  const bytes = Buffer.from(/^printf %s (\S+) \|/.exec(command)?.[1] ?? '', 'base64');
  const frames: Frame[] = [];
  for (let at = 24; at < bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end).toString('latin1'),
    });
    at = end;
  }
  return [bytes.subarray(0, 24).toString('latin1'), ...frames];
}

/** A header field without an index, its name from the static table (RFC 7541, section 6.2.2). */
const field = (name: string, value: string): string => `${name}${String.fromCharCode(value.length)}${value}`;

const call = (scheme: string, authority: string): readonly unknown[] => [
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  { type: 4, flags: 0, stream: 0, payload: '' },
  {
    type: 1,
    flags: 4,
    stream: 1,
    payload: [
      `\x83${scheme}`,
      field('\x04', '/etcdserverpb.Maintenance/Status'),
      field('\x01', authority),
      // 31 is 15 and 16 more.
      field('\x0f\x10', 'application/grpc'),
      `\0${field('\x02te', 'trailers')}`,
    ].join(''),
  },
  { type: 0, flags: 1, stream: 1, payload: '\0\0\0\0\0' },
  { type: 7, flags: 0, stream: 0, payload: '\0\0\0\0\0\0\0\0' },
];

const LIMITS = '2>&1 | head -c 2400 | base64 -w0';

test.each([
  ['https://10.0.0.1:2379', '\x87', '10.0.0.1:2379', '10.0.0.1:2379'],
  ['https://etcd-1/', '\x87', 'etcd-1:443', 'etcd-1:443 -servername etcd-1'],
  ['https://[fd00::1]:1', '\x87', '[fd00::1]:1', "'[fd00::1]:1'"],
])('over TLS, to %s', (url, scheme, authority, connection) => {
  const command = etcdStatusCommand({ url });
  expect(sentBy(command)).toEqual(call(scheme, authority));
  const end = `| base64 -d | timeout 5 openssl s_client -quiet -ign_eof -connect ${connection} -alpn h2 ${LIMITS}`;
  expect(command.slice(-end.length)).toBe(end);
});

test.each([
  ['http://10.0.0.1:2379', '10.0.0.1:2379', '10.0.0.1 2379'],
  ['http://10.0.0.1', '10.0.0.1:80', '10.0.0.1 80'],
  ['http://[fd00::1]:1', '[fd00::1]:1', 'fd00::1 1'],
])('in the clear, to %s', (url, authority, words) => {
  const command = etcdStatusCommand({ url });
  expect(sentBy(command)).toEqual(call('\x86', authority));
  const plain = `'exec 3<>"/dev/tcp/$1/$2" && base64 -d >&3 && cat <&3'`;
  const end = `| timeout 3 bash -c ${plain} ask ${words} ${LIMITS}`;
  expect(command.slice(-end.length)).toBe(end);
});

// HPACK writes what does not fit in seven bits in more bytes (RFC 7541, section 5.1).
test.each([
  [126, '\x7e'],
  [127, '\x7f\0'],
  [128, '\x7f\x01'],
  [254, '\x7f\x7f'],
  [255, '\x7f\x80\x01'],
  [300, '\x7f\xad\x01'],
])('a name of %i characters', (length, encoded) => {
  const host = `${'a.'.repeat(length / 2)}aaaa`.slice(0, length - ':2379'.length);
  const [, , headers] = sentBy(etcdStatusCommand({ url: `http://${host}:2379` }));
  expect(headers?.payload).toContain(`\x01${encoded}${host}:2379`);
});
