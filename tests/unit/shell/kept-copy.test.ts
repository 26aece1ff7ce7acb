import { expect, test } from '@jest/globals';
import { backupDirectory, copyName, stageOf } from '../../../src/shell/kept-copy.js';

const ROOT = '/var/backups/provision/';

test('a path has a directory of its own, whose name fits in a file system', () => {
  expect(backupDirectory('/etc/hosts')).toBe(`${ROOT}%2Fetc%2Fhosts`);
  // `%2F` and 197 letters are 200 bytes.
  expect(backupDirectory(`/${'x'.repeat(197)}`)).toBe(`${ROOT}%2F${'x'.repeat(197)}`);
  expect(backupDirectory(`/${'x'.repeat(198)}`)).toMatch(/^\/var\/backups\/provision\/sha256-[0-9a-f]{64}$/);
  expect(backupDirectory(`/${'x'.repeat(198)}`)).not.toBe(backupDirectory(`/${'y'.repeat(198)}`));
});

test('a copy is named after when the run began, to the millisecond, and its action', () => {
  expect(copyName(Date.UTC(2026, 10, 21, 2, 15, 0, 7), 12)).toBe('20261121T021500.007Z.12');
});

test.each([
  ['/etc/x.cfg', '.provision-new.x.cfg', '../x.cfg'],
  ["/etc/it's", `'.provision-new.it'\\''s'`, `'../it'\\''s'`],
  [`/etc/${'x'.repeat(200)}`, `.provision-new.${'x'.repeat(200)}`, `../${'x'.repeat(200)}`],
])('%s is staged in a directory below its own', (path, name, target) => {
  expect(stageOf(path)).toEqual({ lines: ['enter /etc', `stage ${name}`], target, directory: '..' });
});

test('a name that is too long for more before it is staged under its digest', () => {
  expect(stageOf(`/etc/${'x'.repeat(201)}`).lines[1]).toMatch(/^stage \.provision-new\.[0-9a-f]{64}$/);
});

test('staged in another directory, both must be out of the reach of others', () => {
  expect(stageOf('/etc/a b/x', '/var/s')).toMatchObject({
    lines: ["enter '/etc/a b'", "only_root '/etc/a b'", 'enter /var/s', 'only_root /var/s', 'stage .provision-new.x'],
    target: "'/etc/a b/x'",
  });
});
