import { describe, expect, test } from '@jest/globals';
import { checkApiservers } from '../../../src/checks/apiserver.js';
import { checkKubeadmConfig } from '../../../src/checks/kubeadm-config.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { contextOf, linesOf } from '../../support/check-context.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const VIP = 'https://10.0.0.100:2379';
const DIRECT = 'https://10.0.0.1:2379';
const MEMBERS = 'https://10.0.0.2:2379,https://10.0.0.1:2379,https://10.0.0.3:2379';
const MOST = 'https://10.0.0.2:2379,https://10.0.0.3:2379';
const READY = { kind: 'answer', status: 200, body: 'ok' };

function manifest(servers: string): string {
  return `spec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --etcd-servers=${servers}\n`;
}

function runs(servers: string): object {
  const argv = ['kube-apiserver', `--etcd-servers=${servers}`];
  return { pid: 7, argv, connections: [{ address: new URL(servers.split(',')[0] ?? '').hostname, port: 2379 }] };
}

function host(given: {
  text?: string | undefined;
  processes?: readonly unknown[];
  ready?: unknown;
  files?: readonly { name: string; text: string }[];
}) {
  const { text, processes = [runs(VIP)], ready = READY } = given;
  const url = 'https://127.0.0.1:6443';
  return {
    'cp-1': {
      'file-contents': { [MANIFEST]: 'text' in given ? text : manifest(VIP) },
      'apiserver-processes': { 'kube-apiserver': processes },
      'static-pod-files': { '/etc/kubernetes/manifests': given.files ?? [] },
      'kubeadm-config': { 'kubeadm-config': { kind: 'absent' } },
      'https-answers': {
        [httpsKey({ url: `${url}/readyz` })]: ready,
      },
    },
  };
}

describe('an apiserver', () => {
  test('that is ready when it is asked again is so, and both answers are reported', async () => {
    const first = contextOf(host({ ready: { kind: 'answer', status: 500, body: '[-]etcd failed' } }));
    const { probe: probeAgain } = contextOf(host({}));
    expect((await linesOf(checkApiservers, { ...first, probeAgain })).at(-1)).toBe(
      'ok apiserver-ready cp-1: /readyz is ok, asked a second time; the first time: /readyz answers 500: [-]etcd failed',
    );
  });

  test('that is ready is not asked again', async () => {
    const probeAgain = (): never => {
      throw new Error('asked again');
    };
    const lines = await linesOf(checkApiservers, {
      ...contextOf(host({})),
      probeAgain: (name) => ({ ...contextOf(host({})).probe(name), ask: probeAgain }),
    });
    expect(lines.at(-1)).toBe('ok apiserver-ready cp-1: /readyz is ok');
  });

  test('is all ok', async () => {
    expect(await linesOf(checkApiservers, contextOf(host({})))).toEqual([
      `ok apiserver-manifest cp-1 ${MANIFEST}: --etcd-servers=${VIP}`,
      `ok apiserver-process cp-1: pid 7 is connected to ${VIP}`,
      'ok apiserver-ready cp-1: /readyz is ok',
    ]);
  });

  test.each([
    ['without a manifest', { text: undefined }, [`fail apiserver-manifest cp-1 ${MANIFEST}: is not there`]],
    [
      'whose manifest names a member',
      { text: manifest(DIRECT) },
      [`fail apiserver-manifest cp-1 ${MANIFEST}: --etcd-servers=${DIRECT}, not ${VIP}`],
    ],
    [
      'that uses all members directly',
      { text: manifest(MEMBERS), processes: [runs(MEMBERS)] },
      [
        `warn apiserver-manifest cp-1 ${MANIFEST}: bypassed, or not moved yet: --etcd-servers=${MEMBERS}, not ${VIP}`,
        `warn apiserver-process cp-1: bypassed, or not moved yet: --etcd-servers=${MEMBERS}, not ${VIP}`,
      ],
    ],
    [
      'that uses most members directly, as before one joined',
      { text: manifest(MOST), processes: [runs(MOST)] },
      [
        `warn apiserver-manifest cp-1 ${MANIFEST}: bypassed, or not moved yet, and without ${DIRECT}: --etcd-servers=${MOST}, not ${VIP}`,
        `warn apiserver-process cp-1: bypassed, or not moved yet, and without ${DIRECT}: --etcd-servers=${MOST}, not ${VIP}`,
      ],
    ],
    [
      'that uses one member directly, which is no bypass',
      { text: manifest(DIRECT), processes: [runs(DIRECT)] },
      [
        `fail apiserver-manifest cp-1 ${MANIFEST}: --etcd-servers=${DIRECT}, not ${VIP}`,
        `fail apiserver-process cp-1: --etcd-servers=${DIRECT}, not ${VIP}`,
      ],
    ],
    [
      'that uses a member of others, too',
      { processes: [runs(`${MOST},https://10.0.0.9:2379`)] },
      [`fail apiserver-process cp-1: --etcd-servers=${MOST},https://10.0.0.9:2379, not ${VIP}`],
    ],
    [
      'whose manifest cannot be read',
      { text: 'spec: {}' },
      [expect.stringContaining(`fail apiserver-manifest cp-1 ${MANIFEST}: ${MANIFEST}: it has no container`)],
    ],
    [
      'beside whose manifest lies a copy',
      {
        files: [
          { name: 'kube-apiserver.yaml', text: manifest(VIP) },
          { name: 'kube-apiserver.yaml.backup', text: manifest(DIRECT) },
        ],
      },
      [
        `fail apiserver-manifest cp-1 ${MANIFEST}.backup: claims the pod of ${MANIFEST} too: the kubelet may run either`,
      ],
    ],
    [
      'that runs with a member',
      { processes: [runs(DIRECT)] },
      [`fail apiserver-process cp-1: --etcd-servers=${DIRECT}, not ${VIP}`],
    ],
    [
      'that runs twice',
      { processes: [runs(VIP), runs(VIP)] },
      ['fail apiserver-process cp-1: 2 processes run, not one'],
    ],
    [
      'that lost its etcd',
      { processes: [{ ...runs(VIP), connections: [] }] },
      ['fail apiserver-process cp-1: has no connection to its etcd'],
    ],
    [
      'that does not run',
      { processes: [] },
      ['fail apiserver-process cp-1: no kube-apiserver runs', 'fail apiserver-ready cp-1: no kube-apiserver runs'],
    ],
    [
      'that is not ready',
      { ready: { kind: 'answer', status: 500, body: '[+]ping ok\n[-]etcd failed' } },
      ['fail apiserver-ready cp-1: /readyz answers 500: [-]etcd failed'],
    ],
  ])('%s', async (_, given, expected) => {
    const lines = await linesOf(checkApiservers, contextOf(host(given)));
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual(expected);
  });
});

describe('kubeadm-config', () => {
  const found = (configuration: string): object => ({ kind: 'found', configuration });
  const external = (...endpoints: readonly string[]): object =>
    found(`etcd:\n  external:\n    endpoints:\n${endpoints.map((each) => `    - ${each}\n`).join('')}`);

  test.each([
    ['is right', external(VIP), `ok kubeadm-config: etcd.external.endpoints: ${VIP}`],
    [
      'names the members',
      external(DIRECT, 'https://10.0.0.2:2379'),
      `warn kubeadm-config: etcd.external.endpoints: ${DIRECT}, https://10.0.0.2:2379, not ${VIP}: the next kubeadm upgrade would write them`,
    ],
    [
      'is about a local etcd',
      found('etcd: {local: {}}'),
      'warn kubeadm-config: could not be judged: it names no external etcd endpoints',
    ],
    ['is no YAML', found('a: ['), 'warn kubeadm-config: could not be judged: it names no external etcd endpoints'],
    [
      'may not be read',
      { kind: 'refused', status: 403 },
      'warn kubeadm-config: could not be judged: the kube-apiserver answers 403',
    ],
    ['is not there', { kind: 'absent' }, 'ok kubeadm-config: does not exist: nothing to update'],
    [
      'cannot be asked for',
      { kind: 'silent', reason: 'no kube-apiserver runs' },
      'warn kubeadm-config: could not be judged: no kube-apiserver runs',
    ],
  ])('%s', async (_, answer, expected) => {
    const context = contextOf({ 'cp-1': { ...host({})['cp-1'], 'kubeadm-config': { 'kubeadm-config': answer } } });
    expect(await linesOf(checkKubeadmConfig, context)).toEqual([expected]);
  });
});

describe('API servers of which some are moved, and some not yet', () => {
  const [first] = SAMPLE_CLUSTER.controlPlanes;
  if (first === undefined) throw new Error('the sample has a control plane');
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes: [first, { ...first, host: 'cp-2' }] };

  /** What is not ok, of API servers with these etcd servers, where kubeadm has those. */
  async function findings(
    one: string,
    two: string,
    stored: string | undefined,
  ): Promise<readonly (string | undefined)[]> {
    const configuration = `etcd: { external: { endpoints: [${JSON.stringify(stored)}] } }\n`;
    const kubeadm = stored === undefined ? { kind: 'absent' } : { kind: 'found', configuration };
    const at = (servers: string): object => ({
      ...host({ text: manifest(servers), processes: [runs(servers)] })['cp-1'],
      'kubeadm-config': { 'kubeadm-config': kubeadm },
    });
    const items = await checkApiservers(contextOf({ 'cp-1': at(one), 'cp-2': at(two) } as never, { cluster }));
    return items
      .filter(({ verdict }) => verdict !== 'ok')
      .map((each) => `${each.host ?? ''} ${each.evidence} → ${each.next ?? ''}`);
  }
  const given = (servers: string): string => `--etcd-servers=${servers}, not ${VIP}`;
  const repoint = 'provision plan inventory.yaml --playbook repoint';

  test('those that wait are not bypassed: another one has moved', async () => {
    const waits = `cp-2 uses the members, and cp-1 the load balancer: ${given(MEMBERS)} → ${repoint}`;
    expect(await findings(VIP, MEMBERS, VIP)).toEqual([waits, waits]);
    expect(await findings(VIP, MEMBERS, MEMBERS)).toEqual([waits, waits]);
    const without = `cp-2 uses the members, and cp-1 the load balancer, without ${DIRECT}: ${given(MOST)} → ${repoint}`;
    expect(await findings(VIP, MOST, undefined)).toEqual([without, without]);
  });

  test('none has moved, as kubeadm says', async () => {
    const lines = await findings(MEMBERS, MEMBERS, MEMBERS);
    expect(new Set(lines)).toEqual(
      new Set(['cp-1', 'cp-2'].map((each) => `${each} not moved yet: ${given(MEMBERS)} → ${repoint}`)),
    );
  });

  test('one host says alone what kubeadm names: it is left open', async () => {
    const at = (stored: string): object => ({
      ...host({ text: manifest(MEMBERS), processes: [runs(MEMBERS)] })['cp-1'],
      'kubeadm-config': {
        'kubeadm-config': { kind: 'found', configuration: `etcd: { external: { endpoints: ["${stored}"] } }\n` },
      },
    });
    const context = contextOf({ 'cp-1': at(MEMBERS), 'cp-2': at(VIP) } as never, { cluster });
    const words = (await checkApiservers(context))
      .filter(({ verdict }) => verdict !== 'ok')
      .map(({ evidence }) => evidence);
    expect(new Set(words)).toEqual(new Set([`bypassed, or not moved yet: ${given(MEMBERS)}`]));
  });

  test.each([
    [VIP, 'bypassed'],
    [undefined, 'bypassed, or not moved yet'],
  ])('all use the members, and kubeadm names %s: %s', async (stored, words) => {
    expect(new Set(await findings(MEMBERS, MEMBERS, stored))).toEqual(
      new Set(
        ['cp-1', 'cp-2'].map((each) => `${each} ${words}: ${given(MEMBERS)} → provision bypass inventory.yaml off`),
      ),
    );
  });
});

describe('API servers that move on demand', () => {
  const controlPlanes = SAMPLE_CLUSTER.controlPlanes.map((each) => ({ ...each, repoint: 'on-demand' }) as const);
  const cluster = { ...SAMPLE_CLUSTER, controlPlanes };
  const leftOver =
    'warn apiserver-manifest cp-1 kube_apiserver_repoint: is false, and API servers have moved to the load balancer of etcd';

  /** What is not ok, of an API server with these etcd servers, where kubeadm has those. */
  async function findings(servers: string, stored: string): Promise<readonly string[]> {
    const configuration = `etcd:\n  external:\n    endpoints: [${JSON.stringify(stored)}]\n`;
    const answers = {
      ...host({ text: manifest(servers), processes: [runs(servers)] })['cp-1'],
      'kubeadm-config': { 'kubeadm-config': { kind: 'found', configuration } },
    };
    const context = contextOf({ 'cp-1': answers }, { cluster });
    const lines = [...(await linesOf(checkApiservers, context)), ...(await linesOf(checkKubeadmConfig, context))];
    return lines.filter((line) => !line.startsWith('ok'));
  }

  test('may stay with the members, and with a member alone', async () => {
    expect([await findings(MEMBERS, DIRECT), await findings(DIRECT, DIRECT)]).toEqual([[], []]);
  });

  test('that have moved are expected at the load balancer, and the variable is reported as left over', async () => {
    expect(await findings(VIP, VIP)).toEqual([leftOver]);
    expect(await findings(VIP, DIRECT)).toEqual([leftOver, expect.stringContaining('warn kubeadm-config: ')]);
  });

  test('that have left a virtual IP which the inventory no longer has: kubeadm names it still', async () => {
    const old = 'https://10.0.0.99:2379';
    expect(await findings(MEMBERS, old)).toEqual([
      `warn kubeadm-config: etcd.external.endpoints: ${old}, which no API server uses: the next kubeadm upgrade would write that`,
    ]);
    // What they use all the same is theirs to answer for.
    expect(await findings(`${DIRECT},${old}`, DIRECT)).toEqual([
      `warn apiserver-manifest cp-1 ${MANIFEST}: --etcd-servers=${DIRECT},${old}: no address of this cluster`,
    ]);
    expect(await findings(old, old)).toEqual([
      `warn apiserver-manifest cp-1 ${MANIFEST}: --etcd-servers=${old}: no address of this cluster`,
    ]);
  });

  test('are missed there once kubeadm names it: the bypass is on', async () => {
    expect(await findings(MEMBERS, VIP)).toEqual([
      expect.stringContaining(`warn apiserver-manifest cp-1 ${MANIFEST}: bypassed: `),
      expect.stringContaining('warn apiserver-process cp-1: bypassed: '),
    ]);
  });
});
