import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { KeptRun } from '../../src/report/journal.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import {
  endOf,
  holdersOf,
  inventoryWith,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
  verifyUntil,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { whileWriting } from '../support/member-counts.js';
import { waitingActs } from '../support/runbook-acts.js';
import { LEFT, linesToAdd, PEERS, story, variantOf } from '../support/balancer-moves.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';
import { apiWay, lostWrites, startWriters, tell, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const BALANCERS = ['lb-1', 'lb-2'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
describeOnLab('changes around the virtual IP', 'vipchange', { etcd: 3, lb: 2, controlPlanes: 2 }, (lab) => {
  let grown: JsonRun;
  let drill: Ended;
  let unnamed: JsonRun;
  let killed: DisturbedRun;
  let moved: KeptRun | undefined;
  let freed: readonly string[];
  let old: string;
  let next: string;
  let way: Way;
  let planned: JsonRun;
  let applied: JsonRun;
  let done: readonly Written[];

  async function applyWhileWriting(run: string, inventory: string): Promise<void> {
    planned = await runVerb(lab, 'plan', inventory);
    const writers = await startWriters(lab, run, [way]);
    applied = await runVerb(lab, 'apply', inventory);
    done = await writers.stop();
    console.log([`${run}:`, ...done.map(tell)].join('\n  '));
  }

  async function expectNobodyNoticed(run: string): Promise<void> {
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(performedChanges(applied)).toEqual(plannedChanges(planned));
    expect(done.flatMap(({ failed }) => failed)).toEqual([]);
    expect(done[0]?.acknowledged.length).toBeGreaterThan(50);
    expect(await lostWrites(lab, run, [way], done)).toEqual([]);
  }

  /** The balancers move from the members to other hosts by the runbook, in a run that is killed, and in one that finishes. */
  async function moveBalancers(): Promise<void> {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    await cp(join(lab.files.inventory, '../pki'), join(at.work, 'pki'), { recursive: true });
    const kill = async (): Promise<void> => {
      killed = await disturbedRun(
        lab,
        ['apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab)],
        (event) => event.type === 'change-done' && event.play === 'Free former load balancers',
        (signal) => {
          signal('SIGKILL');
        },
      );
    };
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      { 'a run ends in the middle': kill },
    );
    await whileWriting(lab, [way], 'moved', async () => workThroughPage('runbooks/other-load-balancers', at));
    moved = (await runsAt(at)).at(-1);
    freed = await Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, LEFT)).stdout));
  }

  beforeAll(async () => {
    old = await vipOf(lab);
    next = old.replace(/\d+$/, '99');
    const only = '    etcd_lb:\n      hosts:\n        etcd-1:\n';
    const one = await variantOf(lab, 'on-one', (text) => `${text.replace('etcd_lb:', 'spare:')}${only}`);
    const first = await runVerb(lab, 'apply', one);
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', CONTROL_PLANES);
    const members = await variantOf(lab, 'on-members', (text) => text.replace('etcd_lb:', 'spare:'));
    grown = await runVerb(lab, 'apply', members);
    drill = await lab.provision('drill', members, '--yes');
    await verifyUntil(lab, members);
    unnamed = await runVerb(lab, 'plan');
    await moveBalancers();
  });

  test('balancers that moved without being named are refused, with the lines that name them', () => {
    expect(unnamed.status).toBe(EXIT.unsafe);
    expect(linesToAdd(unnamed)).toBe(`etcd_lb_former:\n  hosts:\n${MEMBERS.map((host) => `    ${host}:`).join('\n')}`);
  });

  test('the balancers move by the runbook: API servers leave first, the old hosts are freed, and no client notices, not even a kill', () => {
    expect(plannedChanges(killed).filter((line) => line.includes('freed-balancer:'))).toHaveLength(3);
    expect(killed.status).toBe(137);
    expect(story(killed, /static-pod:/)).toEqual(
      CONTROL_PLANES.map((host) => `Move off former load balancers / ${host}`),
    );
    expect(story(moved ?? { events: [] }, /static-pod:/)).toEqual(
      CONTROL_PLANES.map((host) => `Repoint the API servers / ${host}`),
    );
    expect(freed).toEqual(MEMBERS.map(() => 'inactive\ninactive\ndisabled\ndisabled\n'));
  });

  test('more balancers join the one that serves, and a drill passes there', () => {
    expect(endOf(grown)).toMatch(/^status 0/);
    expect(endOf(drill)).toMatch(/^status 0/);
    expect(drill.stdout).toMatch(/^haproxy on etcd-\d /m);
  });

  test('the API servers leave the old address one by one, before it goes, and no client notices; and so for the port', async () => {
    const inventory = await inventoryWith(lab, 'address', []).then(async (file) => {
      const renamed = 's/etcd_lb_host: .*/etcd_lb_host: renamed.example/';
      await lab.onControlSide(['sed', '-i', `s/etcd_lb_ip: .*/etcd_lb_ip: ${next}/; ${renamed}`, file]);
      return file;
    });
    // Without the balancers: the members' new certificates do not name the old address, so nobody may use it by then.
    const alone = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'etcd'));
    expect(alone.slice(0, 2).map((line) => line.split(' / ').slice(0, 2).join(' / '))).toEqual([
      'Move off an old virtual IP / cp-1',
      'Move off an old virtual IP / cp-2',
    ]);
    await applyWhileWriting('address', inventory);
    await expectNobodyNoticed('address');
    const moves = performedChanges(applied).filter((line) => line.includes('static-pod:'));
    expect(moves.map((line) => line.split(' / ').slice(0, 2).join(' / '))).toEqual([
      'Move off an old virtual IP / cp-1',
      'Move off an old virtual IP / cp-2',
      'Repoint the API servers / cp-1',
      'Repoint the API servers / cp-2',
    ]);
    expect(await holdersOf(lab, BALANCERS, old)).toEqual([]);
    expect(await holdersOf(lab, BALANCERS, next)).toHaveLength(1);
    const names = `echo | openssl s_client -connect ${next}:2379 2>/dev/null | openssl x509 -noout -ext subjectAltName`;
    expect((await lab.ssh('cp-1', names)).stdout).toContain('DNS:renamed.example');
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, PEERS)).stdout).toBe(`${next}:2379\n`);
    const again = await runVerb(lab, 'plan', inventory);
    expect(plannedChanges(again)).toEqual([]);

    // The same for the port.
    const ported = await inventoryWith(lab, 'port', ['etcd_lb_port: 12379']);
    await lab.onControlSide(['sed', '-i', `s/etcd_lb_ip: .*/etcd_lb_ip: ${next}/`, ported]);
    await applyWhileWriting('port', ported);
    await expectNobodyNoticed('port');
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, PEERS)).stdout).toBe(`${next}:12379\n`);
  });
});
