import { beforeAll, expect, test } from '@jest/globals';
import { signingCommand } from '../../../src/pki/signing-command.js';
import { authorityFrom, TODAY } from '../../support/test-authority.js';

let [longLived, ending] = ['', ''];

beforeAll(async () => {
  longLived = (await authorityFrom(TODAY)).certificatePem;
  ending = (await authorityFrom(TODAY, 100)).certificatePem;
});

test('signs every request by one loop', () => {
  const command = signingCommand(["etcd-1/it's", 'etcd-2/etcd-server'], {
    authorityPem: longLived,
    days: 365,
    now: TODAY,
  });
  expect(command.split('\n')).toEqual([
    'for name in \\',
    "  'etcd-1/it'\\''s' \\",
    '  etcd-2/etcd-server \\',
    '; do',
    '  openssl x509 -req -in "requests/$name.csr" -CA ca.crt -CAkey CA.KEY -days 365 -copy_extensions copy -out "requests/$name.crt"',
    'done',
  ]);
});

test('a leaf does not outlive its authority', () => {
  expect(signingCommand(['a/b'], { authorityPem: ending, days: 365, now: TODAY })).toContain('-days 100 ');
});
