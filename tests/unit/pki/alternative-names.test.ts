import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeNames, namesExtension, readNames } from '../../../src/pki/alternative-names.js';
import { canonicalIp } from '../../../src/model/ip.js';
import { writeDer } from '../../../src/pki/der.js';
import { splitNames } from '../../../src/pki/ip.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

/** A subjectAltName with these names, each of its own kind. */
function extensionOf(...names: readonly (readonly [tag: number, content: string | readonly number[]])[]): Buffer {
  const all = names.map(([tag, content]) =>
    writeDer(tag, typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content)),
  );
  return writeDer(0x30, Buffer.concat(all));
}

describe('the names of a certificate', () => {
  test('are read as they are written, each kind sorted', () => {
    const names = {
      dnsNames: fc.uniqueArray(fc.domain()),
      ipAddresses: fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6())),
    };
    fc.assert(
      fc.property(fc.record(names), (wanted) => {
        const written = namesExtension({ ...SERVER_PROFILE, ...wanted });
        const { dnsNames, ipAddresses, otherNames } =
          written === undefined ? readNames(Buffer.from([0x30, 0])) : readNames(written);
        expect(dnsNames).toEqual(wanted.dnsNames.toSorted());
        expect(ipAddresses).toEqual(wanted.ipAddresses.map(canonicalIp).toSorted());
        expect(otherNames).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['10.0.0.255', '8704 0a0000ff'],
    ['::', '8710 00000000000000000000000000000000'],
    ['::1', '8710 00000000000000000000000000000001'],
    ['2001:db8::1', '8710 20010db8000000000000000000000001'],
    ['2001:db8:1:2:3:4:5:6', '8710 20010db8000100020003000400050006'],
    ['fe80::', '8710 fe800000000000000000000000000000'],
  ])('%s is written as its bytes', (address, hex) => {
    const written = namesExtension({ ...SERVER_PROFILE, dnsNames: [], ipAddresses: [address] });
    expect(written?.subarray(2).toString('hex')).toBe(hex.replace(' ', ''));
  });

  test('are no extension where there are none', () => {
    expect(namesExtension({ ...SERVER_PROFILE, dnsNames: [], ipAddresses: [] })).toBeUndefined();
    expect(readNames(Buffer.alloc(0))).toEqual({ dnsNames: [], ipAddresses: [], otherNames: [] });
  });

  test('of other kinds are named by their kind, and kept byte by byte', () => {
    const value = extensionOf(
      [0x81, 'a@example.com'],
      [0x86, 'spiffe://example/etcd'],
      [0x82, 'good.example'],
      [0x82, 'line\nend'],
      [0x82, ''],
      [0x82, 'a b'],
      [0x82, 'x'.repeat(253)],
      [0x82, 'y'.repeat(254)],
      [0x87, [10, 0, 0]],
      [0x87, [10, 0, 0, 1]],
      [0x88, [0x2a, 3]],
      [0xa0, [1]],
      [0xa3, [2]],
      [0xa4, [3]],
      [0xa5, [4]],
      [0x99, [5]],
    );
    const read = readNames(value);
    expect(read.dnsNames).toEqual(['good.example', 'x'.repeat(253)]);
    expect(read.ipAddresses).toEqual(['10.0.0.1']);
    expect(read.otherNames.map(({ text }) => text).toSorted()).toEqual(
      [
        'email a@example.com',
        'URI spiffe://example/etcd',
        'DNS "line\\nend"',
        'DNS ',
        'DNS a b',
        `DNS ${'y'.repeat(254)}`,
        'name of kind 135 0a0000',
        'registeredID 2a03',
        'otherName 01',
        'x400Address 02',
        'directoryName 03',
        'ediPartyName 04',
        'name of kind 153 05',
      ].toSorted(),
    );
    const again = readNames(namesExtension({ ...SERVER_PROFILE, ...read }) ?? Buffer.alloc(0));
    expect(again).toEqual(read);
    const { otherNames } = read;
    expect(otherNames.map(({ der }) => der)).toEqual(otherNames.map(({ der }) => der).toSorted());
  });

  test('are listed with their kinds', () => {
    const otherNames = [{ text: 'URI x:y', der: '' }];
    expect(describeNames({ dnsNames: ['a', 'b'], ipAddresses: ['::1', '10.0.0.1'], otherNames })).toEqual([
      'DNS a',
      'DNS b',
      'IP ::1',
      'IP 10.0.0.1',
      'URI x:y',
    ]);
    expect(describeNames({})).toEqual([]);
  });
});

describe('names and addresses', () => {
  test('are told apart, have one spelling, and are there once, sorted', () => {
    expect(splitNames(['B', 'a', 'b', '10.0.0.2', '0:0:0:0:0:0:0:1', '::1', '10.0.0.1'])).toEqual({
      dnsNames: ['a', 'b'],
      ipAddresses: ['10.0.0.1', '10.0.0.2', '::1'],
    });
  });

  test('of one host’s own zone are no addresses', () => {
    expect(canonicalIp('fe80::1%eth0')).toBe('fe80::1%eth0');
    expect(splitNames(['fe80::1%eth0']).ipAddresses).toEqual([]);
  });
});
