import { describe, expect, test } from '@jest/globals';
import { etcdStatusKey } from '../../../src/facts/etcd-status.js';
import { lookBeforeJoining } from '../../../src/resources/look-before-joining.js';
import { memberReplacement } from '../../../src/resources/member-replacement.js';
import {
  foreignCluster,
  hasData,
  notEnough,
  notEnoughToLeave,
  notGone,
  otherMembers,
  servesUnreached,
  sickOther,
  stillRuns,
} from '../../../src/resources/replacement-refusals.js';
import { healthy, LONE_DATA, NO_DATA, RUNNING, SILENT, STOPPED } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers, type FakeProbe } from '../../support/fake-probe.js';
import { BARE_HOST, joiningHost, listedMember, type JoiningHost } from '../../support/joining-hosts.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const MEMBER = sampleMember(3);
const THREE = [1, 2, 3].map((number) => listedMember(number));
const up = (number: number, members = THREE): FakeAnswers =>
  joiningHost(number, { status: healthy(number, { members }) });

function probeOf(hosts: Readonly<Record<string, FakeAnswers>>, on = 'etcd-1'): FakeProbe {
  const probe = fakeProbes(hosts).get(on);
  if (probe === undefined) throw new Error('no probe');
  return probe;
}

describe('a member that is to be replaced', () => {
  const { leaving } = memberReplacement(SAMPLE_CLUSTER, MEMBER);

  test('has its data aside before it leaves the list', () => {
    expect(leaving.map(({ address }) => address)).toEqual(['member-aside:m3', 'member-remove:m3']);
  });

  test.each<[string, JoiningHost, string | undefined]>([
    ['it is gone', BARE_HOST, undefined],
    [
      'it answers',
      { status: healthy(3) },
      'etcd-3 answers as m3 (id 3, https://10.0.0.3:2380), a member of the cluster: it is not replaced',
    ],
    ['it answers, and is to serve clients yet', { status: healthy(3), isJoining: true }, undefined],
  ])('is not, for a reason that is named, where %s', async (_, three, doubt) => {
    const probe = probeOf({ 'etcd-1': up(1), 'etcd-2': up(2), 'etcd-3': joiningHost(3, three) });
    expect(await leaving[1]?.doubt?.(probe)).toBe(doubt);
    expect(await leaving[0]?.doubt?.(probe)).toBeUndefined();
  });
});

describe('the look before a host joins', () => {
  const members = [1, 2, 3, 4, 5, 6].map((number) => sampleMember(number));
  const wanted = { ...SAMPLE_CLUSTER, members };
  const FOUR = sampleMember(4);
  const peers = members.slice(0, 3);
  /** Who is yet to join, too. */
  const OTHERS = { 'etcd-5': joiningHost(5, BARE_HOST), 'etcd-6': joiningHost(6, BARE_HOST) };
  type Heard = Readonly<Record<string, unknown>>;
  const heardAt = (url: string, status: object): Heard => ({
    [etcdStatusKey({ clientUrl: url, client: FOUR.client })]: status,
  });
  const hearing = (number: number, listed: typeof THREE, ...heard: readonly Heard[]): FakeAnswers => {
    const answers = up(number, listed);
    return { ...answers, 'etcd-status': Object.assign({}, answers['etcd-status'], ...heard) as Heard };
  };
  const look = async (hosts: Readonly<Record<string, FakeAnswers>>) =>
    lookBeforeJoining(wanted, FOUR, probeOf({ ...OTHERS, ...hosts }, 'etcd-4'));
  const BARE = { host: 'etcd-4', isRunning: false, ...NO_DATA };

  test('has all that the hosts say, without others that join', async () => {
    const listed = [...THREE, listedMember(5, true, ''), listedMember(6, true, '')];
    const found = await look({
      ...Object.fromEntries([1, 2, 3].map((number) => [`etcd-${number}`, up(number, listed)])),
      'etcd-4': joiningHost(4, BARE_HOST),
    });
    expect(found).toEqual({
      ...{ state: BARE, own: SILENT, isJoining: false, peers, isRunning: false, hasAddress: true },
      others: [1, 2, 3].map((number) => ({ host: `etcd-${number}`, ...healthy(number, { members: THREE }) })),
      ...{ answering: [], stillAt: undefined },
    });
  });

  test('of a host with another address, whose etcd starts, while others are silent or away', async () => {
    const own = joiningHost(4, { data: LONE_DATA, unit: RUNNING, status: SILENT, isJoining: true });
    const found = await look({
      ...{ 'etcd-1': up(1), 'etcd-2': joiningHost(2, { unit: STOPPED, status: SILENT }), 'etcd-3': up(3) },
      'etcd-4': {
        ...own,
        'unit-commands': { etcd: { files: [], next: [], running: ['etcd'], environmentFiles: [] } },
        'host-addresses': { all: [{ interface: 'eth0', address: '10.0.0.44', prefixLength: 24 }] },
      },
    });
    expect(found).toMatchObject({
      ...{ state: { host: 'etcd-4', isRunning: true, ...LONE_DATA }, isJoining: true, isRunning: true },
      ...{ hasAddress: false, answering: [], others: [{ host: 'etcd-1' }, { host: 'etcd-3' }] },
    });
  });

  test('has who answers the others at its address, each once', async () => {
    const here = 'https://10.0.0.4:2379';
    const found = await look({
      ...{ 'etcd-1': up(1), 'etcd-2': hearing(2, THREE, heardAt(here, healthy(4))) },
      ...{ 'etcd-3': hearing(3, THREE, heardAt(here, healthy(4))), 'etcd-4': joiningHost(4, BARE_HOST) },
    });
    expect(found.answering).toEqual(['4']);
  });

  test('has where etcd lists it elsewhere, and one answers there', async () => {
    const urls = ['not a URL', 'https://10.0.0.4:2380', 'https://10.0.0.43:2380', 'https://[2001:db8::4]:2380'];
    const listed = [...THREE, { ...listedMember(4), peerUrls: urls }];
    const [silent, old] = ['https://10.0.0.43:2379', 'https://[2001:db8::4]:2379'];
    const one = (number: number, said: object): FakeAnswers =>
      hearing(number, listed, heardAt(silent, SILENT), heardAt(old, said));
    const found = await look({
      ...{ 'etcd-1': one(1, SILENT), 'etcd-2': one(2, healthy(4)), 'etcd-3': one(3, healthy(4)) },
      'etcd-4': joiningHost(4, BARE_HOST),
    });
    expect(found.stillAt).toEqual({ url: old, ids: ['4'] });
  });

  test('is none where its host can not be asked', async () => {
    const hosts = { 'etcd-1': up(1), 'etcd-2': up(2), 'etcd-3': up(3), 'etcd-4': UNREACHABLE };
    await expect(lookBeforeJoining(wanted, FOUR, probeOf({ ...OTHERS, ...hosts }))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});

describe('what is refused says what to do', () => {
  const VERIFY = 'make the other members healthy first: provision verify INVENTORY';
  const RECOVER = 'where they are gone for good: provision recover INVENTORY (docs/runbooks/quorum-lost.md)';
  const REST = "the rest without that: the same command with --limit 'all:!etcd_former'";
  const figures = { healthy: 1, needed: 2, voters: 3 };
  const entry = listedMember(3);

  test.each([
    [notEnough(MEMBER, figures), 'etcd-3: 1 of 3 voters are healthy without it, and a quorum is 2', [VERIFY, RECOVER]],
    [notEnough(MEMBER, { ...figures, voters: 0 }), 'etcd-3: no other member answers', [VERIFY, RECOVER]],
    [notEnoughToLeave(MEMBER, figures), 'etcd-3: 1 of 3 voters', [VERIFY, RECOVER, REST]],
    [
      sickOther(MEMBER, 'etcd-1', 'is away'),
      'etcd-3: etcd-1 is away: no member leaves',
      [
        'make it healthy first: provision verify INVENTORY; or, where etcd-1 is gone for good, too: move it into the group etcd_former',
        REST,
      ],
    ],
    [otherMembers(MEMBER, 'others'), 'etcd-3: others', ['see what each says: provision verify INVENTORY']],
    [otherMembers(MEMBER, 'others', 'do this'), 'etcd-3: others', ['do this']],
    [
      notGone(MEMBER, SILENT),
      'etcd-3: etcd runs, and does not answer (connection refused)',
      [
        expect.stringMatching(/^see what it does: ssh etcd-3 .*journalctl/),
        'where it is beyond help: ssh etcd-3 sudo systemctl stop etcd; then run the same command again',
      ],
    ],
    [
      stillRuns(MEMBER, 'https://10.0.0.33:2379', ['3']),
      'etcd-3: etcd lists its member at another address',
      [
        'stop it on the old machine: systemctl disable --now etcd; then run the same command again',
        'where it is the same machine, with another address, this says what to do: provision plan INVENTORY',
      ],
    ],
    [
      hasData(MEMBER, entry),
      'etcd-3: m3 (id 3, https://10.0.0.3:2380) is stopped, and has its data in /var/lib/etcd/default',
      [
        'start it: ssh etcd-3 sudo systemctl start etcd',
        expect.stringContaining('sudo mv /var/lib/etcd/default/member /var/lib/etcd/default/member.damaged'),
      ],
    ],
    [
      foreignCluster(MEMBER, '99', '77'),
      'etcd-3: the etcd that runs there belongs to cluster 99, not to 77',
      [expect.stringContaining('take etcd-3 out of the group etcd')],
    ],
    [
      servesUnreached(MEMBER),
      "etcd-3: its host can't be asked, and its etcd answers the other members at https://10.0.0.3:2379",
      [expect.stringContaining('systemctl disable --now etcd')],
    ],
  ])('%s', (error, message, hint) => {
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/; nothing was changed$/);
    expect(error.hint?.split('\n')).toEqual(hint);
  });
});
