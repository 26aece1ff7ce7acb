import { describe, expect, test } from '@jest/globals';
import { askWays, lookAtWays } from '../../../src/engine/look-at-ways.js';
import type { Action } from '../../../src/model/action.js';
import { changed, UNCHANGED, type Outcome } from '../../../src/model/change.js';
import type { Probe } from '../../../src/model/remote.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

const OWNED = { owner: 'root', group: 'root', mode: '0600' } as const;
const LEAF = { kind: 'issue-certificate', certificate: 'c', profile: SERVER_PROFILE, ...OWNED } as const;

const outcomeOf = (...actions: readonly Action[]): Outcome =>
  changed({ summary: 's', diff: ['+ a', '- b'], actions, effect: 'change', disruptive: false });

/** What a plan shows of actions where every directory among these is led elsewhere by a link. */
async function shown(
  ways: Readonly<Record<string, unknown>>,
  ...actions: readonly Action[]
): Promise<readonly string[]> {
  const outcome = await lookAtWays(outcomeOf(...actions), fakeProbe({ 'directory-ways': ways }));
  return outcome.kind === 'change' ? outcome.change.diff : [outcome.kind];
}

const elsewhere = { leadsTo: '/elsewhere' };
const line = (directory: string): string => `${directory} leads to /elsewhere, by a symbolic link`;

describe('a link on the way to what is written is shown before the change', () => {
  test.each<[string, Action, readonly string[]]>([
    [
      'a certificate and its key',
      { ...LEAF, destination: { layout: 'pair', certificatePath: '/c/x', keyPath: '/k/x' } },
      ['/c', '/k'],
    ],
    ['a bundle', { ...LEAF, destination: { layout: 'bundle', path: '/b/x' } }, ['/b']],
    ['trust', { kind: 'install-trust', path: '/t/x', ...OWNED }, ['/t']],
    ['a file that goes', { kind: 'remove-file', path: '/r/x' }, ['/r']],
    ['a directory', { kind: 'make-directory', path: '/d/x', ...OWNED }, ['/d']],
    [
      'what a command changes',
      { kind: 'run', command: { summary: '', script: '' }, undo: 'nothing', path: '/u/x' },
      ['/u'],
    ],
  ])('%s', async (_, action, directories) => {
    const ways = Object.fromEntries(directories.map((directory) => [directory, elsewhere]));
    expect(await shown(ways, action)).toEqual([...directories.map(line), '+ a', '- b']);
  });

  test('each directory once, and only those that a link leads elsewhere', async () => {
    const [one, two] = ['/d/one', '/d/two'].map((path) => ({ kind: 'remove-file', path }) as const);
    const plain = { kind: 'remove-file', path: '/e/x' } as const;
    expect(await shown({ '/e': undefined, '/d': elsewhere }, plain, one ?? plain, two ?? plain)).toEqual([
      line('/d'),
      '+ a',
      '- b',
    ]);
  });
});

test('the ways to all that a resource keeps are asked in the look that decides it', () => {
  const asked: string[] = [];
  const probe: Probe = {
    host: 'a',
    ask: (_, key) => {
      asked.push(key);
      return Promise.reject(new Error('not now'));
    },
    on: () => probe,
  };
  askWays(['/c/x', '/k/y'], probe);
  expect(asked).toEqual(['/c', '/k']);
});

test('a way that the action itself would refuse is refused by name, and what changes nothing asks nothing', async () => {
  const refused = { refused: 'its owner is 1000' };
  await expect(shown({ '/d': refused }, { kind: 'remove-file', path: '/d/x' })).rejects.toMatchObject({
    code: 'foreign-link',
    message: 'host-1: /d: its owner is 1000',
    hint: expect.stringContaining('namei -l') as unknown,
  });
  const nothing = outcomeOf({ kind: 'reboot-host' });
  expect(await lookAtWays(nothing, fakeProbe({}))).toBe(nothing);
  expect(await lookAtWays(UNCHANGED, fakeProbe({}))).toBe(UNCHANGED);
});
