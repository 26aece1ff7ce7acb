import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readIdentity } from '../../../src/facts/etcd-identity.js';

/** What etcd 3.4.23 sent back over TLS, after what openssl said. */
const OVER_TLS = Buffer.concat([
  Buffer.from("Can't use SSL_get_servername\ndepth=1 CN = ca\nverify return:1\ndepth=0 CN = s\nverify return:1\n"),
  Buffer.from(
    [
      '00001e0400000000000005001000000003ffffffff000600100140000100001000000400100000000004080000000000000f',
      '000100000004010000000000000807000000000000000001000000000000a201040000000188409419085421621ea4d87a16',
      '1d141fc2d3947216c47f9919085ad3f4a10f524b52564faacbf4a0ed4ce7b0dec6931eaf409419085421621ea4d87a161d14',
      '1fc2d495339e447f9cd7ab76ffa53160dff4a6ad7bf26ad3bbe94d7c37fd297f067c1bf07f54012a5f8b1d75d0620d263d4c',
      '4d656440854d833505b388c565645b72469b517e89c565645b415081cc5f7e91c565645b72469b50b5f2a466a10b5d355f00',
      '0042000000000001000000003d0a1a08b298eaf1948386fccd0110cdd2918bd2b881cf8e01180120021206332e342e323318',
      '80e00120cdd2918bd2b881cf8e012804300238044880800100000c01050000000140889acac8b21234da8f0130',
    ].join(''),
    'hex',
  ),
]);

describe('who answers at an endpoint', () => {
  test('is read from frames among others', () => {
    expect(readIdentity(OVER_TLS)).toEqual({
      kind: 'answers',
      clusterId: '14841639068965178418',
      memberId: '10276657743932975437',
      leaderId: '10276657743932975437',
      revision: 1,
    });
  });

  /** A frame of data with a gRPC message: a header with cluster 5 and member 6, and these fields. */
  const status = (...fields: readonly number[]): Buffer => {
    const message = [0x0a, 4, 0x08, 5, 0x10, 6, ...fields];
    return Buffer.from([0, 0, 5 + message.length, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, message.length, ...message]);
  };
  const [LEADER_9, IS_LEARNER] = [
    [0x20, 9],
    [0x50, 1],
  ];

  test.each([
    ['that it follows', status(...LEADER_9), '9'],
    ['of nobody, which is left out', status(), '0'],
    ['that a learner was told of once', status(...LEADER_9, ...IS_LEARNER), '0'],
  ])('the leader %s', (_, bytes, leaderId) => {
    expect(readIdentity(bytes)).toMatchObject({ kind: 'answers', clusterId: '5', memberId: '6', leaderId });
  });

  test.each([
    ['', 'no answer in time'],
    [
      'bash: connect: Connection refused\nbash: line 1: /dev/tcp/127.0.0.1/1: Connection refused\n',
      'Connection refused',
    ],
    [
      '40B7:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../ssl/x.c:1\n',
      'sslv3 alert bad certificate',
    ],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'no HTTP answer came back'],
    ['\0\0\0\u0004\0\0\0\0\0', 'no etcd answers'],
  ])('%j is nobody', (text, reason) => {
    expect(readIdentity(Buffer.from(text))).toEqual({ kind: 'silent', reason });
  });

  test('whatever comes back is read, and in time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(OVER_TLS.length), (noise, at) => {
        const bytes = Buffer.concat([OVER_TLS.subarray(0, at), noise, OVER_TLS.subarray(at)]);
        expect(['answers', 'silent']).toContain(readIdentity(bytes).kind);
        expect(['answers', 'silent']).toContain(readIdentity(Buffer.from(noise)).kind);
      }),
    );
  });
});
