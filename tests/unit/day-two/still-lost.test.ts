import { describe, expect, test } from '@jest/globals';
import { decideRecovery } from '../../../src/day-two/decide-recovery.js';
import { lookAtRemains } from '../../../src/day-two/look-at-remains.js';
import { requireStillLost } from '../../../src/day-two/still-lost.js';
import { USUAL_CLIENT_FILES } from '../../../src/facts/apiserver-manifest.js';
import { etcdIdentityKey, type EtcdIdentity } from '../../../src/facts/etcd-identity.js';
import { etcdRemainsKey, type EtcdRemains } from '../../../src/facts/etcd-remains.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { RESTORE_TOOL, RESTORES_KEY } from '../../../src/facts/restores.js';
import type { ClientFiles } from '../../../src/model/certificate.js';
import { memberUrls } from '../../../src/model/endpoint.js';
import type { Probe } from '../../../src/model/remote.js';
import { healthy, SILENT } from '../../support/etcd-answers.js';
import { fakeProbe, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const NOBODY: EtcdIdentity = { kind: 'silent', reason: 'Connection refused' };
const LED: EtcdIdentity = { kind: 'answers', clusterId: '77', memberId: '2', leaderId: '3', revision: 900 };
const DATA: EtcdRemains = {
  ...{ hasData: true, databaseBytes: 1, clusterId: '77', revision: 900, snapshot: undefined, isRunning: false },
};
const STOPPED: Shown = { remains: DATA };
const GONE: Shown = { remains: { ...DATA, hasData: false, clusterId: undefined, revision: undefined } };
const FENCED: Shown = { ...STOPPED, isFenced: true };
const STARTS: Shown = { remains: { ...DATA, isRunning: true, revision: undefined } };
const SERVES: Shown = { ...STARTS, status: healthy(2) };

interface Shown {
  readonly remains: EtcdRemains;
  readonly status?: EtcdStatus;
  /** It has noted that it was fenced for a recovery that was begun. */
  readonly isFenced?: true;
}

const FENCE = { id: '20261126T010203Z-recover', stages: new Map([['fenced', 'yes']]), notedAgo: new Map() };

/** What a host shows of its member; `away`: it can't be asked. */
type Host = Shown | 'away';

interface Hosts {
  /** Of etcd-1, etcd-2, etcd-3. */
  readonly members: readonly [Host, Host, Host];
  /** Members whom the other hosts hear, and their leader; the hosts that hear them, where not all do. */
  readonly heard?: Readonly<Record<string, readonly string[]>>;
  /** The client files of API servers, where they are not the usual ones. */
  readonly files?: Pick<ClientFiles, 'certificate' | 'key'>;
}

const MEMBERS = [1, 2, 3].map(sampleMember);
const CLUSTER = { ...SAMPLE_CLUSTER, members: MEMBERS };

function manifestWith({ certificate, key }: Pick<ClientFiles, 'certificate' | 'key'>): string {
  const command = ['kube-apiserver', `--etcd-certfile=${certificate}`, `--etcd-keyfile=${key}`];
  const containers = [{ name: 'kube-apiserver', image: 'x', command }];
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kube-apiserver' }, spec: { containers } });
}

function answersOf({ members, heard = {}, files = USUAL_CLIENT_FILES }: Hosts): Readonly<Record<string, FakeAnswers>> {
  const elsewhere = (host: string, files: { readonly certificate: string; readonly key: string }) =>
    MEMBERS.map((other) => {
      const [url = ''] = memberUrls([other]);
      const key = etcdIdentityKey({ url, certificate: files.certificate, key: files.key });
      return [key, heard[other.host]?.includes(host) === true ? LED : NOBODY] as const;
    });
  const ofMembers = MEMBERS.map((member, index): readonly [string, FakeAnswers] => {
    const shown = members[index] ?? 'away';
    if (shown === 'away') return [member.host, UNREACHABLE];
    const { clientUrl, client, host } = member;
    return [
      host,
      {
        'etcd-status': { [etcdStatusKey(member)]: shown.status ?? SILENT },
        'etcd-identities': {
          [etcdIdentityKey({ url: clientUrl, ...client })]: NOBODY,
          ...Object.fromEntries(elsewhere(host, client)),
        },
        'etcd-remains': { [etcdRemainsKey(member)]: shown.remains },
        'restore-tool': { [RESTORE_TOOL]: { canBump: false } },
        restores: { [RESTORES_KEY]: shown.isFenced === true ? [FENCE] : [] },
      },
    ];
  });
  const silent = MEMBERS.map((other) => {
    const { certificate, key } = USUAL_CLIENT_FILES;
    return [etcdIdentityKey({ url: memberUrls([other])[0] ?? '', certificate, key }), NOBODY] as const;
  });
  const planes = CLUSTER.controlPlanes.map(({ host, manifest }): readonly [string, FakeAnswers] => [
    host,
    {
      'etcd-identities': Object.fromEntries([...silent, ...elsewhere(host, files)]),
      'file-contents': { [manifest]: manifestWith(files) },
      restores: { [RESTORES_KEY]: [] },
    },
  ]);
  return Object.fromEntries([...ofMembers, ...planes]);
}

function probesOf(hosts: Hosts): (host: string) => Probe {
  const answers = answersOf(hosts);
  return (host) => fakeProbe(answers[host] ?? UNREACHABLE, answers, host);
}

/** Time passes only while it is slept: a second each. The last of `states` stays. */
function runOf(states: readonly Hosts[]) {
  const told: string[] = [];
  // A clock that began long ago.
  let [ms, looks] = [5_000_000, 0];
  return {
    told,
    looks: () => looks,
    run: {
      newLook: () => ({
        probe: probesOf(states[Math.min(looks++, states.length - 1)] ?? { members: ['away', 'away', 'away'] }),
      }),
      now: () => ms,
      sleep(passed: number) {
        ms += passed;
        return Promise.resolve();
      },
      emit: ({ message }: { readonly message: string }) => {
        told.push(message);
      },
    },
  };
}

const LOST = ['etcd-2', 'etcd-3'];

async function decide(hosts: Hosts, lost = LOST) {
  const { seen, id } = await lookAtRemains(CLUSTER, probesOf(hosts));
  return decideRecovery({ cluster: CLUSTER, seen, lost, id });
}

/** How often was looked, or the code of what was refused. */
async function ask(agreed: Hosts, later: readonly Hosts[], lost = LOST): Promise<number | string> {
  const { run, looks } = runOf(later);
  try {
    await requireStillLost({ cluster: CLUSTER, lost, decision: await decide(agreed, lost) }, run);
    return looks();
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

const cutOff: Hosts = { members: [STARTS, 'away', 'away'] };
const planes = CLUSTER.controlPlanes.map(({ host }) => host);

describe('members whose hosts cannot be asked', () => {
  test.each([
    ['nobody hears', {}, 'etcd-1'],
    ['every other host hears', { 'etcd-2': ['etcd-1', ...planes] }, 'quorum-there'],
    ['the survivor hears', { 'etcd-3': ['etcd-1'] }, 'quorum-there'],
    ['a control plane hears', { 'etcd-2': planes.slice(-1) }, 'quorum-there'],
  ])('are asked over the network: those that %s', async (_, heard, expected) => {
    const decided = decide({ ...cutOff, heard });
    if (expected === 'quorum-there') await expect(decided).rejects.toMatchObject({ code: expected });
    else expect((await decided).survivor.host).toBe(expected);
  });
});

test('a control plane asks with the files that its API server has, wherever they are', async () => {
  const files = { certificate: '/own/etcd.crt', key: '/own/etcd.key' };
  const hosts = { ...cutOff, files, heard: { 'etcd-3': planes.slice(-1) } };
  await expect(decide(hosts)).rejects.toMatchObject({ code: 'quorum-there' });
  expect((await decide({ ...hosts, heard: {} })).survivor.host).toBe('etcd-1');
});

test('who has no data is named by the host', async () => {
  await expect(decide({ members: [GONE, GONE, GONE] })).rejects.toThrow('has data (etcd-1);');
});

test.each(['etcd-1', 'etcd-3', 'cp-1'])('a restore that %s has noted is finished first', async (host) => {
  const answers = answersOf({ members: [STOPPED, GONE, GONE] });
  const begun = { id: '20261125T000000Z-12345678', stages: new Map([['unpacked', 'none a=b']]), notedAgo: new Map() };
  const noted = { ...answers, [host]: { ...answers[host], restores: { [RESTORES_KEY]: [begun] } } };
  const looked = lookAtRemains(CLUSTER, (name) => fakeProbe(noted[name] ?? UNREACHABLE, noted, name));
  await expect(looked).rejects.toMatchObject({ code: 'other-restore' });
});

describe('right before the first change', () => {
  test.each<[string, Hosts, readonly Hosts[], number | string]>([
    [
      'once, where every host says that nothing runs',
      { members: [STOPPED, GONE, GONE] },
      [{ members: [STOPPED, GONE, GONE] }],
      1,
    ],
    [
      'once, where the others were fenced, whatever data they have',
      { members: [STOPPED, FENCED, FENCED] },
      [{ members: [STOPPED, FENCED, FENCED] }],
      1,
    ],
    // Ten seconds, and two elections of a second at most.
    [
      'until a restart would have ended, where one runs',
      { members: [STARTS, GONE, GONE] },
      [{ members: [STARTS, GONE, GONE] }],
      13,
    ],
    ['so long, too, where hosts can’t be asked', cutOff, [cutOff], 13],
    [
      'so long, too, where members with data are stopped: their hosts may be booting',
      { members: [STOPPED, STOPPED, GONE] },
      [{ members: [STOPPED, STOPPED, GONE] }],
      13,
    ],
  ])('it is asked %s', async (_, agreed, later, looks) => {
    expect(await ask(agreed, later)).toBe(looks);
  });

  test.each<[string, Hosts, readonly Hosts[]]>([
    ['serves by then', cutOff, [{ members: [SERVES, 'away', 'away'] }]],
    [
      'was just being restarted',
      { members: [STARTS, STARTS, 'away'] },
      [{ members: [STARTS, STARTS, 'away'] }, { members: [STARTS, SERVES, 'away'] }],
    ],
    [
      'was about to be started',
      { members: [STOPPED, STOPPED, GONE] },
      [
        { members: [STOPPED, STOPPED, GONE] },
        { members: [STOPPED, STOPPED, GONE] },
        { members: [STOPPED, SERVES, GONE] },
      ],
    ],
    ['has come back over the network', cutOff, [cutOff, cutOff, { ...cutOff, heard: { 'etcd-3': planes } }]],
    [
      'has come back at the last look',
      cutOff,
      [...Array.from({ length: 12 }, () => cutOff), { ...cutOff, heard: { 'etcd-2': ['etcd-1'] } }],
    ],
  ])('a member that %s ends it', async (_, agreed, later) => {
    expect(await ask(agreed, later)).toBe('quorum-there');
  });

  test.each<[string, Hosts, readonly Hosts[], string]>([
    [
      'a host can’t be asked any more',
      { members: [STOPPED, GONE, GONE] },
      [{ members: [STOPPED, GONE, 'away'] }],
      'plan-stale',
    ],
    [
      'a host can be asked again',
      { members: [STOPPED, 'away', GONE] },
      [{ members: [STOPPED, STOPPED, GONE] }],
      'plan-stale',
    ],
    [
      'the survivor can’t be asked any more',
      { members: [STOPPED, GONE, GONE] },
      [{ members: ['away', GONE, GONE] }],
      'nothing-survives',
    ],
  ])('what was agreed to is not done where %s', async (_, agreed, later, code) => {
    expect(await ask(agreed, later)).toBe(code);
  });

  test('what was agreed to, and what is there now, are both in the refusal', async () => {
    const agreed: Hosts = { members: [STOPPED, GONE, GONE] };
    const { run } = runOf([{ members: [STOPPED, GONE, 'away'] }]);
    const asked = requireStillLost({ cluster: CLUSTER, lost: LOST, decision: await decide(agreed) }, run);
    await expect(asked).rejects.toThrow(
      'agreed to: etcd-1 survives, etcd-2, etcd-3 joined again, nobody left out; now: etcd-1 survives, etcd-2 joined again, etcd-3 left out;',
    );
  });

  test('and what is waited for is reported', async () => {
    const { run, told } = runOf([cutOff]);
    await requireStillLost({ cluster: CLUSTER, lost: LOST, decision: await decide(cutOff) }, run);
    expect(told).toEqual([
      'members and control planes are asked once more whether etcd serves, for 12 s while a member may come back',
    ]);
  });
});
