import { expect, test } from '@jest/globals';
import {
  entriesFor,
  fingerprint,
  hashHostName,
  hostKeyAlgorithms,
  judgeHostKey,
  knownHostName,
  matchesName,
  parseKnownHosts,
} from '../../../src/ssh/known-hosts.js';

/** A key in wire format: its type, then some bytes. */
function keyOf(type: string, body: string): Buffer {
  const word = (text: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text)]);
  };
  return Buffer.concat([word(type), word(body)]);
}

const ED = keyOf('ssh-ed25519', 'one');
const OTHER_ED = keyOf('ssh-ed25519', 'two');
const RSA = keyOf('ssh-rsa', 'three');
const line = (patterns: string, key: Buffer, type = 'ssh-ed25519'): string =>
  `${patterns} ${type} ${key.toString('base64')}`;

test.each([
  ['host', 22, 'host'],
  ['Host.Example', 22, 'host.example'],
  ['host', 2222, '[host]:2222'],
  ['2001:db8::1', 22, '2001:db8::1'],
  ['2001:db8::1', 2222, '[2001:db8::1]:2222'],
])('%s port %d is stored as %s', (hostname, port, name) => {
  expect(knownHostName(hostname, port)).toBe(name);
});

test.each([
  ['host', 'host', true],
  ['host', 'host2', false],
  ['HOST', 'host', true],
  ['a,host,b', 'host', true],
  ['*.example', 'a.example', true],
  ['*.example', 'a.b.example', true],
  ['*.example', 'example', false],
  ['node-?', 'node-1', true],
  ['node-?', 'node-10', false],
  ['node-??', 'node-10', true],
  ['*.x.*', 'a.x.y', true],
  ['*.x.*', '*.x.b*', true],
  ['n?d?', 'n?dx', true],
  ['*,!bad', 'bad', false],
  ['!bad,*', 'good', true],
  ['!bad', 'good', false],
  ['10.0.0.*', '10.0.0.1', true],
  ['10.0.0.1', '10x0x0x1', false],
  ['[host]:2222', '[host]:2222', true],
  ['[host]:2222', 'host', false],
  ['[*]:2222', '[host]:2222', true],
  ['host', '[host]:2222', false],
  [hashHostName('host', Buffer.alloc(20, 7)), 'host', true],
  [hashHostName('host', Buffer.alloc(20, 7)), 'other', false],
  [hashHostName('[host]:2222', Buffer.alloc(20, 7)), '[host]:2222', true],
  ['|1|broken', 'host', false],
])('patterns %s against %s: %s', (patterns, name, matches) => {
  const [entry] = parseKnownHosts(line(patterns, ED), 'f');
  expect(entry && matchesName(entry, name)).toBe(matches);
});

test('hashes a name as OpenSSH does', () => {
  // Written by `ssh-keygen -H` of OpenSSH 9.2.
  const salt = Buffer.from('VIKdY5ray8TwpdYq9V+czS5cgoE=', 'base64');
  expect(hashHostName('example.org', salt)).toBe('|1|VIKdY5ray8TwpdYq9V+czS5cgoE=|e64+jSG/1EtANLk3r1LquIgsh8A=');
});

test('reads entries with their lines, and passes over what is none', () => {
  const text = [
    '# comment',
    '',
    line('a', ED),
    `@revoked ${line('b', ED)}`,
    `@cert-authority ${line('c', ED)}`,
    'junk',
  ];
  const entries = parseKnownHosts(text.join('\n'), 'file');
  expect(entries.map((entry) => [entry.patterns, entry.line, entry.revoked])).toEqual([
    ['a', 3, false],
    ['b', 4, true],
  ]);
});

test.each([
  ['no entry', '', 'unknown'],
  ['the same key', line('host', ED), 'known'],
  ['one of several keys', `${line('host', OTHER_ED)}\n${line('host', ED)}`, 'known'],
  ['another key of the type', line('host', OTHER_ED), 'changed'],
  ['only a key of another type', line('host', RSA, 'ssh-rsa'), 'changed'],
  ['an entry for another host', line('other', OTHER_ED), 'unknown'],
  ['the key revoked', `${line('host', ED)}\n@revoked ${line('*', ED)}`, 'revoked'],
  ['another key revoked', `@revoked ${line('host', OTHER_ED)}`, 'unknown'],
])('%s', (_, text, kind) => {
  expect(judgeHostKey(entriesFor(parseKnownHosts(text, 'f'), 'host'), ED).kind).toBe(kind);
});

test('asks for the known types first, RSA by its modern signatures', () => {
  const entries = parseKnownHosts(line('host', RSA, 'ssh-rsa'), 'f');
  expect(hostKeyAlgorithms(entries).slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
  expect(hostKeyAlgorithms([])[0]).toBe('ssh-ed25519');
});

test('gives the same fingerprint for bytes and base64', () => {
  expect(fingerprint(ED)).toBe(fingerprint(ED.toString('base64')));
  expect(fingerprint(ED)).toMatch(/^SHA256:[\w+/]{43}$/);
});
