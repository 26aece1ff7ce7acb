import { describe, expect, test } from '@jest/globals';
import { checkStrayNodes } from '../../../src/checks/stray-nodes.js';
import type { ListedNode, NodeListSeen } from '../../../src/facts/node-list.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { Kubernetes } from '../../../src/model/kubernetes.js';
import { contextOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER, sampleNode } from '../../support/sample-cluster.js';

const [PLANE] = SAMPLE_CLUSTER.controlPlanes;
if (PLANE === undefined) throw new Error('the sample has no control plane');
const PLANES = [1, 2, 3].map((number) => ({ ...PLANE, host: `cp-${number}`, address: `10.0.0.1${number}` }));
const plane = (number: number) => ({ ...sampleNode(`cp-${number}`, 'control-plane'), address: `10.0.0.1${number}` });
const { settings } = SAMPLE_CLUSTER.kubernetes;

function clusterOf(changes: Partial<Kubernetes> = {}): Cluster {
  const nodes = [plane(1), plane(2), plane(3), sampleNode('worker-1', 'worker')];
  return { ...SAMPLE_CLUSTER, controlPlanes: PLANES, kubernetes: { nodes, formerNodes: [], settings, ...changes } };
}

const node = (name: string, address: string, isControlPlane = false): ListedNode => ({
  name,
  addresses: [address],
  isControlPlane,
  isUpgrading: false,
});
const OWN = [node('cp-1', '10.0.0.11', true), node('renamed', '10.0.0.12', true), node('worker-1', '10.9.9.9')];
const STRAY = node('worker-9', '10.0.0.29');

type Said = readonly ListedNode[] | 'silent' | 'away';

async function found(said: readonly Said[], cluster = clusterOf()): Promise<readonly (string | undefined)[]> {
  const hosts = Object.fromEntries(
    PLANES.map(({ host, address }, index): [string, FakeAnswers | typeof UNREACHABLE] => {
      const list = said[index] ?? 'silent';
      if (list === 'away') return [host, UNREACHABLE];
      const seen: NodeListSeen = list === 'silent' ? { kind: 'silent' } : { kind: 'listed', nodes: list };
      return [host, { 'node-list': { [`https://${address}:6443`]: seen } }];
    }),
  );
  return (await checkStrayNodes(contextOf(hosts, { cluster }))).map(({ subject }) => subject);
}

describe('a node without a host', () => {
  test.each([
    [
      'all list it',
      [
        [...OWN, STRAY],
        [...OWN, STRAY],
        [...OWN, STRAY],
      ],
      ['worker-9'],
    ],
    ['most list it', [[...OWN, STRAY], OWN, [...OWN, STRAY]], ['worker-9']],
    ['one lists it', [[...OWN, STRAY], OWN, OWN], []],
    ['one lists it, and others say nothing', [[STRAY, STRAY], 'silent', 'away'], []],
    ['two list it, and one is away', [[STRAY], [STRAY], 'away'], ['worker-9']],
    ['none is', [OWN, OWN, OWN], []],
  ] as const)('%s', async (_, said, names) => {
    expect(await found(said)).toEqual(names);
  });

  test('half of the control planes are not most of them', async () => {
    const two = { ...clusterOf(), controlPlanes: PLANES.slice(0, 2) };
    expect(await found([[...OWN, STRAY], OWN], two)).toEqual([]);
  });

  const all = (...nodes: readonly ListedNode[]): readonly Said[] => [nodes, nodes, nodes];

  test('is known by its address, however written, or by its name', async () => {
    const nodes = [plane(1), { ...sampleNode('w', 'worker'), address: 'fd00:0::2' }];
    expect(await found(all(node('x', 'fd00::2'), node('y', 'fd00::3')), clusterOf({ nodes }))).toEqual(['y']);
  });

  test('is none that is to leave, and none of others', async () => {
    const formerNodes = [{ host: 'old', address: '10.0.0.29' }];
    expect(await found(all(STRAY), clusterOf({ formerNodes }))).toEqual([]);
    const others = (otherNodes: readonly string[]) =>
      found(all(STRAY), clusterOf({ settings: { ...settings, otherNodes } }));
    expect(await others(['worker-9'])).toEqual([]);
    expect(await others(['pool-*', 'w*-9'])).toEqual([]);
    expect(await others(['worker', '*-8', 'worker.9'])).toEqual(['worker-9']);
  });

  test('is no worker where the inventory names none; a control plane is one', async () => {
    const nodes = [plane(1), plane(2), plane(3)];
    const plane4 = node('cp-4', '10.0.0.14', true);
    expect(await found(all(STRAY, plane4), clusterOf({ nodes }))).toEqual(['cp-4']);
  });

  test('is not reported where a host has no address to know its node by', async () => {
    const nodes = [plane(1), { ...sampleNode('w', 'worker'), address: undefined }];
    expect(await found(all(STRAY), clusterOf({ nodes }))).toEqual([]);
  });

  test('comes with what to type', async () => {
    const server = (address: string) => ({
      'node-list': { [`https://${address}:6443`]: { kind: 'listed', nodes: [STRAY] } },
    });
    const hosts = Object.fromEntries(PLANES.map(({ host, address }) => [host, server(address)]));
    const [item] = await checkStrayNodes(contextOf(hosts, { cluster: clusterOf() }));
    expect(item).toEqual({
      check: 'node-without-host',
      subject: 'worker-9',
      verdict: 'warn',
      evidence:
        'Kubernetes has a node worker-9 (10.0.0.29), and no host of the inventory is it: neither in kube_node nor in kube_node_former',
      next: "put its host into the group kube_node_former, then: provision plan inventory.yaml --playbook former-nodes; is it others' node: kube_cluster_other_nodes: [worker-9]",
    });
  });
});
