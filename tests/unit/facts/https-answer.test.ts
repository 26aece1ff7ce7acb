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
