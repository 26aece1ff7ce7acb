// What a restore, its way back, a recovery and a defragmentation do, as data: plays, hosts, gates, and of each step what is shown and what runs.
import { expect, test } from '@jest/globals';
import { defragPlays } from '../../../src/day-two/defrag-plays.js';
import { recoverPlays } from '../../../src/day-two/recover-plays.js';
import { restorePlays } from '../../../src/day-two/restore-plays.js';
import { takeBackPlays } from '../../../src/day-two/take-back-plays.js';
import { planHost } from '../../../src/engine/planner.js';
import type { Action } from '../../../src/model/action.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { PlannedStep } from '../../../src/model/plan.js';
import type { Command, Fact, Probe } from '../../../src/model/remote.js';
import type { Play } from '../../../src/playbook/play.js';
import { handOver } from '../../../src/resources/etcd-member.js';
import { compactHistory, defragmentMember, disarmNospace } from '../../../src/shell/etcd-space.js';
import * as services from '../../../src/shell/restore-services.js';
import * as data from '../../../src/shell/restore-snapshot.js';
import { healthy } from '../../support/etcd-answers.js';
import { expectGolden } from '../../support/golden.js';
import { SAMPLE_CLUSTER, sampleMember } from '../../support/sample-cluster.js';

const ID = '20261126T010203Z-abcdef12';
const [PLANE] = SAMPLE_CLUSTER.controlPlanes;
if (PLANE === undefined) throw new Error('the sample has a control plane');
const OTHER = { ...PLANE, host: 'cp-2', manifest: '/etc/kubernetes/manifests/other.yaml' };
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: [PLANE, OTHER],
  members: [1, 2, 3].map((number) => ({
    ...sampleMember(number),
    ...{ unit: `etcd${number}`, dataDir: `/data/${number}`, clientUrl: `https://127.0.0.${number}:2379` },
  })),
};
const [M1, M2, M3] = CLUSTER.members;
if (M1 === undefined || M2 === undefined || M3 === undefined) throw new Error('the sample has three members');
const WORKERS = { answering: ['worker-1', 'worker-2'], away: [] };
const SNAPSHOT = { bytes: 7, sha256: 'ab', read: () => (async function* () {})() };
const peerUrls = new Map(CLUSTER.members.map(({ name, address }) => [name, [`https://${address}:2380`]]));
const RESTORE = {
  ...{ id: ID, cluster: CLUSTER, snapshot: SNAPSHOT, label: 'a.db', peerUrls, initialCluster: 'm1=x,m2=y,m3=z' },
  bump: 'revisions',
  workers: WORKERS,
} as const;
const RECOVERY = {
  ...{ id: ID, cluster: CLUSTER, survivor: M2, others: [M1, M3], joined: [] },
  bump: 'none',
  ...{ joining: [], workers: WORKERS },
} as const;
const TOKEN = `${CLUSTER.token}-${ID}`;

/** Scripts by what a person would call them: what a play runs is one of these, for just this host. */
const SCRIPTS = new Map<string, string>([
  ...CLUSTER.members.flatMap((member): [string, string][] => {
    const { host, unit, name } = member;
    const own = { id: ID, member, token: TOKEN, peerUrls: peerUrls.get(name) ?? [] };
    const alone = {
      ...own,
      from: 'own-data',
      bump: 'none',
      initialCluster: `${name}=https://${member.address}:2380`,
    } as const;
    return [
      [
        data.unpackScript({ ...own, from: SNAPSHOT, bump: 'revisions', initialCluster: 'm1=x,m2=y,m3=z' }),
        `unpack the snapshot for ${host}`,
      ],
      [data.unpackScript(alone), `unpack its own data for ${host}`],
      [data.removeUnpackedScript({ id: ID, member }), `remove what was unpacked for ${host}`],
      [data.exchangeScript(ID, member), `exchange the data of ${host}`],
      [data.exchangeBackScript(ID, member), `exchange the data of ${host} back`],
      [data.leaveScript(ID, member), `leave the data of ${host}`],
      [data.fenceScript(ID, member), `fence ${host}`],
      [services.stopMemberScript(ID, unit), `stop ${unit}`],
      ...(['started', 'back-started'] as const).flatMap((stage): [string, string][] => [
        [services.startMemberScript(ID, unit, stage), `start ${unit}, ${stage}`],
        [services.unstartMemberScript(ID, unit, stage), `stop ${unit} again, ${stage}`],
      ]),
      [handOver(member).command.script, `hand over from ${host}`],
      [defragmentMember(member).script, `defragment ${host}`],
      [compactHistory(member, 40).script, `compact before 40 on ${host}`],
      [disarmNospace(member).script, `disarm on ${host}`],
    ];
  }),
  ...CLUSTER.controlPlanes.flatMap(({ host, manifest }): [string, string][] => [
    [services.stopApiserverScript(ID, manifest), `stop the API server of ${host}`],
    [services.unstopApiserverScript(ID, manifest), `put the manifest of ${host} back`],
    [services.startApiserverScript(ID, manifest, 'apiserver-started'), `start the API server of ${host}`],
    [services.startApiserverScript(ID, manifest, 'back-apiserver'), `start the API server of ${host} on the way back`],
  ]),
  [services.restartScript(ID), 'restart what remembers'],
  [services.restartWorkerScript(ID), 'restart a worker'],
  [services.workersRestartedScript(ID), 'note that workers were restarted'],
  [services.finishScript(ID), 'note the end'],
]);

function said({ summary, script, timeoutMs, stdin }: Command): string {
  const limit = timeoutMs === undefined ? '' : `, ${timeoutMs / 1000} s`;
  return `${summary} [${SCRIPTS.get(script) ?? `unknown: ${script}`}${limit}${stdin === undefined ? '' : ', fed'}]`;
}

function linesOf(action: Action): readonly string[] {
  switch (action.kind) {
    case 'run': {
      const { undo } = action;
      const back = typeof undo === 'string' ? undo : 'lasting' in undo ? `stays: ${undo.lasting}` : said(undo);
      return [`run ${said(action.command)}`, `  back: ${back}`];
    }
    case 'run-on-each':
      return [`run on ${action.hosts.join(', ')}: ${said(action.command)}, by hand: ${action.next}`];
    case 'await':
      return [`await ${action.gate} ${JSON.stringify(action.parameters)}`];
    default:
      return [action.kind];
  }
}

function stepLines({ address, outcome }: PlannedStep): readonly string[] {
  if (outcome.kind !== 'change') return [`${address}: ${outcome.kind}`];
  const { summary, effect, disruptive, diff, actions } = outcome.change;
  const felt = disruptive ? ', disruptive' : '';
  return [
    `${address}: ${summary} (${effect}${felt})`,
    ...diff.map((line) => `  | ${line}`),
    ...actions.flatMap(linesOf).map((line) => `  ${line}`),
  ];
}

/** A host on which nothing is done yet; the inode of a member's database is the last letter of its directory. */
function probe(host: string): Probe {
  const answers: Readonly<Record<string, (key: string) => unknown>> = {
    'etcd-database-file': (key) => key.at(-1),
    'etcd-compacted': () => 'no',
    // Notes of this restore alone are looked for.
    paths: (key) => !key.startsWith(`/var/lib/provision/restore/${ID}/`),
    'etcd-status': () => healthy(1, { alarms: ['NOSPACE'] }),
  };
  return {
    host,
    ask: <V>({ name }: Fact<V>, key: string) => Promise.resolve((answers[name]?.(key) ?? false) as V),
    on: probe,
  };
}

/** All of the plays as a text. */
async function textOf(plays: readonly Play[]): Promise<string> {
  const blocks = plays.map(async (play) => {
    const hosts = play.hosts.map(async (host) => {
      const { steps } = await planHost(play, host, { probe, lost: () => new Map() });
      return [`  ${host}`, ...steps.flatMap(stepLines).map((line) => `    ${line}`)];
    });
    const { name, order, batchSize, gatesBefore, gatesAfter } = play;
    const care = `order ${order}, ${batchSize ?? 'all'} at once, before: ${gatesBefore.join(' ') || '-'}, after: ${gatesAfter.join(' ') || '-'}`;
    return [name, `  ${care}`, ...(await Promise.all(hosts)).flat()];
  });
  const text = `${(await Promise.all(blocks)).flat().join('\n')}\n`;
  expect(text).not.toContain('unknown: ');
  return text;
}

test.each<[string, readonly Play[]]>([
  ['restore', restorePlays(RESTORE)],
  ['take-back-stopped', takeBackPlays(ID, CLUSTER, 'were-stopped')],
  ['take-back-running', takeBackPlays(ID, CLUSTER, 'run')],
  ['recover', recoverPlays(RECOVERY)],
])('the plays of %s are as in fixtures/day-two, and run no other scripts than they should', async (name, plays) => {
  expectGolden(`fixtures/day-two/${name}.txt`, await textOf(plays));
});

test.each([
  ['restore', restorePlays({ ...RESTORE, cluster: { ...CLUSTER, controlPlanes: [] } })],
  ['recover', recoverPlays({ ...RECOVERY, cluster: { ...CLUSTER, controlPlanes: [] } })],
  ['take-back', takeBackPlays(ID, { ...CLUSTER, controlPlanes: [] }, 'run')],
])('%s: without control planes there is no play of nobody', (_, plays) => {
  expect(plays.filter(({ hosts }) => hosts.length === 0)).toEqual([]);
  expect(plays.map(({ name }) => name)).not.toContain('Start the API servers');
});

test('the plays of a defragmentation are as in fixtures/day-two, with a larger quota in between', async () => {
  const seen = [M1, M2, M3].map((member, index) => ({
    ...{ member, status: { host: member.host, ...healthy(index + 1) }, quota: 1, inode: String(index + 1) },
  }));
  const raise = { ...restorePlays(RESTORE)[0], name: 'Raise the quota', hosts: [], resources: new Map() } as Play;
  const plays = defragPlays(
    { seen, rule: { percent: 45, leastBytes: 1 }, alarm: 'nospace', compactTo: 40, quota: 'raised', worker: M2 },
    { raiseQuota: [raise], isWithinLimit: (host) => host !== 'etcd-3' },
  );
  expectGolden('fixtures/day-two/defrag.txt', await textOf(plays));
  const usual = defragPlays(
    { seen, rule: { percent: 45, leastBytes: 1 }, alarm: 'none', compactTo: undefined, quota: 'as-it-is', worker: M2 },
    { raiseQuota: [raise], isWithinLimit: () => true },
  );
  expect(usual.map(({ name, hosts }) => [name, hosts])).toEqual([
    ['Defragment the members, one after the other', ['etcd-1', 'etcd-2', 'etcd-3']],
  ]);
});
