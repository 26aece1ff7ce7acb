import { describe, expect, test } from '@jest/globals';
import { unifiedDiff } from '../../../src/resources/unified-diff.js';

const PATH = '/etc/haproxy/haproxy.cfg';
const KEY_BODY = 'MHcCAQEEIPlantedPlantedPlanted';
const PEM = `-----BEGIN EC PRIVATE KEY-----\n${KEY_BODY}\n-----END EC PRIVATE KEY-----\n`;

function numbered(count: number, word = 'line'): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('');
}

describe('unifiedDiff', () => {
  test('equal contents have no diff', () => {
    expect(unifiedDiff(PATH, 'a\n', 'a\n')).toEqual([]);
  });

  test('a changed line has three lines of context', () => {
    const before = numbered(9);
    expect(unifiedDiff(PATH, before, before.replace('line 4', 'line four'))).toEqual([
      `--- ${PATH}`,
      `+++ ${PATH}`,
      '@@ -2,7 +2,7 @@',
      ' line 1',
      ' line 2',
      ' line 3',
      '-line 4',
      '+line four',
      ' line 5',
      ' line 6',
      ' line 7',
    ]);
  });

  test('a new file comes from /dev/null', () => {
    expect(unifiedDiff(PATH, undefined, 'a\n')).toEqual(['--- /dev/null', `+++ ${PATH}`, '@@ -0,0 +1 @@', '+a']);
  });

  test('a new empty file is said', () => {
    expect(unifiedDiff(PATH, undefined, '')).toEqual(['new empty file']);
  });

  test('a missing last newline is shown', () => {
    expect(unifiedDiff(PATH, 'a', 'a\n')).toContain('\\ No newline at end of file');
  });

  test.each([
    ['NUL', 'a\0b', 'text\n', 'binary file differs (3 → 5 bytes)'],
    ['no UTF-8', 'text\n', 'a\uFFFD', 'binary file differs (5 → 4 bytes)'],
    ['a huge line', 'x'.repeat(5000), 'y\n', 'binary file differs (5,000 → 2 bytes)'],
    ['a new one', undefined, 'a\0', 'new binary file (2 bytes)'],
  ])('binary: %s', (_name, before, after, expected) => {
    expect(unifiedDiff(PATH, before, after)).toEqual([expected]);
  });

  test('a long diff is cut, and says by how much', () => {
    const diff = unifiedDiff(PATH, undefined, numbered(1500));
    expect(diff).toHaveLength(2 + 200 + 1);
    expect(diff.at(-1)).toBe('… 1,301 more diff lines not shown');
    expect(unifiedDiff(PATH, undefined, numbered(199)).at(-1)).toBe('+line 198');
    expect(unifiedDiff(PATH, undefined, numbered(200)).at(-1)).toBe('… 1 more diff lines not shown');
  });

  test('a hopeless diff is not computed', () => {
    expect(unifiedDiff(PATH, numbered(4000, 'a'), numbered(4000, 'b'))).toEqual([
      'large file differs (26,890 → 26,890 bytes)',
    ]);
  });
});

describe('unifiedDiff shows no key and no well-known password', () => {
  const secrets: readonly [name: string, text: string, planted: string][] = [
    ['PEM', PEM, KEY_BODY],
    ['PEM without its end', `x\n-----BEGIN PRIVATE KEY-----\n${KEY_BODY}\n`, KEY_BODY],
    ['indented PEM', `key: |\n  ${PEM.replaceAll('\n', '\n  ')}`, KEY_BODY],
    ['PEM in JSON', JSON.stringify({ key: PEM }), KEY_BODY],
    ['PEM in base64', `client-key-data: ${Buffer.from(PEM).toString('base64')}\n`, 'UGxhbnRlZF'],
    ['age', 'AGE-SECRET-KEY-1PLANTEDPLANTED\n', 'PLANTED'],
    ['keepalived', '    auth_type PASS\n    auth_pass planted\n', 'planted'],
    ['haproxy stats', '    stats auth admin:planted\n', 'planted'],
    ['haproxy userlist', '  user admin insecure-password planted\n', 'planted'],
    ['environment', 'DB_PASSWORD="planted words"\n', 'planted'],
  ];

  test.each(secrets)('%s', (_name, text, planted) => {
    const shown = [
      ...unifiedDiff(PATH, text, 'else\n'),
      ...unifiedDiff(PATH, 'else\n', text),
      ...unifiedDiff(PATH, undefined, `${text}else\n`),
      ...unifiedDiff(PATH, text, `${text}else\n`),
    ].join('\n');
    expect(shown).not.toContain(planted);
    expect(shown).toContain('[redacted');
    expect(shown).toContain('else');
  });

  test('the check above would find one', () => {
    expect(unifiedDiff(PATH, undefined, KEY_BODY).join('\n')).toContain(KEY_BODY);
  });

  test('a certificate is shown', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    expect(unifiedDiff(PATH, undefined, certificate)).toContain('+MIIB');
    expect(unifiedDiff(PATH, undefined, Buffer.from(certificate).toString('base64')).join()).toContain(
      'LS0tLS1CRUdJTi',
    );
  });

  test('an old secret in the place of a wanted one is masked', () => {
    expect(unifiedDiff(PATH, 'a\nTOKEN planted\n', 'b\nTOKEN [redacted]\n')).toEqual([
      `--- ${PATH}`,
      `+++ ${PATH}`,
      '@@ -1,2 +1,2 @@',
      '-a',
      '+b',
      ' TOKEN [redacted]',
    ]);
  });

  test('a key that changes is said, not shown', () => {
    expect(unifiedDiff(PATH, PEM, PEM.replace('MHcC', 'MHcD'))).toEqual(['differs only in what is redacted']);
  });
});
