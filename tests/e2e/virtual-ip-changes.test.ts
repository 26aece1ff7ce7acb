import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab, type Ended } from '../support/lab.js';
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
import { LEFT, linesToAdd, PEERS, story, variantOf } from '../support/balancer-moves.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';
import { apiWay, lostWrites, startWriters, tell, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const BALANCERS = ['lb-1', 'lb-2'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
describeOnLab('changes around the virtual IP', 'vipchange', { etcd: 3, lb: 2, controlPlanes: 2 }, (lab) => {
  let unnamed: JsonRun;
  let killed: DisturbedRun;
  let moved: JsonRun;
  let movedWhile: readonly Written[];
  let lostThen: readonly string[];
  let again: JsonRun;
  let freed: readonly string[];
  let grown: JsonRun;
  let drill: Ended;
  let verified: Ended;
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

  /** The balancers move from the members to one host, in a run that is killed, and in one that finishes. */
  async function moveBalancers(): Promise<void> {
    const alone = (text: string): string => text.replace(/ {8}lb-2:\n.*\n/, '');
    const refused = await variantOf(lab, 'unnamed', alone);
    unnamed = await runVerb(lab, 'plan', refused);
    // Just what the refusal says, at the end of the file.
    const inventory = await variantOf(lab, 'moved', (text) => `${alone(text)}${linesToAdd(unnamed)}\n`);
    const writers = await startWriters(lab, 'moved', [way]);
    killed = await disturbedRun(
      lab,
      ['apply', inventory, '--yes', '--passphrase-file', await passphraseFile(lab)],
      (event) => event.type === 'change-done' && event.play === 'Free former load balancers',
      (kill) => {
        kill('SIGKILL');
      },
    );
    moved = await runVerb(lab, 'apply', inventory);
    movedWhile = await writers.stop();
    lostThen = await lostWrites(lab, 'moved', [way], movedWhile);
    console.log(['the balancers move, in two runs:', ...movedWhile.map(tell)].join('\n  '));
    again = await runVerb(lab, 'plan', inventory);
    freed = await Promise.all(MEMBERS.map(async (host) => (await lab.ssh(host, LEFT)).stdout));
  }

  beforeAll(async () => {
    old = await vipOf(lab);
    next = old.replace(/\d+$/, '99');
    const first = await runVerb(
      lab,
      'apply',
      await variantOf(lab, 'on-members', (text) => text.replace('etcd_lb:', 'spare:')),
    );
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', CONTROL_PLANES);
    await moveBalancers();
    grown = await runVerb(lab, 'apply');
    drill = await lab.provision('drill', lab.files.inventory, '--yes');
    verified = await verifyUntil(lab);
  });

  test('balancers that moved without being named are refused, with the lines that name them', () => {
    expect(unnamed.status).toBe(EXIT.unsafe);
    expect(linesToAdd(unnamed)).toBe(`etcd_lb_former:\n  hosts:\n${MEMBERS.map((host) => `    ${host}:`).join('\n')}`);
  });

  test('the balancers move: API servers leave first, the old hosts are freed, and no client notices, not even a kill', () => {
    expect(plannedChanges(killed).filter((line) => line.includes('freed-balancer:'))).toHaveLength(3);
    expect(killed.status).toBe(137);
    expect(story(killed, /static-pod:/)).toEqual(
      CONTROL_PLANES.map((host) => `Move off former load balancers / ${host}`),
    );
    expect(endOf(moved)).toMatch(/^status 0/);
    expect(story(moved, /static-pod:/)).toEqual(CONTROL_PLANES.map((host) => `Repoint the API servers / ${host}`));
    expect(movedWhile.flatMap(({ failed }) => failed)).toEqual([]);
    expect(movedWhile[0]?.acknowledged.length).toBeGreaterThan(50);
    expect(lostThen).toEqual([]);
    expect(plannedChanges(again)).toEqual([]);
    expect(freed).toEqual(MEMBERS.map(() => 'inactive\ninactive\ndisabled\ndisabled\n'));
  });

  test('a second balancer joins the one that serves, and a drill and verify pass there', () => {
    expect(endOf(grown)).toMatch(/^status 0/);
    expect(endOf(drill)).toMatch(/^status 0/);
    expect(drill.stdout).toMatch(/^haproxy on lb-\d /m);
    expect(endOf(verified)).toMatch(/^status 0/);
  });

  test('the API servers leave the old address one by one, before it goes, and no client notices', async () => {
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
  });

  test('the same for the port', async () => {
    const inventory = await inventoryWith(lab, 'port', ['etcd_lb_port: 12379']);
    await lab.onControlSide(['sed', '-i', `s/etcd_lb_ip: .*/etcd_lb_ip: ${next}/`, inventory]);
    await applyWhileWriting('port', inventory);
    await expectNobodyNoticed('port');
    for (const host of CONTROL_PLANES) expect((await lab.ssh(host, PEERS)).stdout).toBe(`${next}:12379\n`);
  });
});
