import { expect, test } from '@jest/globals';
import { KUBEADM_CONFIG, kubeadmConfig } from '../../../src/facts/kubeadm-config.js';

/** What the script prints. @param out what curl or openssl printed */
function printed(pid: string, out: string): string {
  return `${pid} ${Buffer.from(out).toString('base64')}\n`;
}

const OPENSSL = "Can't use SSL_get_servername\ndepth=0 CN = kube-apiserver\nverify return:1\n";
const BODY = JSON.stringify({ kind: 'ConfigMap', data: { ClusterConfiguration: 'kind: ClusterConfiguration\n' } });

test.each([
  ['curl', `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n${BODY}`],
  ['openssl', `${OPENSSL}HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${BODY}`],
])('is read through %s', (_, out) => {
  const expected = { kind: 'found', configuration: 'kind: ClusterConfiguration\n' };
  expect(kubeadmConfig.parse(printed('7', out), [KUBEADM_CONFIG]).get(KUBEADM_CONFIG)).toEqual(expected);
});

test.each([
  ['without a process', '-', '', { kind: 'silent', reason: 'no kube-apiserver runs' }],
  [
    'while it does not listen',
    '7',
    'curl: (7) Failed to connect to 127.0.0.1 port 6443 after 0 ms: Connection refused\n',
    { kind: 'silent', reason: 'curl: (7) Failed to connect to 127.0.0.1 port 6443: Connection refused' },
  ],
  [
    'while it has no etcd',
    '7',
    'HTTP/1.1 504 Gateway Timeout\r\n\r\n{}',
    { kind: 'silent', reason: 'the kube-apiserver answers 504' },
  ],
  ['where it may not be read', '7', 'HTTP/1.1 403 Forbidden\r\n\r\n{}', { kind: 'refused', status: 403 }],
  ['where there is none', '7', 'HTTP/1.1 404 Not Found\r\n\r\n{}', { kind: 'absent' }],
  ['without the key', '7', 'HTTP/1.1 200 OK\r\n\r\n{}', { kind: 'found', configuration: '' }],
])('%s', (_, pid, out, expected) => {
  expect(kubeadmConfig.parse(printed(pid, out), [KUBEADM_CONFIG]).get(KUBEADM_CONFIG)).toEqual(expected);
});
