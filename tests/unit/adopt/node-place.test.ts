import { describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { clientUrlOf, nodePlace, parseUrls } from '../../../src/adopt/node-place.js';
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
    ['none, where nothing is known', 'https://0.0.0.0:2379', 'https://a.example:2379', undefined, undefined],
  ])('%s', (_, listen, advertised, inventory, expected) => {
    const place = nodePlace(urls(listen, advertised), inventory);
    expect(place && `${place.address} ${place.port}`).toBe(expected);
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
});
