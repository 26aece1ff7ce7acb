import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
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
import { makeBalancerByHand, removeBalancerByHand } from '../support/by-hand-balancer.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';
import { apiWay, lostWrites, startWriters, tell, type Written } from '../support/writers.js';

jest.setTimeout(240_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const BALANCERS = ['lb-1', 'lb-2'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];
const PEERS =
  "ss -Htnp state established | grep kube-apiserver | awk '{print $4}' | grep -E ':(2379|12379)$' | sort -u";

/** What of a load balancer runs, starts at boot, or is there. */
const LEFT = [
  'systemctl is-active haproxy keepalived; systemctl is-enabled haproxy keepalived',
  'ls /etc/haproxy/haproxy.cfg /etc/haproxy/etcd-* /etc/keepalived/keepalived.conf /usr/local/lib/provision/* /etc/sysctl.d/60-provision* 2>/dev/null',
].join('; ');

/** `play / host` of the changes of some resources, in the order in which they were made. */
function story(run: JsonRun, addresses: RegExp): readonly string[] {
  const lines = performedChanges(run).filter((line) => addresses.test(line));
  return lines.map((line) => line.split(' / ').slice(0, 2).join(' / '));
}

/** The lines that a refusal says to add to the inventory. */
function linesToAdd({ stdout }: JsonRun): string {
  return /etcd_lb_former:\n {2}hosts:\n(?: {4}[\w-]+:\n?)+/.exec(stdout.replaceAll('\\n', '\n'))?.[0].trimEnd() ?? '';
}

/** What clients call the balancer that others run. */
const OTHERS = 'balancer.example';

/** To a balancer that others run, and back. */
interface External {
  readonly refused: JsonRun;
  readonly plan: JsonRun;
  readonly there: JsonRun;
  readonly peers: readonly string[];
  readonly second: JsonRun;
  readonly checked: Ended;
  readonly drilled: Ended;
  readonly bypass: JsonRun;
  readonly left: string;
  readonly back: JsonRun;
  readonly written: readonly Written[];
  readonly lost: readonly string[];
  readonly byHand: { readonly addresses: readonly string[] };
}

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
  let external: External;
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

  async function variant(name: string, change: (text: string) => string): Promise<string> {
    const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
    await writeFile(file, change(await readFile(lab.files.inventory, 'utf8')));
    return file;
  }

  /** The balancers move from the members to one host, in a run that is killed, and in one that finishes. */
  async function moveBalancers(): Promise<void> {
    const alone = (text: string): string => text.replace(/ {8}lb-2:\n.*\n/, '');
    const refused = await variant('unnamed', alone);
    unnamed = await runVerb(lab, 'plan', refused);
    // Just what the refusal says, at the end of the file.
    const inventory = await variant('moved', (text) => `${alone(text)}${linesToAdd(unnamed)}\n`);
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

  /** To a balancer that others run, and back, while the API servers are written to. */
  async function moveToOthers(): Promise<void> {
    const network = old.replace(/\.\d+$/, '');
    const [address = ''] = (await lab.ssh('lb-2', 'hostname -I')).stdout.split(' ');
    const members = MEMBERS.map((_, index) => `${network}.${11 + index}`);
    const byHand = {
      host: 'lb-2',
      addresses: [address, `${network}.98`],
      members,
      name: OTHERS,
      clients: CONTROL_PLANES,
    };
    const others = (text: string, group: string): string =>
      text
        .replace(/ {8}lb-2:\n.*\n/, '')
        .replace('etcd_lb:', `${group}:`)
        .replace(/ {4}etcd_lb_ip: .*\n/, '    etcd_lb_provider: external\n')
        .replace(/etcd_lb_host: .*/, `etcd_lb_host: ${OTHERS}`);
    const unnamedThere = await variant('others-unnamed', (text) => others(text, 'spare'));
    const inventory = await variant('others', (text) => others(text, 'etcd_lb_former'));
    await makeBalancerByHand(lab, byHand);
    const refused = await runVerb(lab, 'plan', unnamedThere);
    const plan = await runVerb(lab, 'plan', inventory);
    const writers = await startWriters(lab, 'others', [way]);
    const there = await runVerb(lab, 'apply', inventory);
    const peers = await Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, PEERS)).stdout));
    const second = await runVerb(lab, 'plan', inventory);
    const checked = await verifyUntil(lab, inventory);
    const drilled = await lab.provision('drill', inventory, '--yes');
    const bypass = await runVerb(lab, 'plan', inventory, '--playbook', 'bypass');
    const left = (await lab.ssh('lb-1', LEFT)).stdout;
    // The lab's own virtual IP, on lb-1 again.
    const back = await runVerb(
      lab,
      'apply',
      await variant('ours-again', (text) => text.replace(/ {8}lb-2:\n.*\n/, '')),
    );
    const written = await writers.stop();
    const lost = await lostWrites(lab, 'others', [way], written);
    console.log(['to a balancer that others run, and back:', ...written.map(tell)].join('\n  '));
    await removeBalancerByHand(lab, byHand);
    external = { refused, plan, there, peers, second, checked, drilled, bypass, left, back, written, lost, byHand };
  }

  beforeAll(async () => {
    old = await vipOf(lab);
    next = old.replace(/\d+$/, '99');
    const first = await runVerb(
      lab,
      'apply',
      await variant('on-members', (text) => text.replace('etcd_lb:', 'spare:')),
    );
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', CONTROL_PLANES);
    await moveBalancers();
    await moveToOthers();
    grown = await runVerb(lab, 'apply');
    drill = await lab.provision('drill', lab.files.inventory, '--yes');
    verified = await verifyUntil(lab);
  }, 900_000);

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

  test('to a balancer that others run, by a name with two addresses, and back: no client notices', () => {
    expect(endOf(external.there)).toMatch(/^status 0/);
    expect(performedChanges(external.there)).toEqual(plannedChanges(external.plan));
    const moves = story(external.there, /static-pod:/);
    expect(moves.slice(0, 2)).toEqual(CONTROL_PLANES.map((host) => `Move off an old virtual IP / ${host}`));
    expect(moves.slice(-2).map((line) => line.split(' / ')[0])).toEqual(Array(2).fill('Repoint the API servers'));
    for (const each of external.peers)
      expect(external.byHand.addresses.map((address) => `${address}:2379`)).toEqual(
        expect.arrayContaining(each.trim().split('\n')),
      );
    expect(plannedChanges(external.second)).toEqual([]);
    expect(external.checked.status === 0 ? '' : endOf(external.checked)).toBe('');
    expect(external.checked.stdout).toContain('external-load-balancer');
    expect(plannedChanges(external.bypass)).toHaveLength(2);
    expect(endOf(external.back)).toMatch(/^status 0/);
    expect(external.written.flatMap(({ failed }) => failed)).toEqual([]);
    expect(external.lost).toEqual([]);
  });

  test('nothing of ours is left beside it: it is named, or the plan is refused; and a drill is refused', () => {
    expect(external.refused.status).toBe(EXIT.unsafe);
    expect(linesToAdd(external.refused)).toBe('etcd_lb_former:\n  hosts:\n    lb-1:');
    expect(external.left).toBe('inactive\ninactive\ndisabled\ndisabled\n');
    expect(external.drilled.status).toBe(EXIT.unsafe);
    expect(external.drilled.stderr + external.drilled.stdout).toContain(
      'others run the load balancer of etcd (balancer.example)',
    );
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
