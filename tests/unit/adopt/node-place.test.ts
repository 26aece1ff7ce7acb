import { describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { clientUrlOf, loopbackUrlOf, nodePlace, parseUrls } from '../../../src/adopt/node-place.js';
import { issueCertificate } from '../../../src/pki/issue.js';
import { authorityFrom, circumstancesAt, SERVER_PROFILE, TODAY } from '../../support/test-authority.js';

function urls(listen: string, advertised: string): Parameters<typeof nodePlace>[0] {
  return { listen: parseUrls(listen), advertised: parseUrls(advertised) };
}

describe('the address of a node', () => {
  test.each([
    ['what it advertises', 'https://10.0.0.1:2379', 'https://10.0.0.1:2379', undefined, '10.0.0.1 2379'],
    ['another than the one for ssh', 'https://0.0.0.0:2379', 'https://10.0.0.1:2379', '192.0.2.1', '10.0.0.1 2379'],
    [
      "the inventory's, of several",
      'https://[::]:2379',
      'https://10.0.0.1:2379,https://10.0.0.2:2379',
      '10.0.0.2',
      '10.0.0.2 2379',
    ],
    [
      'its own behind a translated one',
      'https://10.0.0.1:4001',
      'https://203.0.113.9:2379',
      '10.0.0.1',
      '10.0.0.1 4001',
    ],
    [
      'listened on, when a name is advertised',
      'https://127.0.0.1:2379,https://10.0.0.1:2379',
      'https://a.example:2379',
      undefined,
      '10.0.0.1 2379',
    ],
    [
      "the inventory's, when only a name is known",
      'https://0.0.0.0:2379',
      'https://a.example:2379',
      '10.0.0.1',
      '10.0.0.1 2379',
    ],
    [
      'IPv6 in any spelling',
      'https://[2001:db8:0::1]:2379',
      'https://[2001:db8::1]:2379',
      '2001:DB8::1',
      '2001:db8::1 2379',
    ],
    [
      'none, where only the host itself is served',
      'https://127.0.0.1:2379',
      'https://127.0.0.1:2379',
      '10.0.0.1',
      undefined,
    ],
    [
      'what it advertises and listens on, rather than what it advertises alone',
      'https://10.0.0.2:2379',
      'https://10.0.0.1:2379,https://10.0.0.2:2379',
      '10.0.0.1',
      '10.0.0.2 2379',
    ],
    [
      'what it listens on at that port',
      'https://10.0.0.1:4001,https://10.0.0.2:2379',
      'https://10.0.0.1:2379,https://10.0.0.2:2379',
      undefined,
      '10.0.0.2 2379',
    ],
    [
      'the one of the inventory, of several that it listens on',
      'https://10.0.0.1:2379,https://10.0.0.2:4001',
      'https://a.example:2379',
      '10.0.0.2',
      '10.0.0.2 4001',
    ],
    [
      'the first, of several that it listens on, none of which is the one of the inventory',
      'https://10.0.0.1:2379,https://10.0.0.2:4001',
      'https://a.example:2379',
      '10.0.0.9',
      '10.0.0.1 2379',
    ],
    [
      'what it advertises, whatever it listens on by the address of the inventory',
      'https://10.0.0.1:2379,https://10.0.0.2:2379',
      'https://10.0.0.1:2379',
      '10.0.0.2',
      '10.0.0.1 2379',
    ],
    [
      'at the port at which it listens everywhere',
      'https://127.0.0.1:2379,https://[::]:4001',
      'https://localhost:2379',
      '10.0.0.1',
      '10.0.0.1 4001',
    ],
    [
      'none, where only loopback addresses are known',
      'https://[::1]:2379',
      'https://127.0.0.5:2379',
      undefined,
      undefined,
    ],
    ['none, where nothing is known', 'https://0.0.0.0:2379', 'https://a.example:2379', undefined, undefined],
  ])('%s', (_, listen, advertised, inventory, expected) => {
    const place = nodePlace(urls(listen, advertised), inventory);
    expect(place && `${place.address} ${place.port}`).toBe(expected);
  });
});

describe('the URLs of an etcd', () => {
  test.each<[string, readonly string[]]>([
    ['https://10.0.0.1:2379', ['https 10.0.0.1 2379']],
    ['http://a.example', ['http a.example 2379']],
    [' https://[2001:DB8:0::1]:4001/ , https://:2380', ['https 2001:db8::1 4001', 'https  2380']],
    ['https://[::]', ['https :: 2379']],
    ['', []],
    ['10.0.0.1:2379,unix://a/b,https://a:b', []],
  ])('%j', (text, expected) => {
    expect(parseUrls(text).map(({ scheme, host, port }) => `${scheme} ${host} ${port}`)).toEqual(expected);
  });
});

describe('how a member is asked on its own host', () => {
  async function certificate(dnsNames: readonly string[], ipAddresses: readonly string[]): Promise<X509Certificate> {
    const profile = { ...SERVER_PROFILE, dnsNames, ipAddresses };
    return new X509Certificate(
      (await issueCertificate(await authorityFrom(TODAY), profile, circumstancesAt(TODAY))).certificatePem,
    );
  }
  const MEMBER = urls('https://0.0.0.0:2379', 'https://a.example:2379');
  const NODE = { address: '10.0.0.1', port: 2379 };

  test.each([
    ['by its address', [], ['10.0.0.1'], 'https://10.0.0.1:2379'],
    ['by the name that it advertises', ['a.example'], ['10.9.9.9'], 'https://a.example:2379'],
    ['by 127.0.0.1, when it listens everywhere', [], ['127.0.0.1'], 'https://127.0.0.1:2379'],
    ['in no way', ['b.example'], ['10.9.9.9'], undefined],
  ])('%s', async (_, names, addresses, expected) => {
    expect(clientUrlOf(MEMBER, await certificate(names, addresses), NODE)).toBe(expected);
  });

  test('in the order of what is preferred, advertised, listened on, and 127.0.0.1 for each that is everywhere', async () => {
    const member = urls('https://0.0.0.0:2379,https://10.0.0.2:4001,https://[::]:4002', 'https://a.example:2379');
    const order: readonly (readonly [names: readonly string[], addresses: readonly string[], url: string])[] = [
      [['a.example'], ['10.0.0.1', '10.0.0.2', '127.0.0.1'], 'https://10.0.0.1:2379'],
      [['a.example'], ['10.0.0.2', '127.0.0.1'], 'https://a.example:2379'],
      [[], ['10.0.0.2', '127.0.0.1'], 'https://10.0.0.2:4001'],
      [[], ['127.0.0.1'], 'https://127.0.0.1:2379'],
    ];
    for (const [names, addresses, url] of order)
      expect(clientUrlOf(member, await certificate(names, addresses), NODE)).toBe(url);
  });

  test('at 127.0.0.1 where it listens there, and its certificate names it', async () => {
    const both = 'https://10.0.0.1:2379,https://127.0.0.1:4001';
    const named = await certificate([], ['127.0.0.1']);
    expect(loopbackUrlOf(urls(both, ''), named)).toBe('https://127.0.0.1:4001');
    expect(loopbackUrlOf(urls('https://10.0.0.1:2379,https://0.0.0.0:2379', ''), named)).toBeUndefined();
    expect(loopbackUrlOf(urls(both, ''), await certificate([], ['10.0.0.1']))).toBeUndefined();
  });
});
