import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { LEFT, PEERS, story } from '../support/balancer-moves.js';
import {
  listenAt,
  makeBalancerByHand,
  removeBalancerByHand,
  type ByHandBalancer,
} from '../support/by-hand-balancer.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import { endOf, performedChanges, plannedChanges, runVerb, vipOf } from '../support/main-job.js';
import { listed, whileWriting } from '../support/member-counts.js';
import type { PagePlace } from '../support/page.js';
import { waitingActs } from '../support/runbook-acts.js';
import { apiWay } from '../support/writers.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CONTROL_PLANES = ['cp-1', 'cp-2'];

describeOnLab('a balancer that others run', 'external', { etcd: 3, lb: 2, controlPlanes: 2 }, (lab) => {
  /** On a host that the inventory does not name, with two addresses. */
  async function balancerOfOthers(): Promise<ByHandBalancer> {
    const network = (await vipOf(lab)).replace(/\.\d+$/, '');
    const [address = ''] = (await lab.ssh('lb-2', 'hostname -I')).stdout.split(' ');
    return {
      host: 'lb-2',
      addresses: [address, `${network}.98`],
      members: MEMBERS.map((_, index) => `${network}.${11 + index}`),
      name: 'etcd.example.com',
      clients: CONTROL_PLANES,
    };
  }

  /** What API servers are connected to, and what lb-1 has, when the page says that it is so. */
  interface Seen {
    readonly there: string[];
    readonly past: string[];
    left: string;
    /** What etcd lists while a member is gone, and when it is back. */
    readonly members: (readonly string[])[];
  }

  /** The virtual IP of this program is on lb-1, and the page can be worked through. */
  async function placeBehindOurs(byHand: ByHandBalancer, seen: Seen): Promise<PagePlace> {
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    const inventory = join(at.work, 'inventory.yaml');
    const change = (edit: (text: string) => string): void => {
      writeFileSync(inventory, edit(readFileSync(inventory, 'utf8')));
    };
    change((text) => text.replace(/ {8}lb-2:\n.*\n/, ''));
    const ours = readFileSync(inventory, 'utf8');
    const peers = async (): Promise<readonly string[]> =>
      Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, PEERS)).stdout.trim()));
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
      {
        'take etcd_lb_ip out': () => {
          change((text) => text.replace(/ *etcd_lb_ip: .*\n/, ''));
        },
        'rename the group etcd_lb to etcd_lb_former': () => {
          change((text) => text.replace('etcd_lb:', 'etcd_lb_former:'));
        },
        'API servers use the other load balancer': async () => {
          seen.there.push(...(await peers()));
          seen.left = (await lab.ssh('lb-1', LEFT)).stdout;
          await oneLeavesAndComesBack(byHand, inventory, seen);
        },
        'one address of the other load balancer does not answer': () =>
          listenAt(lab, byHand, byHand.addresses.slice(0, 1)),
        'API servers use the members': async () => seen.past.push(...(await peers())),
        'the other load balancer answers again': () => listenAt(lab, byHand, byHand.addresses),
        'name the virtual IP and its load balancers again': () => {
          writeFileSync(inventory, ours);
        },
      },
    );
    const first = await runVerb(lab, 'apply', inventory);
    if (first.status !== 0) throw new Error(endOf(first));
    return at;
  }

  /** The page says so: on the other side by hand, before a member leaves and after one has joined. */
  async function oneLeavesAndComesBack(byHand: ByHandBalancer, inventory: string, seen: Seen): Promise<void> {
    const all = readFileSync(inventory, 'utf8');
    const apply = async (text: string): Promise<void> => {
      writeFileSync(inventory, text);
      const applied = await runVerb(lab, 'apply', inventory);
      if (applied.status !== 0) throw new Error(endOf(applied));
      seen.members.push(await listed(lab));
    };
    const former = `etcd_former:\n  hosts:\n    etcd-3: { ansible_host: ${byHand.members[2] ?? ''} }\n`;
    await listenAt(lab, { ...byHand, members: byHand.members.slice(0, 2) }, byHand.addresses);
    await apply(`${all.replace(/ {8}etcd-3:\n.*\n/, '')}${former}`);
    await apply(all);
    await listenAt(lab, byHand, byHand.addresses);
  }

  test('to it by a name with two addresses, past it, and back, by the runbook, and a member leaves and comes back behind it: no client notices, and nothing of ours is left beside it', async () => {
    const byHand = await balancerOfOthers();
    const seen: Seen = { there: [], past: [], left: '', members: [] };
    const at = await placeBehindOurs(byHand, seen);
    await makeBalancerByHand(lab, byHand);
    const way = await apiWay(lab, 'api', CONTROL_PLANES);
    await whileWriting(lab, [way], 'others', async () => workThroughPage('runbooks/load-balancer-of-others', at));
    await removeBalancerByHand(lab, byHand);

    const [, there, , , bypassed] = await runsAt(at);
    if (there === undefined || bypassed === undefined) throw new Error('no run to another load balancer');
    expect(performedChanges(there)).toEqual(plannedChanges(there));
    const moves = story(there, /static-pod:/);
    expect(moves.slice(0, 2)).toEqual(CONTROL_PLANES.map((host) => `Move off an old virtual IP / ${host}`));
    expect(moves.slice(-2).map((line) => line.split(' / ')[0])).toEqual(Array(2).fill('Repoint the API servers'));
    const at2379 = (addresses: readonly string[]): readonly string[] => addresses.map((address) => `${address}:2379`);
    for (const each of seen.there) expect(at2379(byHand.addresses)).toEqual(expect.arrayContaining(each.split('\n')));
    // Past it, to the members.
    expect(performedChanges(bypassed)).toHaveLength(2);
    for (const each of seen.past) expect(at2379(byHand.members)).toEqual(expect.arrayContaining(each.split('\n')));
    expect(seen.members).toEqual([MEMBERS.slice(0, 2), MEMBERS].map((names) => names.map((name) => `${name} started`)));
    expect([seen.there.length, seen.past.length]).toEqual([2, 2]);
    expect(seen.left).toBe('inactive\ninactive\ndisabled\ndisabled\n');
  });
});
