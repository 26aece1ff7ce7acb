import { describe, expect, test } from '@jest/globals';
import { checkBackends } from '../../../src/checks/backends.js';
import { checkNonlocalBind } from '../../../src/checks/nonlocal-bind.js';
import { checkRouterIds } from '../../../src/checks/router-id.js';
import { checkVirtualIp } from '../../../src/checks/virtual-ip.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { sampleBalancer, withService } from '../../support/sample-cluster.js';

const URL_OF_VIP = 'https://10.0.0.100:2379/health?exclude=NOSPACE';
const BUNDLE = '/etc/haproxy/etcd-client.pem';
const QUESTION = httpsKey({ url: URL_OF_VIP, ca: '/etc/haproxy/etcd-ca.crt', certificate: BUNDLE, key: BUNDLE });

describe('the virtual IP', () => {
  const OK = { kind: 'answer', status: 200, body: '' };
  const host = (number: number, addresses: readonly string[], answer: unknown = OK): FakeAnswers => ({
    'host-addresses': { all: addresses.map((address) => ({ interface: 'eth0', address, prefixLength: 24 })) },
    'source-addresses': Object.fromEntries([1, 2, 3].map((far) => [`10.0.0.${far}`, `10.0.0.${number}`])),
    'https-answers': { [QUESTION]: answer },
  });
  const standby = host(3, ['10.0.0.3']);

  test.each([
    [
      'one holds it',
      { 'etcd-1': host(1, ['10.0.0.1']), 'etcd-2': host(2, ['10.0.0.2', '10.0.0.100']), 'etcd-3': standby },
      ['ok virtual-ip 10.0.0.100: etcd-2 holds 10.0.0.100'],
    ],
    [
      'two hold it',
      {
        'etcd-1': host(1, ['10.0.0.1', '10.0.0.100']),
        'etcd-2': host(2, ['10.0.0.2', '10.0.0.100']),
        'etcd-3': standby,
      },
      ['fail virtual-ip 10.0.0.100: 10.0.0.100 is held by etcd-1 and etcd-2 at once'],
    ],
    [
      'nobody holds it',
      { 'etcd-1': host(1, ['10.0.0.1']), 'etcd-2': host(2, ['10.0.0.2']), 'etcd-3': standby },
      ['fail virtual-ip 10.0.0.100: no balancer holds 10.0.0.100'],
    ],
    [
      'a host cannot be reached, another holds it',
      { 'etcd-1': UNREACHABLE, 'etcd-2': host(2, ['10.0.0.2', '10.0.0.100']), 'etcd-3': standby },
      [
        'fail host etcd-1: etcd-1: connection refused',
        'ok virtual-ip 10.0.0.100: etcd-2 holds 10.0.0.100',
        'fail host etcd-1: etcd-1: connection refused',
      ],
    ],
  ] as const)('%s', async (_, hosts, expected) => {
    const lines = await linesOf(checkVirtualIp, contextOf(hosts));
    expect(lines.filter((line) => !line.includes('virtual-ip-answers'))).toEqual(expected);
  });

  test.each([
    [
      'holds it, too',
      ['10.0.0.9', '10.0.0.100'],
      'fail virtual-ip 10.0.0.100: 10.0.0.100 is held by etcd-2 and old at once',
    ],
    ['is freed of it', ['10.0.0.9'], 'ok virtual-ip 10.0.0.100: etcd-2 holds 10.0.0.100'],
  ])('a former balancer %s', async (_, addresses, expected) => {
    const holder = host(2, ['10.0.0.2', '10.0.0.100']);
    const hosts = { 'etcd-1': host(1, ['10.0.0.1']), 'etcd-2': holder, 'etcd-3': standby, old: host(9, addresses) };
    const cluster = withService({ formerBalancers: [{ ...sampleBalancer(1), host: 'old' }] });
    expect(await linesOf(checkVirtualIp, contextOf(hosts, { cluster }))).toContain(expected);
  });

  test('etcd does not answer through it', async () => {
    const refused = { kind: 'failure', reason: 'Connection refused' };
    const hosts = { 'etcd-1': host(1, ['10.0.0.1', '10.0.0.100'], refused), 'etcd-2': host(2, []), 'etcd-3': standby };
    expect(await linesOf(checkVirtualIp, contextOf(hosts))).toContain(
      `fail virtual-ip-answers etcd-1 etcd: from etcd-1, ${URL_OF_VIP} fails: Connection refused`,
    );
  });
});

describe('the virtual router id', () => {
  const line = '(etcd) received an invalid passwd!';
  test.each<[string, unknown, string]>([
    [
      'nobody else uses it',
      { kind: 'nothing' },
      'ok virtual-router-id etcd-1 etcd: keepalived hears no other group with 100',
    ],
    [
      'another group is heard',
      { kind: 'stranger', line },
      `warn virtual-router-id etcd-1 etcd: another group on this network uses 100, too; keepalived says: ${line}`,
    ],
    [
      'another version is spoken',
      { kind: 'stranger', line: '(etcd) wrong version. Received 2 and expect 3' },
      'warn virtual-router-id etcd-1 etcd: another VRRP version is spoken on this network with 100; keepalived says: (etcd) wrong version. Received 2 and expect 3',
    ],
    [
      'the journal is for others',
      { kind: 'unknown' },
      "warn virtual-router-id etcd-1 etcd: the journal of keepalived can't be read",
    ],
  ])('%s', async (_, heard, expected) => {
    const quiet = { 'vrrp-conflicts': { keepalived: { kind: 'nothing' } } };
    const hosts = { 'etcd-1': { 'vrrp-conflicts': { keepalived: heard } }, 'etcd-2': quiet, 'etcd-3': quiet };
    const lines = await linesOf(checkRouterIds, contextOf(hosts));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe(expected);
    expect(lines.filter((each) => !each.startsWith('ok'))).toEqual(expected.startsWith('ok') ? [] : [expected]);
  });
});

describe('ip_nonlocal_bind', () => {
  const KEY = 'net.ipv4.ip_nonlocal_bind';
  const host = (now: string | undefined, atBoot: unknown): FakeAnswers => ({
    sysctls: { [KEY]: now },
    'sysctls-at-boot': { [KEY]: atBoot },
  });
  const kept = { value: '1', file: '/etc/sysctl.d/60-x.conf' };

  test.each([
    ['now and after a reboot', host('1', kept), []],
    ['not now', host('0', kept), [`fail nonlocal-bind etcd-2 now: ${KEY} = 0`]],
    [
      'not after a reboot',
      host('1', undefined),
      [`fail nonlocal-bind etcd-2 after a reboot: no file of sysctl.d sets ${KEY}`],
    ],
    [
      'rolled back by a later file',
      host('1', { value: '0', file: '/etc/sysctl.d/99-y.conf' }),
      [`fail nonlocal-bind etcd-2 after a reboot: ${KEY} = 0 in /etc/sysctl.d/99-y.conf`],
    ],
  ])('%s', async (_, second, expected) => {
    const good = host('1', kept);
    const context = contextOf({ 'etcd-1': good, 'etcd-2': second, 'etcd-3': good });
    const lines = await linesOf(checkNonlocalBind, context);
    expect(lines).toHaveLength(6);
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual(expected);
  });
});

describe('HAProxy', () => {
  const up = ['m1', 'm2', 'm3'].map((name) => ({ name, status: 'UP', check: 'L7OK' }));
  const good = { 'haproxy-servers': { '23790 etcd': up } };

  test.each([
    ['sees all', up, 'ok haproxy etcd-2 etcd: finds m1, m2, m3 up'],
    ['is silent', undefined, 'fail haproxy etcd-2 etcd: HAProxy on etcd-2 does not answer'],
    [
      'finds one down',
      [...up.slice(0, 2), { name: 'm3', status: 'DOWN', check: 'L4CON' }],
      'fail haproxy etcd-2 etcd: HAProxy on etcd-2 finds m3 DOWN: L4CON',
    ],
  ])('%s', async (_, servers, expected) => {
    const second = { 'haproxy-servers': { '23790 etcd': servers } };
    const context = contextOf({ 'etcd-1': good, 'etcd-2': second, 'etcd-3': good });
    expect((await linesOf(checkBackends, context))[1]).toBe(expected);
  });
});
