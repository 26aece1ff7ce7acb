import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { Way } from '../support/cluster-client.js';
import { LEFT, linesToAdd, PEERS, story, variantOf } from '../support/balancer-moves.js';
import { makeBalancerByHand, removeBalancerByHand } from '../support/by-hand-balancer.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import {
  endOf,
  performedChanges,
  plannedChanges,
  runVerb,
  verifyUntil,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { apiWay, lostWrites, startWriters, tell, type Written } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];

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
  /** Where API servers are connected to, then. */
  readonly past: readonly string[];
  readonly ended: JsonRun;
  readonly settled: JsonRun;
  readonly left: string;
  readonly back: JsonRun;
  readonly written: readonly Written[];
  readonly lost: readonly string[];
  readonly byHand: { readonly addresses: readonly string[]; readonly members: readonly string[] };
}

describeOnLab('a balancer that others run', 'external', { etcd: 3, lb: 2, controlPlanes: 2 }, (lab) => {
  let old: string;
  let way: Way;
  let external: External;

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
    const unnamedThere = await variantOf(lab, 'others-unnamed', (text) => others(text, 'spare'));
    const inventory = await variantOf(lab, 'others', (text) => others(text, 'etcd_lb_former'));
    await makeBalancerByHand(lab, byHand);
    const refused = await runVerb(lab, 'plan', unnamedThere);
    const plan = await runVerb(lab, 'plan', inventory);
    const writers = await startWriters(lab, 'others', [way]);
    const there = await runVerb(lab, 'apply', inventory);
    const peers = await Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, PEERS)).stdout));
    const second = await runVerb(lab, 'plan', inventory);
    const checked = await verifyUntil(lab, inventory);
    const drilled = await lab.provision('drill', inventory, '--yes');
    const bypass = await runVerb(lab, 'bypass', inventory, 'on');
    const past = await Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, PEERS)).stdout));
    const ended = await runVerb(lab, 'bypass', inventory, 'off');
    const settled = await runVerb(lab, 'plan', inventory);
    const left = (await lab.ssh('lb-1', LEFT)).stdout;
    // The lab's own virtual IP, on lb-1 again.
    const back = await runVerb(
      lab,
      'apply',
      await variantOf(lab, 'ours-again', (text) => text.replace(/ {8}lb-2:\n.*\n/, '')),
    );
    const written = await writers.stop();
    const lost = await lostWrites(lab, 'others', [way], written);
    console.log(['to a balancer that others run, and back:', ...written.map(tell)].join('\n  '));
    await removeBalancerByHand(lab, byHand);
    external = {
      refused,
      plan,
      there,
      peers,
      second,
      checked,
      drilled,
      bypass,
      past,
      ended,
      settled,
      left,
      back,
      written,
      lost,
      byHand,
    };
  }

  beforeAll(async () => {
    old = await vipOf(lab);
    const ours = await variantOf(lab, 'ours', (text) => text.replace(/ {8}lb-2:\n.*\n/, ''));
    const first = await runVerb(lab, 'apply', ours);
    if (first.status !== 0) throw new Error(endOf(first));
    way = await apiWay(lab, 'api', CONTROL_PLANES);
    await moveToOthers();
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
    // Past it, to the members, and back through it.
    expect(endOf(external.bypass)).toMatch(/^status 0/);
    expect(performedChanges(external.bypass)).toHaveLength(2);
    const members = external.byHand.members.map((address) => `${address}:2379`);
    for (const each of external.past) expect(members).toEqual(expect.arrayContaining(each.trim().split('\n')));
    expect(endOf(external.ended)).toMatch(/^status 0/);
    expect(plannedChanges(external.settled)).toEqual([]);
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
});
