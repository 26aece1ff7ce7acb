import { describe, expect, test } from '@jest/globals';
import { describeAttributes, readSubject, subjectAttributes } from '../../../src/pki/subject.js';

describe('a subject', () => {
  test.each([
    [
      'C=US\nO=Example\\, Inc.\nCN=etcd-1',
      [
        ['C', 'US'],
        ['O', 'Example, Inc.'],
        ['CN', 'etcd-1'],
      ],
    ],
    ['CN=a=b', [['CN', 'a=b']]],
    ['CN=', [['CN', '']]],
    ['CN=\\"a\\" \\+ \\<b\\>\\; \\\\', [['CN', '"a" + <b>; \\']]],
    // Two bytes of UTF-8, one after the other, are one letter.
    ['CN=Z\\C3\\BCrich\\0A', [['CN', 'Zürich\n']]],
    [
      'O=a\nO=b',
      [
        ['O', 'a'],
        ['O', 'b'],
      ],
    ],
    ['', []],
    ['no attribute', []],
    ['=nameless', []],
  ])('%j is read as its attributes, in their order', (text, attributes) => {
    expect(readSubject(text)).toEqual(attributes);
  });

  test('that is wanted has its organizations, then its name', () => {
    const wanted = subjectAttributes({ organizations: ['one', 'two'], commonName: 'etcd-1' });
    expect(describeAttributes(wanted)).toBe('O=one, O=two, CN=etcd-1');
  });

  test('that is kept stays as it was, but for what has no name', () => {
    const subject = [
      'DC=example',
      'C=US',
      'ST=x',
      'L=y',
      'O=o',
      'OU=u',
      '1.2.3.4=#0403',
      'CN=a\\,b',
      'emailAddress=a@b',
    ];
    expect(describeAttributes(subjectAttributes({ subject, organizations: ['else'], commonName: 'else' }))).toBe(
      'DC=example, C=US, ST=x, L=y, O=o, OU=u, CN=a,b, emailAddress=a@b',
    );
  });
});
