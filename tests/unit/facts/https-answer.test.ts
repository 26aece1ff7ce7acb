import { expect, test } from '@jest/globals';
import { httpsAnswer, httpsKey } from '../../../src/facts/https-answer.js';
import { fixture } from '../../support/fixture.js';

// The fixtures hold the answers to these, from a control-plane host, first without curl and then with it.
const QUESTIONS = [
  'verified, with a client certificate',
  'verified by the wrong authority',
  'not verified',
  'without the client certificate that etcd wants',
  'nobody listens',
  'verified by the wrong authority, no client certificate',
];
const keys = QUESTIONS.map((url) => httpsKey({ url }));

function answers(tool: string): readonly unknown[] {
  return [...httpsAnswer.parse(fixture(`facts/https-answer-${tool}.txt`), keys).values()];
}

test.each(['openssl', 'curl'])('%s', (tool) => {
  const [verified, wrong, unverified, anonymous, refused, wrongAgain] = answers(tool);
  expect(verified).toEqual({ kind: 'answer', status: 200, body: '{"health":"true","reason":""}' });
  expect(unverified).toEqual({ kind: 'answer', status: 200, body: 'ok' });
  const untrusted = expect.stringContaining('unable to get local issuer certificate');
  expect(wrong).toEqual({ kind: 'failure', reason: untrusted });
  expect(wrongAgain).toEqual({ kind: 'failure', reason: untrusted });
  expect(anonymous).toEqual({ kind: 'failure', reason: expect.stringContaining('certificate required') });
  expect(refused).toEqual({ kind: 'failure', reason: expect.stringMatching(/refused|Could not connect/) });
});

test('a host with neither program says so', () => {
  const key = httpsKey({ url: 'https://a/' });
  expect(httpsAnswer.parse('Q\nN\n', [key]).get(key)).toEqual({
    kind: 'failure',
    reason: 'the host has neither curl nor openssl',
  });
});

test('verification names what is expected of the server', () => {
  const script = (url: string): string => httpsAnswer.script([httpsKey({ url, ca: '/ca.crt' })]);
  expect(script('https://203.0.113.100:2379/')).toContain('-verify_ip 203.0.113.100');
  expect(script('https://etcd.example.com:2379/')).toContain('-verify_hostname etcd.example.com');
  expect(script('https://[2001:db8::100]:2379/')).toContain("-connect '[2001:db8::100]:2379'");
  expect(script('https://203.0.113.100:2379/')).not.toContain('--insecure');
});

test('what is asked elsewhere is verified by its own name all the same', () => {
  const script = (connectTo?: string): string =>
    httpsAnswer.script([httpsKey({ url: 'https://203.0.113.100:6443/readyz', ca: '/ca.crt', connectTo })]);
  expect(script('10.0.0.11')).toContain('--connect-to ::10.0.0.11: https://203.0.113.100:6443/readyz');
  expect(script('10.0.0.11')).toContain(
    '-connect 10.0.0.11:6443 -CAfile /ca.crt -verify_return_error -verify_ip 203.0.113.100',
  );
  expect(script('2001:db8::11')).toContain("--connect-to '::[2001:db8::11]:'");
  expect(script('2001:db8::11')).toContain("-connect '[2001:db8::11]:6443'");
  expect(script()).not.toContain('--connect-to');
  expect(script()).toContain('-connect 203.0.113.100:6443');
});

test.each([
  [
    'key, of OpenSSL 3',
    [
      'Could not open file or uri for loading client certificate private key from /pki/a.key',
      '407704EC847F0000:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file',
      '407704EC847F0000:error:80000002:system library:file_open:No such file or directory:../providers/implementations/storemgmt/file_store.c:266:calling stat(/pki/a.key)',
    ],
    "/pki/a.key can't be read: No such file or directory",
  ],
  [
    'authority, of OpenSSL 3',
    [
      '40D755032F7F0000:error:8000000D:system library:BIO_new_file:Permission denied:../crypto/bio/bss_file.c:67:calling fopen(/pki/ca.crt, r)',
      '40D755032F7F0000:error:05880002:x509 certificate routines:X509_load_cert_crl_file_ex:system lib:../crypto/x509/by_file.c:229:',
    ],
    "/pki/ca.crt can't be read: Permission denied",
  ],
  [
    'key, of OpenSSL 1.1',
    [
      'unable to load client certificate private key file',
      "140735:error:02001002:system library:fopen:No such file or directory:../crypto/bio/bss_file.c:69:fopen('/pki/a.key','r')",
      '140735:error:2006D080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:76:',
    ],
    "/pki/a.key can't be read: No such file or directory",
  ],
])('a file that openssl cannot read is named: %s', (_, lines, reason) => {
  const key = httpsKey({ url: 'https://a/' });
  const block = `Q\nO 1 ${Buffer.from(`${lines.join('\n')}\n`).toString('base64')}\n`;
  expect(httpsAnswer.parse(block, [key]).get(key)).toEqual({ kind: 'failure', reason });
});
