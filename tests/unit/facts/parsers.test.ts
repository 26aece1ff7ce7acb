import { describe, expect, test } from '@jest/globals';
import { groupExists, userState } from '../../../src/facts/accounts.js';
import { certificateFiles, certificateFilesKey } from '../../../src/facts/certificate-files.js';
import { clock, certainSkewMs } from '../../../src/facts/clock.js';
import { clusterLock, LOCK } from '../../../src/facts/cluster-lock.js';
import { directoryCertificates } from '../../../src/facts/directory-certificates.js';
import { askText, fileContent } from '../../../src/facts/file-content.js';
import { fileLocks } from '../../../src/facts/file-locks.js';
import { fileNames } from '../../../src/facts/file-names.js';
import { fileOrigin } from '../../../src/facts/file-origin.js';
import { fileState, type FileState } from '../../../src/facts/file-state.js';
import { hostAddresses, ALL_ADDRESSES } from '../../../src/facts/host-addresses.js';
import { keyProof, keyProofKey } from '../../../src/facts/key-proof.js';
import { listeners } from '../../../src/facts/listeners.js';
import { nameAddresses } from '../../../src/facts/name-addresses.js';
import { packageState } from '../../../src/facts/packages.js';
import { pathExists } from '../../../src/facts/path-exists.js';
import { sysctlValue } from '../../../src/facts/sysctl.js';
import { fakeProbe } from '../../support/fake-probe.js';

// What scripts of facts print on Debian 12, and what is read from it: each state that the code tells apart.

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const nul = (...words: readonly string[]): string => words.map((word) => `${word}\0`).join('');

describe('accounts', () => {
  const ETCD = 'etcd:x:104:111::/var/lib/etcd/:/usr/sbin/nologin';

  test('of several users, with groups of any name', () => {
    const answer = nul(
      ETCD,
      'etcd',
      'ssl-cert',
      '',
      '',
      '',
      'root:x:0:0:root:/root:/bin/bash',
      'root',
      'two words',
      '1042',
      '',
    );
    expect([...userState.parse(answer, ['etcd', 'nobody-here', 'root'])]).toEqual([
      ['etcd', { home: '/var/lib/etcd/', shell: '/usr/sbin/nologin', groups: ['etcd', 'ssl-cert'] }],
      ['nobody-here', undefined],
      ['root', { home: '/root', shell: '/bin/bash', groups: ['root', 'two words', '1042'] }],
    ]);
  });

  test('a user by its number is not the user of that name, and an answer that was cut off is none', () => {
    expect(userState.parse(nul('root:x:0:0:root:/root:/bin/bash', 'root', ''), ['0']).get('0')).toBeUndefined();
    expect(() => userState.parse(`${nul(ETCD)}etcd`, ['etcd'])).toThrow('no answer came back for the user etcd');
  });

  test('groups', () => {
    expect([...groupExists.parse(nul('etcd', '', 'root'), ['etcd', 'haproxy', '0'])]).toEqual([
      ['etcd', true],
      ['haproxy', false],
      ['0', false],
    ]);
  });

  test('are evidence as they are', () => {
    const user = { home: '/', shell: '/bin/sh', groups: [] };
    expect(userState.evidence?.(user)).toEqual(user);
    expect(groupExists.evidence?.(true)).toBe(true);
  });
});

describe('the state of files', () => {
  const stat = (raw: string, mode: string, path: string, owner = 'root', uid = '0'): string =>
    nul('S', raw, owner, 'adm', uid, '4', mode, '1700000000.250000', path);
  const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

  test('files, directories, others and links, each with its own words', () => {
    const answer = [
      stat('81a4', '644', '/etc/a'),
      stat('41ed', '755', '/etc/dir'),
      stat('11b6', '4711', '/run/fifo', 'UNKNOWN', '1042'),
      stat('8180', '0', '/etc/S\nH'),
      nul('H', `${A}  /etc/a`, `${B}  /etc/S\nH`, ''),
      nul('L', 'UNKNOWN', '1042', '/etc/dir', '/etc/dir -> real dir'),
      nul('L', 'root', '0', '/etc/dangling', '/etc/dangling -> nowhere'),
    ].join('');
    const found = fileState.parse(answer, ['/etc/a', '/etc/dir', '/run/fifo', '/etc/S\nH', '/etc/dangling', '/none']);
    const root = { owner: 'root', group: 'adm', changedAt: 1700000000.25 };
    expect([...found.values()]).toEqual([
      { kind: 'file', ...root, mode: '0644', sha256: A },
      { kind: 'directory', ...root, mode: '0755', sha256: undefined, link: { owner: '1042', target: 'real dir' } },
      { kind: 'other', ...root, owner: '1042', mode: '4711', sha256: undefined },
      { kind: 'file', ...root, mode: '0000', sha256: B },
      { kind: 'absent', link: { owner: 'root', target: 'nowhere' } },
      { kind: 'absent' },
    ]);
  });

  test.each([
    ['another word', nul('X')],
    ['checksums without an end', `${nul('H')}${A}  /etc/a`],
  ])('%s is an error, and no state', (_, answer) => {
    expect(() => fileState.parse(answer, ['/etc/a'])).toThrow();
  });

  test('is evidence but for when it changed', () => {
    const state: FileState = { kind: 'file', owner: 'a', group: 'b', mode: '0644', changedAt: 7, sha256: A };
    expect(fileState.evidence?.(state)).toEqual({ ...state, changedAt: undefined });
    expect(fileState.evidence?.({ kind: 'absent' })).toEqual({ kind: 'absent' });
  });
});

describe('the content of files', () => {
  const MOST = 1024 * 1024;
  const of = (answer: string): unknown => fileContent.parse(answer, ['/a']).get('/a');

  test.each<[string, string, unknown]>([
    ['text', `F 6 ${base64('\uFEFFa\n\n')}\n`, '\uFEFFa\n\n'],
    ['nothing in it', 'F 0 \n', ''],
    ['no file', '-\n', undefined],
    ['just as much as is read', `F ${MOST} ${base64('x'.repeat(MOST))}\n`, 'x'.repeat(MOST)],
    ['more than is read', `F 5000000 ${base64('x'.repeat(MOST + 1))}\n`, { kind: 'too-large', bytes: 5_000_000 }],
    ['more than its size said', `F 1 ${base64('x'.repeat(MOST + 1))}\n`, { kind: 'too-large', bytes: MOST + 1 }],
    ['no text', `F 2 ${base64(Buffer.from([0xff, 0xfe]))}\n`, { kind: 'not-text', bytes: 2 }],
  ])('%s', (_, answer, expected) => {
    expect(of(answer)).toEqual(expected);
  });

  test.each(['', 'F', ' F 1 eA==', 'F 1 eA== more', '--'])('%j is no answer', (answer) => {
    expect(() => of(answer)).toThrow('no content came back for /a');
  });

  test('is evidence by its digest', () => {
    expect(fileContent.evidence?.('a')).toBe('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
    expect(fileContent.evidence?.({ kind: 'not-text', bytes: 2 })).toEqual({ kind: 'not-text', bytes: 2 });
    expect(fileContent.evidence?.(undefined)).toBeUndefined();
  });

  test('is asked for by who edits it: all of it, or an error that says how to look', async () => {
    const ask = async (content: unknown): Promise<unknown> =>
      askText(fakeProbe({ 'file-contents': { '/a': content } }), '/a').catch((error: unknown) => error);
    expect(await ask('text')).toBe('text');
    expect(await ask(undefined)).toBeUndefined();
    expect(await ask({ kind: 'too-large', bytes: 5_000_000 })).toMatchObject({
      code: 'file-unreadable',
      message: 'host-1: /a has 5000000 bytes; at most 1048576 are read: it is left as it is',
      hint: 'look at it with: ls -l /a',
    });
    expect(await ask({ kind: 'not-text', bytes: 2 })).toMatchObject({
      code: 'file-unreadable',
      message: 'host-1: /a is not UTF-8 text: it is left as it is',
      hint: "find the lines with: grep -naxv '.*' /a",
    });
  });
});

describe('who wrote a file', () => {
  const SUM = 'd41d8cd98f00b204e9800998ecf8427e';
  const file = (known: string, head: string, lines: number | string): string =>
    `F ${SUM} ${known}\nH ${base64(head)}\nS ${lines}\n`;

  test.each<[string, string, unknown]>([
    ['no file', '-\n', { kind: 'absent' }],
    ['our header', file('', '# Written by provision: do not edit\n', 3), { kind: 'ours' }],
    ['our header under #!', file('', '#!/bin/sh\n# Kept by provision\n', 3), { kind: 'ours' }],
    ['words like our header', file('', '## Written by provision\n', 3), { kind: 'foreign', lines: 3 }],
    ['another program', file('', '# Written by provisioner\n', 3), { kind: 'foreign', lines: 3 }],
    ['the package’s own', file(`${'0'.repeat(32)} ${SUM} `, 'a\n', 3), { kind: 'package' }],
    ['the package’s, cut off', file('newconffile ', 'a\n', 3), { kind: 'package' }],
    ['changed since the package', file(`${'0'.repeat(32)} `, 'a\n', 3), { kind: 'foreign', lines: 3 }],
    ['nothing but comments', file('', '# a\n', 0), { kind: 'empty' }],
    ['a count that did not come', file('', 'a\n', ''), { kind: 'foreign', lines: 1 }],
  ])('%s', (_, answer, expected) => {
    expect(fileOrigin.parse(answer, ['/a']).get('/a')).toEqual(expected);
  });

  test('each of several, in their order; a missing answer is an error', () => {
    const answer = file('', 'x\n', 2) + '-\n' + file('', '# Written by provision\n', 1);
    expect([...fileOrigin.parse(answer, ['/a', '/b', '/c']).values()]).toEqual([
      { kind: 'foreign', lines: 2 },
      { kind: 'absent' },
      { kind: 'ours' },
    ]);
    expect(() => fileOrigin.parse('', ['/a'])).toThrow('no origin came back');
  });
});

describe('packages', () => {
  const QUERY = [
    'P etcd-server ii  3.4.23-4',
    'P haproxy hi  2.6.12-1',
    'P keepalived rc  1:2.2.7-1',
    'P nginx un  ',
    'P openssl iU  3.0.11-1',
    'curl:',
    '  Installed: (none)',
    '  Candidate: 7.88.1-10',
    '  Version table:',
    'keepalived:',
    '  Installed: (none)',
    '  Candidate: 1:2.2.7-1',
    'nginx:',
    '  Installed: (none)',
    '  Candidate: (none)',
    '',
  ].join('\n');

  test('installed, held, removed but for their files, half unpacked, missing, unknown', () => {
    const names = ['etcd-server', 'haproxy', 'keepalived', 'nginx', 'openssl', 'curl', 'nothing'];
    expect([...packageState.parse(QUERY, names)]).toEqual([
      ['etcd-server', { installed: '3.4.23-4', held: false, candidate: undefined }],
      ['haproxy', { installed: '2.6.12-1', held: true, candidate: undefined }],
      ['keepalived', { installed: undefined, held: false, candidate: '1:2.2.7-1' }],
      ['nginx', { installed: undefined, held: false, candidate: undefined }],
      ['openssl', { installed: undefined, held: false, candidate: undefined }],
      ['curl', { installed: undefined, held: false, candidate: '7.88.1-10' }],
      ['nothing', { installed: undefined, held: false, candidate: undefined }],
    ]);
  });

  test('are evidence by their version', () => {
    expect(packageState.evidence?.({ installed: '1', held: true, candidate: '2' })).toBe('1');
  });
});

describe('certificates of files', () => {
  const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  const PUBLIC = '-----BEGIN PUBLIC KEY-----\nBBBB\n-----END PUBLIC KEY-----';
  const indent = (text: string): string => text.replaceAll(/^/gm, ' ');
  const key = certificateFilesKey('/crt', '/key');

  test('with owner, certificate and public key; each file its own', () => {
    const answer =
      nul('root', 'ssl-cert', '0', '110', '644', '/crt', 'UNKNOWN', 'UNKNOWN', '1042', '1043', '40', '/key', '') +
      `C 1\n${indent(PEM)}\nC 2\n${indent(PEM)}\n${indent(PEM)}\nK 1\n${indent(PUBLIC)}\n`;
    const alone = certificateFilesKey('/other');
    const found = certificateFiles.parse(answer, [key, alone]);
    expect(found.get(key)).toEqual({
      certificate: { owner: 'root', group: 'ssl-cert', mode: '0644' },
      key: { owner: '1042', group: '1043', mode: '0040' },
      pem: `${PEM}\n`,
      publicKey: { kind: 'known', pem: `${PUBLIC}\n` },
    });
    expect(found.get(alone)).toEqual({
      certificate: undefined,
      key: undefined,
      pem: `${PEM}\n${PEM}\n`,
      publicKey: { kind: 'unchecked' },
    });
  });

  test.each([
    ['nothing is there', '\0', { pem: '', publicKey: { kind: 'unchecked' }, certificate: undefined, key: undefined }],
    ['a key that nobody can read', '\0K 1\n', { publicKey: { kind: 'unreadable' } }],
    [
      'lines that are indented as a file’s are not headers',
      `\0C 1\n K 1\n${indent(PUBLIC)}\n`,
      { publicKey: { kind: 'unchecked' } },
    ],
  ])('%s', (_, answer, expected) => {
    expect(certificateFiles.parse(answer, [key]).get(key)).toMatchObject(expected);
  });

  test('a list of files without an end is an error', () => {
    expect(() => certificateFiles.parse('root', [key])).toThrow('has no end');
  });

  test('below a directory: every file, and none of another directory', () => {
    const answer = `D 0\nC ${base64('/a/one.crt')}\n${PEM}\nC ${base64('/a/b/two.crt')}\n${PEM}\n${PEM}\nD 1\nD 2\nC ${base64('/c/x.crt')}\n`;
    expect([...directoryCertificates.parse(answer, ['/a', '/b', '/c']).values()]).toEqual([
      [
        { path: '/a/one.crt', pem: `${PEM}\n` },
        { path: '/a/b/two.crt', pem: `${PEM}\n${PEM}\n` },
      ],
      [],
      [{ path: '/c/x.crt', pem: '' }],
    ]);
  });
});

describe('small answers', () => {
  test('names in directories: those that are text', () => {
    const bytes = Buffer.concat([Buffer.from('a\0two\nlines\0'), Buffer.from([0xff, 0]), Buffer.from('.hidden\0')]);
    expect([...fileNames.parse(`${base64(bytes)}\n\n`, ['/a', '/b']).values()]).toEqual([
      ['a', 'two\nlines', '.hidden'],
      [],
    ]);
  });

  test('who holds locks of files', () => {
    const answer = 'L 812 /var/lib/dpkg/lock apt get\nL 7 /b x\n';
    expect([...fileLocks.parse(answer, ['/var/lib/dpkg/lock', '/b', '/c']).values()]).toEqual([
      'apt get (pid 812)',
      'x (pid 7)',
      undefined,
    ]);
  });

  test('settings of the kernel: the empty one is a value, a missing one is none', () => {
    const answer = nul('=1', '', '=', '= 4096\t131072 \t6291456\n');
    expect([...sysctlValue.parse(answer, ['a', 'b', 'c', 'd']).values()]).toEqual([
      '1',
      undefined,
      '',
      '4096 131072 6291456',
    ]);
    expect(sysctlValue.evidence?.('1')).toBe('1');
  });

  test.each([
    ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net/ipv4/ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/100.rp_filter', '/proc/sys/net/ipv4/conf/eth0.100/rp_filter'],
    ['net/ipv4/conf/eth0.100/rp_filter', '/proc/sys/net/ipv4/conf/eth0.100/rp_filter'],
    ['plain', '/proc/sys/plain'],
  ])('the setting %s is read at %s', (key, path) => {
    expect(sysctlValue.script([key])).toContain(path);
  });

  test('whether paths exist', () => {
    expect([...pathExists.parse('yes\nno\nyes\n', ['/a', '/b', '/c']).values()]).toEqual([true, false, true]);
    expect(pathExists.evidence?.(false)).toBe(false);
  });

  test('what names resolve to: each address once, none of another name', () => {
    const answer = 'R 10.0.0.1 10.0.0.1 ::1 \nR \nR 10.0.0.3 \n';
    expect([...nameAddresses.parse(answer, ['a', 'b', 'c']).values()]).toEqual([['10.0.0.1', '::1'], [], ['10.0.0.3']]);
  });

  test('addresses without a prefix stand alone', () => {
    const line = (address: string): string =>
      `5: tun0    inet${address.includes(':') ? '6' : ''} ${address} scope global tun0\n`;
    const found = hostAddresses.parse(line('10.8.0.1') + line('fd00::1'), [ALL_ADDRESSES]).get(ALL_ADDRESSES);
    expect(found?.map(({ prefixLength }) => prefixLength)).toEqual([32, 128]);
  });

  test('listeners on an interface, and on IPv6', () => {
    const answer = [
      'LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=1,fd=3))',
      'LISTEN 0 128 [fd00::1]:53 [::]:* users:(("a b",pid=1,fd=3),("c",pid=2,fd=3))',
      'LISTEN 0 128 *:5353 *:*',
      '',
    ].join('\n');
    const found = listeners.parse(answer, ['53', '5353']);
    expect(found.get('53')).toEqual([
      { address: '127.0.0.53', port: 53, process: 'systemd-resolve' },
      { address: 'fd00::1', port: 53, process: 'a b' },
    ]);
    expect(found.get('5353')).toEqual([{ address: '*', port: 5353, process: '' }]);
  });

  test('proofs of keys: by their number, and none where openssl gave none', () => {
    const keys = [keyProofKey('/a', 'x'), keyProofKey('/b', 'x'), keyProofKey('/c', 'x')];
    const found = keyProof.parse(`P 0 ${base64('one')}\nP 1 \nP 2 ${base64('three')}\n`, keys);
    expect([...found.values()].map((proof) => proof?.toString())).toEqual(['one', undefined, 'three']);
    expect(new Set(keys).size).toBe(3);
    expect(keyProofKey('/a', 'x')).not.toBe(keyProofKey('/a', 'y'));
  });

  test('the lock of a host, or none', () => {
    expect(clusterLock.parse('abc=\n', [LOCK]).get(LOCK)).toBe('abc=');
    expect(clusterLock.parse('\n', [LOCK]).get(LOCK)).toBeUndefined();
  });
});

describe('the clock', () => {
  test('is read in milliseconds, from a line of its own', () => {
    expect(clock.parse('1700000000.250000000\n', ['now']).get('now')).toBe(1_700_000_000_250);
    for (const other of ['x1700000000.25', '1700000000.25x', '1700000000', ''])
      expect(() => clock.parse(`${other}\n`, ['now'])).toThrow(/^unexpected time /);
  });

  test.each([
    [100, 100, 0],
    [150, 150, 0],
    [200, 200, 0],
    [99, 99, -1],
    [201, 201, 1],
  ])('that says %d (%d) while the answer travelled from 100 to 200 surely differs by %d', (host, _, skew) => {
    expect(certainSkewMs({ sent: 100, host, received: 200 })).toBe(skew);
  });
});
