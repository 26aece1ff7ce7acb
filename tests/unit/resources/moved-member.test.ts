import { describe, expect, test } from '@jest/globals';
import { clusterPhase, type MemberState } from '../../../src/facts/etcd-phase.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { etcdMember } from '../../../src/resources/etcd-member.js';
import { etcdHost, healthy, NO_DATA, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';
import { expectRefused } from '../../support/refusals.js';

const OLD = '/var/lib/etcd/old';
const KEPT = { ...NO_DATA, isConfigured: true, keptIn: OLD };
/** The inventory names another directory than the one in which the member has its data, and runs. */
const MOVED = etcdHost({ data: KEPT, status: healthy(1) });
const MOVED_AND_DOWN = etcdHost({ data: KEPT, unit: STOPPED, status: SILENT });
const BARE = etcdHost({ data: NO_DATA, unit: STOPPED });

const CHANGING: Resource = {
  address: 'file:/etc/default/etcd',
  paths: ['/etc/default/etcd'],
  plan: () => Promise.resolve(changed({ summary: 'x', diff: [], actions: [], effect: 'change', disruptive: false })),
};
const SAME: Resource = { ...CHANGING, plan: () => Promise.resolve(UNCHANGED) };

async function plan(
  hosts: readonly FakeAnswers[],
  { number = 1, runsWith = SAME, cluster = SAMPLE_CLUSTER }: PlanOptions = {},
): Promise<Outcome> {
  const files = { 'file-states': { '/etc/default/etcd': { kind: 'file', changedAt: 900 } } };
  const probe = fakeProbes(
    Object.fromEntries(hosts.map((host, index) => [`etcd-${index + 1}`, { ...host, ...files }])),
  ).get(`etcd-${number}`);
  if (probe === undefined) throw new Error('no probe');
  return etcdMember({ cluster, member: sampleMember(number), runsWith: [runsWith] }).plan(probe);
}

interface PlanOptions {
  readonly number?: number;
  readonly runsWith?: Resource;
  readonly cluster?: Cluster;
}

describe('another data directory', () => {
  test.each([
    ['it runs', MOVED],
    ['it is stopped', MOVED_AND_DOWN],
  ])('is refused, with the way to move the data, where %s', async (_, own) => {
    const up = etcdHost({ status: healthy(2) });
    await expect(plan([own, up, up])).rejects.toMatchObject({
      code: 'member-moved',
      message: expect.stringContaining(`etcd-1 has the data of its member in ${OLD}`),
      hint: expect.stringContaining(`mv -T ${OLD}/member /var/lib/etcd/default/member`),
    });
  });

  // Without that, "no member has data" would begin a second, empty cluster in the new directories.
  test.each([
    ['of all members', [MOVED, MOVED, MOVED]],
    ['of all, and all are stopped', [MOVED_AND_DOWN, MOVED_AND_DOWN, MOVED_AND_DOWN]],
  ])('%s begins no second cluster', async (_, hosts) => {
    await expectRefused(plan(hosts), 'member-moved');
  });

  test('of the others begins no second cluster on a bare host', async () => {
    await expectRefused(plan([BARE, MOVED_AND_DOWN, MOVED_AND_DOWN]), 'etcd-member-lost');
    const state = (host: string): MemberState => ({ host, isRunning: true, ...KEPT });
    expect(clusterPhase({ states: [state('a'), state('b'), { ...state('c'), ...NO_DATA }], away: [] })).toBe('serving');
  });

  test('is no other one once the data is there', async () => {
    const hosts = [1, 2, 3].map((number) => etcdHost({ status: healthy(number) }));
    expect(await plan(hosts)).toEqual(UNCHANGED);
  });
});

describe('another address', () => {
  /** What each of them lists, with etcd-3 at this address. */
  const listing = (...addresses: readonly string[]): readonly FakeAnswers[] =>
    addresses.map((address, index) => {
      if (address === 'silent') return etcdHost({ status: SILENT });
      const { members } = healthy(1);
      const listed = members.map((each) =>
        each.id === '3' ? { ...each, peerUrls: [`https://${address}:2380`] } : each,
      );
      return etcdHost({ status: healthy(index + 1, { members: listed }) });
    });
  const [KNOWN, FORMER] = ['10.0.0.3', '10.0.0.33'];

  test('is refused before the member is touched, with the way there', async () => {
    const refused = plan(listing(FORMER, FORMER, FORMER), { number: 3, runsWith: CHANGING });
    await expect(refused).rejects.toMatchObject({
      code: 'member-moved',
      message: expect.stringContaining(
        'etcd-3: etcd lists its member at https://10.0.0.33:2380, and the inventory has it at https://10.0.0.3:2380',
      ),
      hint: expect.stringMatching(
        /ssh etcd-1 .*member update 3 --peer-urls=https:\/\/10\.0\.0\.3:2380'?\nprovision apply INVENTORY --limit etcd-3/,
      ),
    });
    await expectRefused(plan(listing(FORMER, FORMER, FORMER), { number: 3 }), 'member-moved');
  });

  test.each([
    ['another is silent', listing(FORMER, 'silent', FORMER)],
    // On its new address its own etcd does not answer.
    ['it is silent itself', listing(FORMER, FORMER, 'silent')],
    ['it is silent itself, and another one, too: nobody lists it there', listing(FORMER, 'silent', 'silent')],
    ['only it answers', listing('silent', 'silent', FORMER)],
  ])('is refused also where %s', async (_, hosts) => {
    await expectRefused(plan(hosts, { number: 3, runsWith: CHANGING }), 'member-moved');
  });

  test.each([
    ['all list it where the inventory has it', listing(KNOWN, KNOWN, KNOWN), 'change'],
    ['one alone lists it elsewhere', listing(FORMER, KNOWN, KNOWN), 'change'],
    ['one alone lists it elsewhere, and another is silent', listing(FORMER, 'silent', KNOWN), 'change'],
    [
      'one lists it elsewhere, it is silent itself, and another one lists it there',
      listing(FORMER, KNOWN, 'silent'),
      'change',
    ],
  ])('is none where %s', async (_, hosts, kind) => {
    expect((await plan(hosts, { number: 3, runsWith: CHANGING })).kind).toBe(kind);
  });

  test('is known by who can be asked: another one that answers', async () => {
    const { members } = healthy(1);
    const listed = members.map((each) => (each.id === '1' ? { ...each, peerUrls: ['https://10.0.0.11:2380'] } : each));
    const up = [1, 2, 3].map((number) => etcdHost({ status: healthy(number, { members: listed }) }));
    const silent = etcdHost({ status: SILENT });
    const hint = async (...hosts: readonly FakeAnswers[]): Promise<unknown> =>
      plan(hosts, { runsWith: CHANGING }).catch((error: unknown) => (error as { readonly hint?: string }).hint);
    const [one = silent, two = silent, three = silent] = up;
    expect(await hint(one, two, three)).toMatch(/\nssh etcd-2 /);
    expect(await hint(one, silent, three)).toMatch(/\nssh etcd-3 /);
    expect(await hint(one, silent, silent)).toMatch(/\netcdctl member update 1 /);
  });

  test('of two members, one alone is not believed against the other', async () => {
    const two = { ...SAMPLE_CLUSTER, members: [sampleMember(1), sampleMember(2)] };
    const saying = (number: number, address: string): FakeAnswers => {
      const members = healthy(1).members.slice(0, 2);
      const listed = members.map((each) =>
        each.id === '2' ? { ...each, peerUrls: [`https://${address}:2380`] } : each,
      );
      return etcdHost({ status: healthy(number, { members: listed }) });
    };
    const planned = plan([saying(1, '10.0.0.22'), saying(2, '10.0.0.2')], { number: 2, cluster: two });
    expect(await planned).toEqual(UNCHANGED);
  });

  test.each([
    ['two of the three others of four', ['10.0.0.44', '10.0.0.44', '10.0.0.4', 'silent']],
    ['three of four', ['10.0.0.44', '10.0.0.44', '10.0.0.4', '10.0.0.44']],
  ])('most of those that are asked are believed, its own silence is no word: %s', async (_, said) => {
    const four = { ...SAMPLE_CLUSTER, members: [1, 2, 3, 4].map((number) => sampleMember(number)) };
    const members = (address: string) =>
      [1, 2, 3, 4].map((number) => ({
        ...{ id: `${number}`, name: `m${number}`, isLearner: false },
        peerUrls: [`https://${number === 4 ? address : `10.0.0.${number}`}:2380`],
      }));
    const hosts = said.map((address, index) =>
      etcdHost({ status: address === 'silent' ? SILENT : healthy(index + 1, { members: members(address) }) }),
    );
    await expect(plan(hosts, { number: 4, cluster: four, runsWith: CHANGING })).rejects.toMatchObject({
      code: 'member-moved',
    });
  });

  test('of another member stops nobody else', async () => {
    expect((await plan(listing(FORMER, FORMER, FORMER), { runsWith: CHANGING })).kind).toBe('change');
  });
});

test('another name is taken by a restart: etcd tells the others', async () => {
  const { members } = healthy(1);
  const named = members.map((each) => (each.id === '1' ? { ...each, name: 'before' } : each));
  const hosts = [1, 2, 3].map((number) => etcdHost({ status: healthy(number, { members: named }) }));
  expect((await plan(hosts, { runsWith: CHANGING })).kind).toBe('change');
});
