import { describe, expect, test } from '@jest/globals';
import { checkHosts, readHosts, splitHosts } from '../../../src/wizard/host-list.js';

const NAMES: Readonly<Record<string, string>> = {
  'etcd-1': '10.0.0.1',
  'etcd-2': '10.0.0.2',
  'etcd-3': '10.0.0.3',
  self: '127.0.1.1',
};

const resolve = (name: string) => Promise.resolve(NAMES[name]);

async function hosts(text: string) {
  const { hosts, problems } = await readHosts(splitHosts(text), resolve);
  expect(problems).toEqual([]);
  return hosts.map(({ name, address }) => `${name}=${address}`).join(' ');
}

describe('a list of hosts', () => {
  test.each([
    ['etcd-1=10.0.0.1', 'etcd-1=10.0.0.1'],
    [' etcd-1 = 10.0.0.1 , b= 10.0.0.2', 'etcd-1=10.0.0.1 b=10.0.0.2'],
    ['a.example.com=2001:db8::1\tb=2001:db8::2', 'a.example.com=2001:db8::1 b=2001:db8::2'],
    ['etcd-1=10.0.0.1\r\n\r\nb=10.0.0.2 # the old one\n', 'etcd-1=10.0.0.1 b=10.0.0.2'],
    ['10.0.0.1 a a.example.com\n2001:db8::2\tb', 'a=10.0.0.1 b=2001:db8::2'],
    ['etcd-[1:3]', 'etcd-1=10.0.0.1 etcd-2=10.0.0.2 etcd-3=10.0.0.3'],
    ['cp-[01:02]=10.0.0.[11:12]', 'cp-01=10.0.0.11 cp-02=10.0.0.12'],
    ['etcd-3, etcd-1', 'etcd-3=10.0.0.3 etcd-1=10.0.0.1'],
  ])('reads %j', async (text, expected) => {
    expect(await hosts(text)).toBe(expected);
  });

  test.each([
    ['', 'at least one host'],
    ['a=b=10.0.0.9', '"a=b=10.0.0.9" is not name=address'],
    ['etcd_1=10.0.0.9', '"etcd_1" is not a host name'],
    ['10.0.0.9=10.0.0.9', '"10.0.0.9" is an address without a name'],
    ['10.0.0.9', '"10.0.0.9" is an address without a name'],
    ['a=10.0.0.256', '"10.0.0.256" is not an IP address'],
    ['a=', '"" is not an IP address'],
    ['a=10.0.0.8, a=10.0.0.9', 'a is named twice'],
    ['etcd-[1:2] etcd-1', 'etcd-1 is named twice'],
    ['a=10.0.0.8, b=10.0.0.8', '10.0.0.8 is a already'],
    ['etcd-4', 'the name etcd-4 has no address here; give it as etcd-4=address'],
    ['self', 'self is 127.0.1.1 here, which no other host reaches'],
    ['etcd-[1:3]=10.0.0.1', '"etcd-[1:3]=10.0.0.1" names 3 hosts with 1 address'],
    ['etcd-[1:', "has a '[' without its ']'"],
    ['etcd-[3:x]', 'is neither a letter nor a whole number'],
    ['etcd-[3:1]', '"etcd-[3:1]" names no host: a range begins at its smaller end'],
    ['etcd-[3:1]=10.0.0.[3:1]', 'names no host'],
  ])('refuses %j', async (text, reason) => {
    expect(await checkHosts(splitHosts(text), resolve)).toContain(reason);
  });

  test('tells all problems at once', async () => {
    expect(await checkHosts(splitHosts('a=x, b=y'), resolve)).toBe(
      '"x" is not an IP address; "y" is not an IP address',
    );
  });
});
