import { expect, test } from '@jest/globals';
import { nodeReleaseKey, seenNodeRelease, type SeenNodeRelease } from '../../../src/facts/node-release.js';
import { runtimeProcess } from '../../../src/facts/runtime-process.js';
import type { Outcome } from '../../../src/model/change.js';
import { nodeRelease } from '../../../src/resources/node-release.js';
import { fakeProbe } from '../../support/fake-probe.js';

const SHA = 'ab'.repeat(32);
const DIRECTORY = `/usr/local/lib/provision-releases/containerd-${SHA.slice(0, 12)}`;
const OLD = '/usr/local/lib/provision-releases/containerd-000000000000';
const NONE: SeenNodeRelease = { isThere: false, unlinked: ['containerd'], foreign: [], current: undefined };

async function plan(seen: SeenNodeRelease): Promise<Outcome> {
  const release = { product: 'containerd', source: '/srv/containerd-1.7.20.tar.gz', sha256: SHA } as const;
  const key = nodeReleaseKey('containerd', DIRECTORY, '/usr/local/bin');
  return nodeRelease({ release, links: '/usr/local/bin' }).plan(fakeProbe({ 'node-releases': { [key]: seen } }));
}

test.each<[string, SeenNodeRelease, readonly string[], string]>([
  ['nothing is there', NONE, ['send-release', 'run'], `/usr/local/bin: (none) → ${DIRECTORY}`],
  [
    'another release is in use',
    { ...NONE, current: OLD },
    ['send-release', 'run'],
    `/usr/local/bin: ${OLD} → ${DIRECTORY}`,
  ],
  ['a run was killed before the links', { ...NONE, isThere: true }, ['run'], `/usr/local/bin: (none) → ${DIRECTORY}`],
])('where %s, the plan says what is done, and no process is touched', async (_, seen, kinds, line) => {
  const outcome = await plan(seen);
  if (outcome.kind !== 'change') throw new Error(outcome.kind);
  const { summary, diff, actions, disruptive } = outcome.change;
  expect(summary).toBe('have containerd of containerd-1.7.20.tar.gz found in /usr/local/bin');
  expect(diff).toContain(line);
  expect(diff.some((each) => each.includes(SHA))).toBe(kinds.includes('send-release'));
  expect([actions.map(({ kind }) => kind), disruptive]).toEqual([kinds, false]);
});

test('where all leads there, there is nothing to do', async () => {
  expect(await plan({ ...NONE, isThere: true, unlinked: [], current: DIRECTORY })).toEqual({ kind: 'unchanged' });
});

test('what others have in its place is refused while planning', async () => {
  await expect(plan({ ...NONE, foreign: ['ctr'] })).rejects.toMatchObject({
    code: 'program-in-the-way',
    message: expect.stringContaining('/usr/local/bin/ctr') as unknown,
  });
});

test('what others have among CNI plugins is passed over, and told', async () => {
  const release = { product: 'cni', source: '/srv/cni.tgz', sha256: SHA } as const;
  const directory = `/usr/local/lib/provision-releases/cni-${SHA.slice(0, 12)}`;
  const seen = { isThere: true, unlinked: [], foreign: ['bridge'], current: directory };
  const probe = fakeProbe({ 'node-releases': { [nodeReleaseKey('cni', directory, '/opt/cni/bin')]: seen } });
  const resource = nodeRelease({ release, links: '/opt/cni/bin' });
  expect(await resource.plan(probe)).toEqual({ kind: 'unchanged' });
  expect(await resource.doubt?.(probe)).toBe('/opt/cni/bin has bridge of others, which stay as they are');
});

test('what a host says of releases, and of its process', () => {
  const read = (line: string): SeenNodeRelease | undefined => seenNodeRelease.parse(`${line}\n`, ['k']).get('k');
  expect(read(`T Ucontainerd Fctr C${OLD}`)).toEqual({
    isThere: true,
    unlinked: ['containerd'],
    foreign: ['ctr'],
    current: OLD,
  });
  expect(read('N ')).toEqual({ ...NONE, unlinked: [] });
  expect(() => read('?')).toThrow();
  const of = (line: string): unknown => runtimeProcess.parse(`${line}\n`, ['u']).get('u');
  expect(of('/usr/bin/containerd abc')).toEqual({ program: '/usr/bin/containerd', proxies: 'abc' });
  expect(of('/usr/bin/containerd ')).toEqual({ program: '/usr/bin/containerd', proxies: undefined });
  expect(of(' ')).toEqual({ program: undefined, proxies: undefined });
});
