import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { cutNetwork, powerCut, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { waitUntil } from '../../src/lab/process.js';
import { adopt, createHandMadeCluster, memberctl, type HandMadeCluster } from '../support/hand-made-cluster.js';
import {
  everyPoint,
  killOneAfterTheOther,
  numberOfThisCommit,
  pointsOfThisCommit,
  sweepPage,
  type Killed,
} from '../support/kill-points.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  inventoryWith,
  passphraseFile,
  plannedChanges,
  READYZ,
  runVerb,
  vipOf,
} from '../support/main-job.js';
import { disturbedApply, disturbedRun } from '../support/stopped-run.js';
import { lostWrites, startWriters, tell, waysInto, type Written } from '../support/writers.js';
import type { Way } from '../support/write-on.js';

jest.setTimeout(10 * 60_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const HOSTS = [...MEMBERS, ...CONTROL_PLANES];
/** `all`: no run makes more than one change before it is killed (CONTRIBUTING.md). */
const SWEEP = process.env['PROVISION_SWEEP'] === 'all';

/** How the host in hand is lost. Each takes a minute to be noticed: CI tries one of them. */
const CUTS = [
  { by: 'the network of the member in hand', name: 'network', cut: cutNetwork, mend: restoreNetwork },
  { by: 'the power of the member in hand', name: 'power', cut: powerCut, mend: startHost },
];
const cutOfThisCommit = await numberOfThisCommit(9, CUTS.length);

/** What killed runs may leave: half-written files, the lock, masks, half-installed packages. */
const LEFTOVERS = [
  "find /etc /var/lib/etcd -name '.*.??????' ! -name '.placeholder*'",
  'ls -d /run/lock/provision /run/systemd/system/*.service /etc/systemd/system/*/*bootstrap* 2>/dev/null',
  'dpkg --audit',
].join('\n');

/** What must hold when a migration is finished. */
interface Proofs {
  readonly isHealthy: () => Promise<boolean>;
  readonly expectFinished: (inventory: string) => Promise<void>;
}

function proofsOn(lab: TestLab, cluster: () => { readonly made: HandMadeCluster; readonly vip: string }): Proofs {
  async function isHealthy(): Promise<boolean> {
    const { made, vip } = cluster();
    const endpoints = [...made.endpoints, `https://${vip}:2379`].join(',');
    const health = memberctl('etcd-1', `--command-timeout=3s --endpoints=${endpoints} endpoint health`);
    if ((await lab.ssh('etcd-1', health)).status !== 0) return false;
    const ready = await Promise.all(CONTROL_PLANES.map(async (host) => lab.ssh(host, READYZ)));
    return ready.every(({ stdout }) => stdout === 'ok');
  }

  async function expectFinished(inventory: string): Promise<void> {
    expect(await waitUntil(isHealthy, 60_000, 500)).toBe(true);
    const plan = await runVerb(lab, 'plan', inventory, '--detailed-exitcode');
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    const looked = await Promise.all(HOSTS.map(async (host) => lab.ssh(host, LEFTOVERS)));
    expect(looked.map(({ stdout }) => stdout)).toEqual(HOSTS.map(() => ''));
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${cluster().vip}:2379\n`);
  }

  return { isHealthy, expectFinished };
}

describeOnLab('a migration that is cut off', 'killmig', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let made: HandMadeCluster;
  let vip: string;
  let ways: readonly Way[];
  let killed: readonly Killed[];
  let meanwhile: readonly Written[];

  const { isHealthy, expectFinished } = proofsOn(lab, () => ({ made, vip }));

  beforeAll(async () => {
    made = await createHandMadeCluster(lab);
    await adopt(lab, made);
    vip = await vipOf(lab);
    ways = (await waysInto(lab, made, CONTROL_PLANES)).filter(({ begins }) => begins === 'at-once');
    const writers = await startWriters(lab, 'killed', ways, SWEEP ? 200 : 30);
    killed = await killOneAfterTheOther(lab, SWEEP ? everyPoint() : await pointsOfThisCommit(16));
    const last = killed.at(-1)?.run;
    if (last?.status === 137) {
      const finish = await runVerb(lab, 'apply');
      if (finish.status !== 0) throw new Error(endOf(finish));
    } else if (last?.status !== 0) throw new Error(last === undefined ? 'nothing ran' : endOf(last));
    meanwhile = await writers.stop();
    console.log(['killed and run again:', ...meanwhile.map(tell)].join('\n  '));
  }, 60 * 60_000);

  test('by kill -9 is finished by the next run', async () => {
    expect(killed.filter(({ run }) => run.status === 137).length).toBeGreaterThanOrEqual(SWEEP ? 50 : 1);
    await expectFinished(lab.files.inventory);
    if (SWEEP) {
      const job = 'the migration of a live cluster that others made, with writers on its members and its API servers';
      await writeFile(
        'docs/killed-migration-sweep.md',
        sweepPage('A migration killed after each single change', job, killed),
      );
    }
  });

  test('by kill -9 is noticed by no client, and loses nothing', async () => {
    for (const { failed, acknowledged } of meanwhile) {
      expect(failed).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(100);
    }
    expect(await lostWrites(lab, 'killed', ways, meanwhile)).toEqual([]);
  });

  test.each(SWEEP ? CUTS : CUTS.filter((_, index) => index === cutOfThisCommit))(
    'by $by touches no other one, and is finished by the next run',
    async ({ name, cut, mend }) => {
      const inventory = await inventoryWith(lab, name, [`etcd_cert_alt_names: [${name}.example]`]);
      // At its certificate or at its restart, as the commit says.
      const address = (await numberOfThisCommit(name.length, 2)) === 0 ? /^certificate:/ : /^etcd-member:/;
      const writers = await startWriters(lab, name, ways);
      let host = '';
      const failed = await disturbedRun(
        lab,
        ['apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab)],
        (event) => event.type === 'change-started' && address.test(event.address) && (host = event.host) !== '',
        async () => cut(await lab.host(host)),
      );
      await mend(await lab.host(host));
      expect(failed.status).toBe(1);
      expect(failed.events.at(-1)).toMatchObject({ type: 'run-failed', failures: [{ host }] });
      expect(new Set(failed.events.flatMap((event) => (event.type === 'change-started' ? [event.host] : [])))).toEqual(
        new Set([host]),
      );
      expect(await waitUntil(isHealthy, 120_000, 500)).toBe(true);
      expect(endOf(await runVerb(lab, 'apply', inventory))).toMatch(/^status 0/);
      await expectFinished(inventory);
      const written = await writers.stop();
      console.log([`cut off by ${name}, ${failed.endedAfterMs} ms:`, ...written.map(tell)].join('\n  '));
      expect(await lostWrites(lab, name, ways, written)).toEqual([]);
    },
  );
});

/** One change of each kind that a migration makes, in its order. */
const KINDS = [
  /^sysctl:/,
  /^packages:haproxy/,
  /^certificate:.*haproxy/,
  /^file:.*haproxy\.cfg$/,
  /^service:haproxy$/,
  /^packages:keepalived/,
  /^file:.*keepalived\.conf$/,
  /^service:keepalived$/,
  /^certificate:.*etcd-\d-dev/,
  /^etcd-member:/,
  /^static-pod:/,
  /^config-map:/,
];

for (const loss of SWEEP ? CUTS : [])
  describeOnLab(`a migration that loses ${loss.by}`, loss.name, { etcd: 3, controlPlanes: 2 }, (lab) => {
    test('at each kind of change: the next run goes on, and the last one finishes', async () => {
      const made = await createHandMadeCluster(lab);
      await adopt(lab, made);
      const vip = await vipOf(lab);
      const ways = (await waysInto(lab, made, CONTROL_PLANES)).filter(({ begins }) => begins === 'at-once');
      const writers = await startWriters(lab, loss.name, ways, 200);
      const health = memberctl('etcd-1', `--command-timeout=3s --endpoints=${made.endpoints.join()} endpoint health`);
      const told: string[] = [];
      for (const kind of KINDS) {
        let hit = { host: '', summary: '' };
        const lost = await disturbedApply(
          lab,
          (event) => event.type === 'change-started' && kind.test(event.address) && (hit = event).host !== '',
          async () => loss.cut(await lab.host(hit.host)),
        );
        expect([kind.source, lost.status, hit.host === '']).toEqual([kind.source, 1, false]);
        told.push(`${hit.host}: ${hit.summary.slice(0, 70)} (ended after ${Math.round(lost.endedAfterMs / 1000)} s)`);
        console.log(told.at(-1));
        await loss.mend(await lab.host(hit.host));
        expect(await waitUntil(async () => (await lab.ssh('etcd-1', health)).status === 0, 120_000, 500)).toBe(true);
      }
      expect(endOf(await runVerb(lab, 'apply'))).toMatch(/^status 0/);
      await proofsOn(lab, () => ({ made, vip })).expectFinished(lab.files.inventory);
      const written = await writers.stop();
      console.log([`lost by ${loss.name}:`, ...told, ...written.map(tell)].join('\n  '));
      expect(await lostWrites(lab, loss.name, ways, written)).toEqual([]);
    }, 3_600_000);
  });
