import { describe, expect, test } from '@jest/globals';
import { placeOf, readLeft, readNodes } from '../../../src/drill/smoke-answers.js';
import { smokeTest, type SmokeFinding } from '../../../src/drill/smoke-test.js';
import type { World } from '../../../src/engine/world.js';
import { RemoteError } from '../../../src/model/errors.js';
import { outputOf, type Output } from '../../../src/model/remote.js';
import { ADMIN } from '../../../src/shell/kubeadm.js';
import { fakeProbe, UNREACHABLE } from '../../support/fake-probe.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { noDownload } from '../../support/local-transport.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const TAINT = 'node-role.kubernetes.io/control-plane';
const NODE = SAMPLE_CLUSTER.kubernetes.nodes[0];
if (NODE === undefined) throw new Error('the sample has nodes');
const CLUSTER = {
  ...SAMPLE_CLUSTER,
  controlPlanes: SAMPLE_CLUSTER.controlPlanes
    .slice(0, 1)
    .flatMap((each) => ['cp-1', 'cp-2'].map((host) => ({ ...each, host }))),
  kubernetes: { ...SAMPLE_CLUSTER.kubernetes, nodes: ['cp-1', 'cp-2', 'w-1'].map((host) => ({ ...NODE, host })) },
};
const [SERVICE, POD, OTHER] = ['10.96.0.7', '10.244.1.2', '10.244.2.2'];
const LISTED = `N\tcp-1\t${TAINT} \tTrue\nN\tw-1\t\tTrue\nN\tw-2\t\tTrue\n`;
const STARTED = `P\tw-1\t${POD}\nP\tw-2\t${OTHER}\nS\t${SERVICE}\n`;
const ALL = `A ${SERVICE} 5 5\nA ${POD} 5 5\nA ${OTHER} 5 5\n`;

/** What the hosts say, by the beginning of a command's summary; else that all is well. */
type Said = Readonly<Record<string, Output | Error>>;
const USUAL: Said = {
  'cp-1: kubectl get nodes': outputOf(0, LISTED),
  'cp-1: kubectl create': outputOf(0, ''),
  'cp-1: kubectl rollout': outputOf(0, STARTED),
  'cp-1: kubectl delete': outputOf(0, ''),
};

function worldOf(said: Said, { without = [] as readonly string[], ran = [] as string[] } = {}): World {
  const answers = { ...USUAL, ...said };
  return {
    ...fakeWorld(fakeHosts([])),
    newLook: () => ({
      probe: (host) =>
        fakeProbe(host === 'lost' ? UNREACHABLE : { paths: { [ADMIN]: !without.includes(host) } }, {}, host),
      lost: () => new Map(),
    }),
    connector: {
      connect: (host) =>
        Promise.resolve({
          host,
          run({ summary }) {
            const call = `${host}: ${summary}`;
            ran.push(call);
            const [, answer = outputOf(0, ALL)] =
              Object.entries(answers).find(([begin]) => call.startsWith(begin)) ?? [];
            return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
          },
          download: noDownload,
          close: () => Promise.resolve(),
        }),
      close: () => Promise.resolve(),
    },
  };
}

const LOST = new RemoteError({ code: 'connection-lost', host: 'x', message: 'the connection was lost' });

describe('where the pods go', () => {
  test.each([
    ['workers that take pods', LISTED, { count: 2, tolerated: [] }],
    [
      'one worker: to a control plane, too',
      `N\tcp-1\t${TAINT} \tTrue\nN\tw-1\t\tTrue\n`,
      { count: 2, tolerated: [TAINT, 'node-role.kubernetes.io/master'] },
    ],
    [
      'one that is not Ready, and one that is cordoned',
      'N\tw-1\t\tUnknown\nN\tw-2\tcordoned \tTrue\nN\tw-3\t\tTrue\n',
      { count: 1 },
    ],
    ['taints of others', 'N\tw-1\tgpu \tTrue\nN\tw-2\tgpu \tTrue\n', { count: 0 }],
    ['no nodes', '', { count: 0 }],
    [
      'a line that is no node',
      `N\tBAD NAME\t\tTrue\n${LISTED.replaceAll('w-2', '$(x)')}`,
      { count: 2, tolerated: [TAINT, 'node-role.kubernetes.io/master'] },
    ],
  ])('%s', (_, listed, expected) => {
    expect(placeOf(readNodes(listed))).toMatchObject(expected);
  });
});

const tested = (
  cluster: typeof CLUSTER,
  world: World,
  stop = new AbortController(),
): Promise<readonly SmokeFinding[]> => smokeTest(cluster, world, stop.signal);

test('what killed tests have left is named, and nothing else is taken for it', () => {
  const said = [
    ['L', 'provision-smoke-test-0123abcd', 5400],
    ['L', 'default', 5400],
    ['L', 'provision-smoke-test-x y', 1],
    ['T', 'provision-smoke-test-0a'],
  ];
  expect(readLeft(said.map((fields) => fields.join('\t')).join('\n'))).toEqual({
    removed: ['removes provision-smoke-test-0123abcd: a test that began 90 minutes earlier has left it'],
    stuck: ['provision-smoke-test-0a'],
  });
});

describe('a stop that is asked for', () => {
  const removed = 'cp-1: kubectl delete namespace provision-smoke-test-abababab';
  const calls = ['cp-1: kubectl get nodes', 'cp-1: kubectl create', 'cp-1: kubectl rollout', 'w-1: ask'];

  test.each(calls.map((call, index) => [call, index] as const))('during %s', async (call, index) => {
    const ran: string[] = [];
    const stop = new AbortController();
    const world = worldOf({}, { ran });
    const connector = {
      ...world.connector,
      connect: async (host: string) => {
        const transport = await world.connector.connect(host);
        return {
          ...transport,
          async run(command: Parameters<typeof transport.run>[0]) {
            const answer = await transport.run(command);
            if (!`${host}: ${command.summary}`.startsWith(call)) return answer;
            stop.abort();
            // What is only waited for never ends.
            return index < 2 ? answer : new Promise<Output>(() => undefined);
          },
        };
      },
    };
    const found = await tested(CLUSTER, { ...world, connector }, stop);
    const what = index === 0 ? 'nothing was started' : 'what was started is removed';
    expect(found).toMatchObject([{ host: 'cp-1', verdict: 'fail', evidence: `stopped on request: ${what}` }]);
    expect(ran.at(-1)).toBe(index === 0 ? calls[0] : removed);
    expect(ran.filter((each) => each.includes('create'))).toHaveLength(index === 0 ? 0 : 1);
  });
});

describe('the smoke test', () => {
  test('asks from every node of the inventory, and removes what it started', async () => {
    const ran: string[] = [];
    expect(await tested(CLUSTER, worldOf({}, { ran }))).toEqual([
      { verdict: 'ok', evidence: '2 pods became ready, on w-1 and w-2' },
      ...['cp-1', 'cp-2', 'w-1'].map((host) => ({
        ...{ host, verdict: 'ok', evidence: `the service ${SERVICE} and each pod answer` },
      })),
    ]);
    expect(ran).toEqual([
      'cp-1: kubectl get nodes',
      'cp-1: kubectl create -f - (namespace provision-smoke-test-abababab)',
      'cp-1: kubectl rollout status (namespace provision-smoke-test-abababab)',
      ...['cp-1', 'cp-2', 'w-1'].map((host) => `${host}: ask ${SERVICE}, ${POD}, ${OTHER}`),
      'cp-1: kubectl delete namespace provision-smoke-test-abababab',
    ]);
  });

  test('what an earlier test has left, and does not go, is a warning, and no reason to fail', async () => {
    const made = { 'cp-1: kubectl create': outputOf(0, 'T\tprovision-smoke-test-0a\n') };
    const found = await tested(CLUSTER, worldOf(made));
    expect(found.map(({ verdict }) => verdict)).toEqual(['warn', 'ok', 'ok', 'ok', 'ok']);
    expect(found[0]?.evidence).toBe('provision-smoke-test-0a, which an earlier test has left, does not go');
  });

  test('warns where one node alone takes pods', async () => {
    const one = {
      'cp-1: kubectl get nodes': outputOf(0, 'N\tw-1\t\tTrue\n'),
      'cp-1: kubectl rollout': outputOf(0, `P\tw-1\t${POD}\nS\t${SERVICE}\n`),
    };
    expect((await tested(CLUSTER, worldOf(one)))[0]).toMatchObject({
      verdict: 'warn',
      evidence: '1 pod became ready, on w-1: no other node takes pods',
    });
  });

  test.each<[string, Said, string, string]>([
    [
      'a service that answers some requests',
      { 'w-1: ask': outputOf(0, ALL.replace('7 5', '7 4')) },
      'w-1',
      `the service (${SERVICE}) answered 4 of 5 requests`,
    ],
    [
      'a pod that another node does not reach',
      { 'cp-2: ask': outputOf(0, ALL.replace('2.2 5', '2.2 0')) },
      'cp-2',
      `the pod on w-2 (${OTHER}) answered 0 of 5 requests`,
    ],
    [
      'an answer that says nothing of an address',
      { 'w-1: ask': outputOf(0, `A ${SERVICE} 5 5\nA ${POD} 0 0\nA ${OTHER} 5 5\n`) },
      'w-1',
      `the pod on w-1 (${POD}) answered 0 of 0 requests`,
    ],
    ['a node that is lost', { 'w-1: ask': LOST }, 'w-1', 'the connection was lost'],
    [
      'pods that do not get ready',
      { 'cp-1: kubectl rollout': outputOf(1, '', 'waiting\nx: Failed to pull image') },
      'cp-1',
      'kubectl rollout status (namespace provision-smoke-test-abababab): waiting; x: Failed to pull image',
    ],
    [
      'objects that can not be made',
      { 'cp-1: kubectl create': outputOf(1, '', 'quota') },
      'cp-1',
      'kubectl create -f - (namespace provision-smoke-test-abababab): quota',
    ],
    [
      'a service without an address',
      { 'cp-1: kubectl rollout': outputOf(0, STARTED.replace(SERVICE, 'None')) },
      'cp-2',
      'the service has no address',
    ],
    [
      'a namespace that does not go',
      { 'cp-1: kubectl delete': outputOf(124, '') },
      'cp-1',
      'kubectl delete namespace provision-smoke-test-abababab: status 124',
    ],
    ['no node that takes pods', { 'cp-1: kubectl get nodes': outputOf(0, '') }, 'cp-1', 'no node takes pods'],
    [
      'an API server that lists no nodes',
      { 'cp-1: kubectl get nodes': outputOf(1, '', 'timed out') },
      'cp-1',
      'kubectl get nodes: timed out',
    ],
  ])('fails for %s', async (_, said, host, evidence) => {
    const ran: string[] = [];
    const found = await tested(CLUSTER, worldOf(said, { ran }));
    expect(found).toContainEqual({
      host,
      verdict: 'fail',
      evidence,
      next: expect.stringContaining(`ssh ${host} sudo`),
    });
    const hasBegun = ran.some((call) => call.includes('kubectl create'));
    expect(ran.some((call) => call.includes('kubectl delete'))).toBe(hasBegun);
  });

  test('puts no address into a script that is none', async () => {
    const ran: string[] = [];
    const evil = { 'cp-1: kubectl rollout': outputOf(0, `P\tw-1\t$(reboot)\nS\t${SERVICE};reboot\n`) };
    await tested(CLUSTER, worldOf(evil, { ran }));
    expect(ran.join('\n')).not.toContain('reboot');
  });

  test('removes what it started where the program itself fails', async () => {
    const ran: string[] = [];
    await expect(tested(CLUSTER, worldOf({ 'cp-2: ask': new TypeError('a bug') }, { ran }))).rejects.toThrow('a bug');
    expect(ran.at(-1)).toBe('cp-1: kubectl delete namespace provision-smoke-test-abababab');
  });

  test('goes through a control plane that has an administrator, and says where none has', async () => {
    const ran: string[] = [];
    await tested(CLUSTER, worldOf({}, { ran, without: ['cp-1'] }));
    expect(ran[0]).toBe('cp-2: kubectl get nodes');
    expect(await tested(CLUSTER, worldOf({}, { without: ['cp-1', 'cp-2'] }))).toMatchObject([
      { host: 'cp-1', verdict: 'fail', evidence: `no control plane has ${ADMIN}` },
    ]);
    const lost = { ...CLUSTER, controlPlanes: CLUSTER.controlPlanes.map((each) => ({ ...each, host: 'lost' })) };
    expect(await tested(lost, worldOf({}))).toMatchObject([{ host: 'lost', verdict: 'fail', next: 'ssh lost true' }]);
  });
});
