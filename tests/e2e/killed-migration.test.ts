import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { waitUntil } from '../../src/lab/process.js';
import type { Way } from '../support/cluster-client.js';
import { adopt, createHandMadeCluster, memberctl, type HandMadeCluster } from '../support/hand-made-cluster.js';
import {
  everyPoint,
  killOneAfterTheOther,
  pointsOfThisCommit,
  sweepPage,
  type Killed,
} from '../support/kill-points.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { loseOneAfterTheOther, LOSSES, lostHostsPage } from '../support/lost-hosts.js';
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
import { disturbedRun } from '../support/stopped-run.js';
import { numberOfThisCommit } from '../support/this-commit.mjs';
import { lostWrites, startWriters, tell, waysInto, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const HOSTS = [...MEMBERS, ...CONTROL_PLANES];
const SIZE = { etcd: MEMBERS.length, controlPlanes: CONTROL_PLANES.length, crashPauses: 'kubelet' } as const;
/** `all`: no run makes more than two changes before it is killed (CONTRIBUTING.md). */
const SWEEP = process.env['PROVISION_SWEEP'] === 'all';

/** How the host being changed is lost. Each takes a minute to be noticed: CI tries one of them. */
const lossOfThisCommit = numberOfThisCommit(9, LOSSES.length);

/** What killed runs may leave: half-written files, the lock, masks, half-installed packages. */
const LEFTOVERS = [
  "find /etc /var/lib/etcd -name '.*.??????' ! -name '.placeholder*'",
  'ls -d /run/provision/lock /run/systemd/system/*.service /etc/systemd/system/*/*bootstrap* 2>/dev/null',
  'dpkg --audit',
].join('\n');

/** What must hold when a migration is finished. */
interface Proofs {
  /** Members and API servers answer. */
  readonly isWell: () => Promise<boolean>;
  /** The same, and the virtual IP. */
  readonly isHealthy: () => Promise<boolean>;
  readonly expectFinished: (inventory: string) => Promise<void>;
}

function proofsOn(lab: TestLab, cluster: () => { readonly made: HandMadeCluster; readonly vip: string }): Proofs {
  async function answer(endpoints: readonly string[]): Promise<boolean> {
    const health = memberctl('etcd-1', `--command-timeout=3s --endpoints=${endpoints.join()} endpoint health`);
    if ((await lab.ssh('etcd-1', health)).status !== 0) return false;
    const ready = await Promise.all(CONTROL_PLANES.map(async (host) => lab.ssh(host, READYZ)));
    return ready.every(({ stdout }) => stdout === 'ok');
  }

  const isWell = async (): Promise<boolean> => answer(cluster().made.endpoints);
  const isHealthy = async (): Promise<boolean> =>
    answer([...cluster().made.endpoints, `https://${cluster().vip}:2379`]);

  async function expectFinished(inventory: string): Promise<void> {
    expect(await waitUntil(isHealthy, 60_000, 500)).toBe(true);
    const plan = await runVerb(lab, 'plan', inventory, '--detailed-exitcode');
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    const looked = await Promise.all(HOSTS.map(async (host) => lab.ssh(host, LEFTOVERS)));
    expect(looked.map(({ stdout }) => stdout)).toEqual(HOSTS.map(() => ''));
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${cluster().vip}:2379\n`);
  }

  return { isWell, isHealthy, expectFinished };
}

describeOnLab('an interrupted migration', 'killmig', SIZE, (lab) => {
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
    killed = await killOneAfterTheOther(lab, SWEEP ? everyPoint() : pointsOfThisCommit(16));
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
      const job = 'the migration of an existing live cluster, with writers on its members and its API servers';
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

  test.each(SWEEP ? LOSSES : LOSSES.filter((_, index) => index === lossOfThisCommit))(
    'whose current member $did touches no other one, and is finished by the next run',
    async ({ name, cut, mend }) => {
      const inventory = await inventoryWith(lab, name, [`etcd_cert_alt_names: [${name}.example]`]);
      // At its certificate or at its restart, as the commit says.
      const address = numberOfThisCommit(name.length, 2) === 0 ? /^certificate:/ : /^etcd-member:/;
      const writers = await startWriters(lab, name, ways);
      let host = '';
      const failed = await disturbedRun(
        lab,
        ['apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab)],
        (event) => event.type === 'change-started' && address.test(event.address) && (host = event.host) !== '',
        async () => cut(await lab.host(host)),
      );
      await mend(await lab.host(host));
      expect(failed.status).toBe(EXIT.unreachable);
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

/** Right after each change; and in the middle of each, but for those that end by themselves while the host is cut off. */
const MOMENTS = ['change-done', 'change-started'] as const;

for (const loss of SWEEP ? LOSSES : [])
  for (const [index, type] of MOMENTS.entries())
    describeOnLab(`a migration whose current host ${loss.did}, at ${type}`, `${loss.name}${index}`, SIZE, (lab) => {
      test(
        'goes on with the next run each time, and the last one finishes',
        async () => {
          const made = await createHandMadeCluster(lab);
          await adopt(lab, made);
          const vip = await vipOf(lab);
          const ways = (await waysInto(lab, made, CONTROL_PLANES)).filter(({ begins }) => begins === 'at-once');
          const writers = await startWriters(lab, loss.name, ways, 300);
          const proofs = proofsOn(lab, () => ({ made, vip }));
          const lost = await loseOneAfterTheOther(lab, type, loss, proofs.isWell);
          await proofs.expectFinished(lab.files.inventory);
          const written = await writers.stop();
          // Right after the very last change, a run may be through before it notices.
          const statuses = lost.slice(0, -1).map(({ run }) => run.status);
          expect(statuses).toEqual(statuses.map(() => EXIT.unreachable));
          expect(lost.length).toBeGreaterThan(15);
          expect(await lostWrites(lab, loss.name, ways, written)).toEqual([]);
          await writeFile(`docs/lost-${loss.name}-sweep-${type}.md`, lostHostsPage(loss, type, lost, written));
        },
        3 * 3_600_000,
      );
    });
