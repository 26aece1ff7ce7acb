import { describe, expect, test } from '@jest/globals';
import { checkDnsName, checkNetwork, checkPort, checkUser, checkVirtualIp } from '../../../src/wizard/checks.js';

const HOSTS = [
  { name: 'etcd-1', address: '10.0.0.1' },
  { name: 'etcd-2', address: '10.0.0.2' },
];

describe('checkVirtualIp', () => {
  test.each(['', '10.0.0.100'])('accepts %j', (text) => {
    expect(checkVirtualIp(text, HOSTS)).toBe(true);
  });

  test.each([
    ['10.0.0', 'is not an IP address'],
    ['10.0.0.2', 'is the address of etcd-2'],
    ['127.0.0.1', 'is unspecified, loopback, multicast or reserved'],
    ['0.0.0.0', 'is unspecified, loopback, multicast or reserved'],
    ['2001:db8::1', 'is IPv6, but etcd-1 has 10.0.0.1'],
  ])('refuses %j', (text, reason) => {
    expect(checkVirtualIp(text, HOSTS)).toContain(reason);
  });
});

describe('checkNetwork', () => {
  test.each(['', '10.0.0.0/24', '10.0.0.1/8'])('accepts %j', (text) => {
    expect(checkNetwork(text, '10.0.0.100', HOSTS)).toBe(true);
  });

  test.each([
    ['10.0.0.0', 'is not a network'],
    ['10.0.0.0/33', 'is not a network'],
    ['ten/8', 'is not a network'],
    ['10.0.0.0/30', 'the virtual IP (10.0.0.100) is not in 10.0.0.0/30'],
    ['10.0.0.96/27', 'etcd-1 (10.0.0.1) is not in 10.0.0.96/27; etcd-2 (10.0.0.2) is not in 10.0.0.96/27'],
    ['2001:db8::/64', 'the virtual IP (10.0.0.100) is not in'],
  ])('refuses %j', (text, reason) => {
    expect(checkNetwork(text, '10.0.0.100', HOSTS)).toContain(reason);
  });
});

test.each([
  [checkDnsName, ['', 'etcd.example.com', 'etcd'], ['10.0.0.1', 'a..b', '-a', 'a_b']],
  [checkPort, ['1', '2379', '65535'], ['', '0', '65536', '2379x']],
  [checkUser, ['root', 'debian', '_apt', 'svc-etcd'], ['', 'Root', 'a b', '-x']],
])('%p accepts and refuses', (check, good, bad) => {
  for (const text of good) expect(check(text)).toBe(true);
  for (const text of bad) expect(check(text)).toEqual(expect.stringContaining(`"${text}" is no`));
});
