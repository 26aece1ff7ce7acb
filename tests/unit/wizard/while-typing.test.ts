import { describe, expect, test } from '@jest/globals';
import {
  checkNetwork,
  checkNetworkForm,
  checkPort,
  checkUser,
  checkVirtualIp,
  checkDnsName,
  typedDnsName,
  typedNetwork,
  typedVirtualIp,
} from '../../../src/wizard/checks.js';
import { checkTypedHosts } from '../../../src/wizard/host-list.js';
import { onceFinished } from '../../../src/wizard/problem-line.js';
import { startWizard } from '../../support/person.js';

const HOSTS = [{ name: 'etcd-1', address: '10.0.0.11' }];
const SIXTH = [{ name: 'etcd-1', address: 'fd00::2:1' }];

const virtualIp = typedVirtualIp((text) => checkVirtualIp(text, HOSTS));
const sixthIp = typedVirtualIp((text) => checkVirtualIp(text, SIXTH));
const network = typedNetwork((text) =>
  checkNetworkForm(text) === true ? checkNetwork(text, '10.0.0.100', HOSTS) : checkNetworkForm(text),
);
const dnsName = typedDnsName(checkDnsName);
const port = onceFinished(checkPort);
const user = onceFinished(checkUser);

describe('while an answer is typed', () => {
  test.each([
    ['virtual IP', virtualIp, ['10.0.0.100', '192.168.249.250', 'none']],
    ['virtual IP of IPv6', sixthIp, ['fd00::2:77', '2001:db8:1:2:3:4:5:6', 'fd00:0:0:0:1::7']],
    ['network', network, ['10.0.0.0/24', '10.0.0.0/8']],
    ['network of IPv6', typedNetwork(checkNetworkForm), ['fd00::/64', '2001:db8:1:2:3:4:5:0/112']],
    ['DNS name', dnsName, ['etcd.example.com', 'etcd-lb.a.b-c.org']],
    ['port', port, ['2379', '65535']],
    ['login name', user, ['root', 'svc-etcd', '_apt']],
    [
      'list of hosts',
      checkTypedHosts,
      [
        'etcd-1=10.0.0.1, etcd-2 = 10.0.0.2 etcd-3',
        'etcd-[1:3]=10.0.0.[11:13]',
        '10.0.0.1 etcd-1 # first\nfd00::2\tetcd-2 b.example.com\n',
      ],
    ],
  ])('nothing is said of any beginning of a right answer: %s', (_, check, answers) => {
    for (const answer of answers)
      for (let length = 0; length <= answer.length; length += 1)
        expect([answer.slice(0, length), check(answer.slice(0, length))]).toEqual([answer.slice(0, length), true]);
  });

  test.each([
    [virtualIp, '10.0.0.11', '10.0.0.11 is the address of etcd-1'],
    [virtualIp, '10.0.300', '"10.0.300" is not an IP address'],
    [virtualIp, '10.0.0.1.', '"10.0.0.1." is not an IP address'],
    [virtualIp, 'nine', '"nine" is not an IP address'],
    [virtualIp, 'fd00::1', 'fd00::1 is IPv6, but etcd-1 has 10.0.0.11'],
    [sixthIp, 'fd00:::', '"fd00:::" is not an IP address'],
    [network, '10.0.1.0/24', 'the virtual IP (10.0.0.100) is not in 10.0.1.0/24'],
    [network, '10.0.0.0/33', '"10.0.0.0/33" is not a network'],
    [network, '10.0.0.0 ', true],
    [dnsName, 'a..', '"a.." is not a DNS name'],
    [dnsName, 'a_', '"a_" is not a DNS name'],
    [port, '65536', '"65536" is not a port'],
    [port, '23x', '"23x" is not a port'],
    [user, 'Root', '"Root" is not a login name'],
    [checkTypedHosts, 'etcd-1=10.0.0.x', true],
    [checkTypedHosts, 'etcd-1=10.0.0.x ', '"10.0.0.x" is not an IP address'],
    [checkTypedHosts, 'etcd_1=10.0.0.1,', '"etcd_1" is not a host name'],
    [checkTypedHosts, 'a=10.0.0.1 a=10.0.0.2 b', 'a is named twice'],
    [checkTypedHosts, 'a=10.0.0.1\nb=10.0.0.1\nc', '10.0.0.1 is a already'],
    [checkTypedHosts, '10.0.0.1 10.0.0.2 ', '"10.0.0.1" is an address without a name'],
  ])('what no ending makes right, or what is whole and wrong, is said: %#', (check, typed, said) => {
    expect(check(typed)).toEqual(said === true ? true : expect.stringContaining(said as string));
  });
});

describe('on the terminal', () => {
  const draft = new Map([['hosts', ['etcd-1=10.0.0.1']]] as const);

  test('it stands below the line before Enter, and goes with the key that makes it right', async () => {
    const { sees, types, screen, does, presses } = await startWizard({ draft });
    await sees('User to log in');
    types('Ops');
    await sees('> "Ops" is not a login name');
    for (let left = 3; left > 0; left -= 1) presses('backspace');
    types('ops');
    await sees('User to log in as (Esc: back) ops');
    expect(screen()).not.toContain('is not a login name');
    await does(['User to log in', '']);
    await sees('Private key');
  });

  test('the hosts of a list are checked as each is finished', async () => {
    const { sees, types } = await startWizard();
    await sees('Hosts, as');
    types('etcd-1=10.0.0.300 ');
    await sees('> "10.0.0.300" is not an IP address');
  });

  test('where nothing is repainted, it is said at Enter', async () => {
    const { sees, types, does, screen } = await startWizard({ draft }, { checking: 'at-enter' });
    await sees('User to log in');
    types('Ops');
    await sees('(Esc: back) Ops');
    expect(screen()).not.toContain('is not a login name');
    await does(['User to log in', '']);
    await sees('> "Ops" is not a login name');
  });

  test('Tab takes what is proposed to be edited, Backspace takes it away', async () => {
    const answered = new Map<string, unknown>();
    const onAnswer = (all: ReadonlyMap<string, unknown>): void => {
      all.forEach((value, key) => answered.set(key, value));
    };
    const { sees, presses, types, does } = await startWizard({ draft, onAnswer });
    await sees('User to log in');
    presses('tab');
    types('er');
    await sees('(Esc: back) rooter');
    await does(['User to log in', '']);
    await sees('Private key');
    expect(answered.get('user')).toBe('rooter');
    presses('escape');
    await sees('(Esc: back) (rooter)');
    presses('backspace');
    await does(['User to log in', '']);
    await sees('"" is not a login name');
  });
});
