import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { adopt, createHandMadeCluster, type HandMadeCluster } from '../support/hand-made-cluster.js';
import { killAt, partOfThisCommit, pointsOfPlays } from '../support/kill-points.js';
import { APISERVER_PEERS, APISERVER_READY, createKubernetes, kubectl, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, must, plannedChanges, runVerb, vipOf, type JsonRun } from '../support/main-job.js';
import { startWatcher, unseen, type Watched } from '../support/watchers.js';
import { gapsMs, lostWrites, startWriters, tell, waysInto, type Written } from '../support/writers.js';

// The job that this program is for, where kubelets are real: the cluster of kubernetes-repoint.test.ts moves with no fault on the way.

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];

/** Longer is an outage, to a client that has another server to ask. The aim is one second on an idle machine. */
const OUTAGE_MS = 3_000;
/** The client of one API server alone waits for its restart. */
const PATIENCE_MS = 120_000;

/** kubeadm looks for none by itself: the lab has no way out. */
const NEXT_RELEASE = 'v1.20.3';

/** Kills every API server that comes, until none comes for a while: after the second crash the kubelet waits 10 s. */
const UNTIL_PAUSED =
  'n=0; while [ $n -lt 4 ]; do if pkill -KILL -x kube-apiserver; then n=0; else n=$((n + 1)); fi; sleep 1; done';

/** A commit has one of them; a sweep has both. */
const STORIES = [
  { name: 'in one run', suffix: 'kmig0', kills: [] },
  {
    name: 'killed on the way, in each part',
    suffix: 'kmig1',
    // With the number of changes that each has at least.
    kills: pointsOfPlays({ 'Load balancer': 8, 'etcd members': 6, 'Repoint the API servers': 2 }),
  },
];

describe.each(partOfThisCommit(20)(STORIES, 1))('a live cluster of kubeadm that moves: $name', ({ suffix, kills }) => {
  const size = { etcd: 3, controlPlanes: CONTROL_PLANES.length, kubernetes: 'real' } as const;
  describeOnLab('behind the virtual IP', suffix, size, (lab) => {
    let made: HandMadeCluster;
    let vip = '';
    let ways: readonly Way[];
    let before: readonly string[];
    let runs: readonly JsonRun[];
    let written: readonly Written[];
    let watched: readonly Watched[];

    /** Each API server's connections to etcd, one after the other. */
    const peers = async (): Promise<readonly string[]> =>
      Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, APISERVER_PEERS)).stdout));

    async function waysOfAll(): Promise<readonly Way[]> {
      const all = await waysInto(lab, made, CONTROL_PLANES);
      const api = all.find(({ kind }) => kind === 'api');
      if (api === undefined) throw new Error('no way through the API');
      const each = api.endpoints.map((endpoint, index) => ({
        ...{ ...api, name: CONTROL_PLANES[index] ?? '' },
        ...{ endpoints: [endpoint], patienceMs: PATIENCE_MS },
      }));
      return [...all, ...each];
    }

    async function migrated(): Promise<readonly JsonRun[]> {
      const done: JsonRun[] = [];
      for (const point of kills) done.push((await killAt(lab, point)).run);
      return [...done, await runVerb(lab, 'apply')];
    }

    beforeAll(async () => {
      made = await createHandMadeCluster(lab);
      await createKubernetes(lab, made);
      await adopt(lab, made);
      vip = await vipOf(lab);
      before = await peers();
      ways = await waysOfAll();
      const writers = await startWriters(lab, suffix, ways);
      const watchers = await Promise.all(CONTROL_PLANES.map(async (host) => startWatcher(lab, host)));
      const begun = Date.now();
      runs = await migrated();
      const seconds = ((Date.now() - begun) / 1000).toFixed(1);
      written = await writers.stop();
      watched = await Promise.all(watchers.map(async (watcher) => watcher.stop(objects())));
      const watches = watched.map(
        ({ host, names, begun: times }) => `${host}: ${names.size} objects in ${times} watches`,
      );
      console.log([`moved in ${seconds} s`, ...written.map(tell), ...watches].join('\n'));
    });

    /** The names of all objects that API servers have acknowledged. */
    function objects(): readonly string[] {
      const ofApi = ways.filter(({ kind }) => kind === 'api').map(({ name }) => name);
      return written
        .filter(({ way }) => ofApi.includes(way))
        .flatMap(({ acknowledged }) => acknowledged.map(({ id }) => id));
    }

    /** The hosts on which changes of these addresses were begun, by all runs. */
    function started(address: RegExp): readonly string[] {
      return runs.flatMap(({ events }) =>
        events.flatMap((event) => (event.type === 'change-started' && address.test(event.address) ? [event.host] : [])),
      );
    }

    async function expectMoved(): Promise<void> {
      for (const host of CONTROL_PLANES)
        await until(lab, host, `test "$(${APISERVER_PEERS})" = '${vip}:2379' && ${APISERVER_READY}`);
      await until(
        lab,
        'cp-1',
        `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = ${CONTROL_PLANES.length}`,
      );
      const plan = await runVerb(lab, 'plan', '--detailed-exitcode');
      expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    }

    const onMembers = async (command: string): Promise<unknown> =>
      Promise.all(MEMBERS.map(async (host) => must(lab.ssh(host, command))));

    test('they were connected to the members, the run ends well, and one that was killed is finished by the next', () => {
      for (const each of before) {
        expect(each).not.toBe('');
        expect(each).not.toContain(vip);
      }
      expect(runs.slice(0, -1).map(({ status }) => status)).toEqual(kills.map(() => 137));
      expect(runs.map(endOf).at(-1)).toMatch(/^status 0/);
      expect([...new Set(started(/^static-pod:/))].toSorted()).toEqual(CONTROL_PLANES);
    });

    test('no write is lost or refused; an API server is away once, for its own restart, and nobody else is felt', async () => {
      expect(written.map(({ way, failed }) => [way, failed])).toEqual(ways.map(({ name }) => [name, []]));
      expect(Math.min(...written.map(({ acknowledged }) => acknowledged.length))).toBeGreaterThan(50);
      const outages = written.map((done) => [done.way, gapsMs(done).filter((gap) => gap > OUTAGE_MS).length] as const);
      const moves = started(/^static-pod:/);
      const ownMoves = (way: string): number => moves.filter((host) => host === way).length;
      expect(outages.filter(([way, count]) => count > ownMoves(way))).toEqual([]);
      expect(await lostWrites(lab, suffix, ways, written)).toEqual([]);
    });

    test('a watch ends with its API server, or the member that this one had asked; clients are told of all objects', () => {
      for (const { host, begun } of watched) {
        const restarts = started(/^(etcd-member|static-pod):/).filter(
          (each) => !CONTROL_PLANES.includes(each) || each === host,
        );
        expect(begun).toBeGreaterThan(1);
        expect(begun).toBeLessThanOrEqual(1 + restarts.length);
      }
      for (const each of watched) expect(unseen(each, [...objects(), 'never-made'])).toEqual(['never-made']);
    });

    test('they use the virtual IP, nodes are Ready, and there is nothing left to do', async () => {
      await expectMoved();
    });

    test('kubeadm reads a configuration in step: its next upgrade changes the images alone', async () => {
      const configuration = await must(lab.ssh('cp-2', 'kubeadm config view'));
      expect(configuration).toMatch(new RegExp(`^ +endpoints:\\n +- https://${vip}:2379\\n`, 'm'));
      const upgrade = await must(lab.ssh('cp-2', `kubeadm upgrade plan ${NEXT_RELEASE}`));
      expect(upgrade).toContain(`kubeadm upgrade apply ${NEXT_RELEASE}`);
      const diff = await must(lab.ssh('cp-2', `kubeadm upgrade diff ${NEXT_RELEASE}`));
      const changed = diff.split('\n').filter((line) => /^[-+] /.test(line));
      // In whatever order it has read the manifests.
      expect(changed.map((line) => line.replace(/:v.*/, '')).toSorted()).toEqual(
        ['+', '-'].flatMap((sign) =>
          ['apiserver', 'controller-manager', 'scheduler'].map((name) => `${sign}    image: lab.invalid/kube-${name}`),
        ),
      );
    });

    // One of the stories is long enough without it.
    if (kills.length === 0)
      test('without load balancer, a bypass gets API servers out of the pause after their crashes; then it ends', async () => {
        await onMembers('systemctl stop keepalived haproxy');
        await Promise.all(CONTROL_PLANES.map(async (host) => must(lab.ssh(host, UNTIL_PAUSED))));
        expect(endOf(await runVerb(lab, 'bypass', lab.files.inventory, 'on'))).toMatch(/^status 0/);
        for (const each of await peers()) {
          expect(each).toContain(':2379');
          expect(each).not.toContain(vip);
        }
        await onMembers('systemctl start haproxy keepalived');
        expect(endOf(await runVerb(lab, 'bypass', lab.files.inventory, 'off'))).toMatch(/^status 0/);
        await expectMoved();
      });
  });
});
