import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { FileOrigin } from '../../../src/facts/file-origin.js';
import type { FileState } from '../../../src/facts/file-state.js';
import { contentOf, plainContent } from '../../../src/model/content.js';
import { Secret } from '../../../src/model/secret.js';
import { file } from '../../../src/resources/file.js';
import { fakeProbe } from '../../support/fake-probe.js';

const WANTED = { path: '/etc/x', content: plainContent('new\n'), owner: 'root', group: 'root', mode: '0644' };

function stateOf(text: string, mode = '0644'): FileState {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { kind: 'file', owner: 'root', group: 'root', mode, changedAt: 0, sha256 };
}

function probe(state: FileState, content?: string): ReturnType<typeof fakeProbe> {
  return fakeProbe({ 'file-states': { '/etc/x': state }, 'file-contents': { '/etc/x': content } });
}

describe('a file', () => {
  test('that is as it should be costs one question, and its content is not fetched', async () => {
    const host = probe(stateOf('new\n'));
    expect(await file(WANTED).plan(host)).toEqual({ kind: 'unchanged' });
    expect(host.asked).toEqual(['file-states /etc/x']);
  });

  test('that is absent is created', async () => {
    expect(await file(WANTED).plan(probe({ kind: 'absent' }))).toMatchObject({
      change: {
        summary: 'create /etc/x (root:root 0644)',
        diff: expect.arrayContaining(['+new']),
        actions: [{ kind: 'write-file', path: '/etc/x' }],
      },
    });
  });

  test('that differs is shown as a diff', async () => {
    expect(await file(WANTED).plan(probe(stateOf('old\n'), 'old\n'))).toMatchObject({
      change: { summary: 'update /etc/x (root:root 0644)', diff: expect.arrayContaining(['-old', '+new']) },
    });
  });

  test('of which only the mode differs is rewritten: it may have other names', async () => {
    expect(await file(WANTED).plan(probe(stateOf('new\n', '0600')))).toMatchObject({
      change: { diff: ['- root:root 0600', '+ root:root 0644'], actions: [{ kind: 'write-file' }] },
    });
  });

  describe('of another tool', () => {
    const guarded = { ...WANTED, foreign: { replace: [] as string[], wayOut: 'let it run beside' } };
    const host = (origin: FileOrigin) =>
      fakeProbe({
        'file-states': { '/etc/x': stateOf('theirs\n') },
        'file-contents': { '/etc/x': 'theirs\n' },
        'file-origins': { '/etc/x': origin },
      });

    test('is refused, with the ways to proceed', async () => {
      await expect(file(guarded).plan(host({ kind: 'foreign', lines: 3 }))).rejects.toMatchObject({
        code: 'file-not-ours',
        hint: "let it run beside\nto give it up, and what runs with it: provision_replace_files: ['/etc/x']",
      });
    });

    test('is replaced where it is given up by name, and that is disruptive', async () => {
      const given = { ...guarded, foreign: { ...guarded.foreign, replace: ['/etc/x'] } };
      expect(await file(given).plan(host({ kind: 'foreign', lines: 3 }))).toMatchObject({
        change: { summary: 'replace /etc/x, which provision did not write (root:root 0644)', disruptive: true },
      });
    });

    test.each(['ours', 'package', 'empty'] as const)('is another matter than one that is %s', async (kind) => {
      expect(await file(guarded).plan(host({ kind }))).toMatchObject({
        change: { summary: 'update /etc/x (root:root 0644)', disruptive: false },
      });
    });
  });

  test('is refused where a directory stands', async () => {
    const state: FileState = {
      kind: 'directory',
      owner: 'root',
      group: 'root',
      mode: '0755',
      changedAt: 0,
      sha256: undefined,
    };
    await expect(file(WANTED).plan(probe(state))).rejects.toThrow('/etc/x is a directory; a file was expected');
  });

  test('with a secret shows neither the new nor the old one', async () => {
    const content = contentOf('auth_pass ', new Secret('planted1'), '\n');
    const outcome = await file({ ...WANTED, content }).plan(probe(stateOf('x'), 'auth_pass planted2\n'));
    const shown = JSON.stringify(outcome);
    expect(shown).toContain('auth_pass');
    expect(shown).not.toMatch(/planted[12]/);
    // The check would find one: in the open, the same file shows it.
    const open = await file({ ...WANTED, content: plainContent('word planted1\n') }).plan(probe({ kind: 'absent' }));
    expect(JSON.stringify(open)).toMatch(/planted1/);
  });
});
