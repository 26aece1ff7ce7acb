import { describe, expect, test } from '@jest/globals';
import type { ApiserverObject } from '../../../src/facts/apiserver-object.js';
import type { Outcome } from '../../../src/model/change.js';
import { withControlPlaneEndpoint } from '../../../src/resources/cluster-configuration.js';
import { configMapServer } from '../../../src/resources/config-map-server.js';
import { kubeadmControlPlaneEndpoint } from '../../../src/resources/kubeadm-config.js';
import { fakeProbe, fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { kubeletConf } from '../../support/kubeconfigs.js';
import { shownChange } from '../../support/shown-change.js';

const ENDPOINT = { ip: '10.0.0.101', name: 'api.example.com', port: 8443 };
const OLD = 'https://10.0.0.11:6443';
const VIP = 'https://10.0.0.101:8443';
const PATH = '/api/v1/namespaces/kube-system/configmaps/kube-proxy';
const PODS = '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy';
const BEFORE = { kind: 'await', gate: 'way', parameters: {} } as const;
const SETTLED = { kind: 'await', gate: 'settled', parameters: {} } as const;
const KUBE_PROXY = { namespace: 'kube-system', name: 'kube-proxy' };
const RESOURCE = configMapServer({
  at: { ...KUBE_PROXY, key: 'kubeconfig.conf' },
  ...{ why: 'which kube-proxy reads', endpoint: ENDPOINT, before: BEFORE },
  readers: { ...KUBE_PROXY, nodes: ['cp-1', 'worker-1', 'away'], settled: SETTLED },
});

function holding(text: string | undefined): ApiserverObject {
  return { kind: 'found', object: { data: text === undefined ? null : { 'kubeconfig.conf': text } } };
}

function connectedTo(...ends: readonly (readonly [string, number])[]): object {
  return { pid: 9, argv: ['kube-proxy'], connections: ends.map(([address, port]) => ({ address, port })) };
}

/** A cluster whose worker's kube-proxy has these connections. */
async function plan(
  found: ApiserverObject,
  worker: object = connectedTo(['10.0.0.101', 8443]),
  pods: ApiserverObject = { kind: 'found', object: {} },
): Promise<Outcome> {
  const hosts: Readonly<Record<string, FakeAnswers>> = {
    'cp-1': { 'apiserver-objects': { [PATH]: found, [PODS]: pods }, 'kube-proxy-processes': { 'kube-proxy': [] } },
    'worker-1': { 'kube-proxy-processes': { 'kube-proxy': [worker] } },
    away: UNREACHABLE,
  };
  const probe = fakeProbes(hosts).get('cp-1');
  if (probe === undefined) throw new Error('no probe');
  return RESOURCE.plan(probe);
}

function actionsOf(outcome: Outcome): readonly string[] {
  if (outcome.kind !== 'change') return [outcome.kind];
  return outcome.change.actions.map((each) =>
    each.kind === 'run' ? each.command.summary : each.kind === 'await' ? each.gate : '',
  );
}

describe("kube-proxy's ConfigMap", () => {
  test('is changed, and its pods are restarted while all of them run', async () => {
    const outcome = await plan(holding(kubeletConf(OLD)));
    expect(actionsOf(outcome)).toEqual(['way', 'settled', 'set the server of kube-system/kube-proxy', 'settled']);
    expect(outcome).toMatchObject({ change: { diff: [`- server: ${OLD}`, `+ server: ${VIP}`, expect.anything()] } });
  });

  test.each([
    ['it is right, and its readers use it', holding(kubeletConf(VIP))],
    ['it has the name', holding(kubeletConf('https://api.example.com:8443'))],
    ['there is none', { kind: 'absent' } as const],
    ['nobody may read it', { kind: 'refused', status: 403 } as const],
    ['it has no such key', holding(undefined)],
  ])('needs nothing where %s', async (_, found) => {
    expect(await plan(found)).toEqual({ kind: 'unchanged' });
  });

  test('is changed alone where nobody reads it at a start', async () => {
    const resource = configMapServer({
      at: { namespace: 'kube-public', name: 'cluster-info', key: 'kubeconfig' },
      ...{ why: 'which hosts that join read', endpoint: ENDPOINT, before: BEFORE },
    });
    expect(resource.address).toBe('config-map:kube-public/cluster-info kubeconfig');
    const path = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
    const found = { kind: 'found', object: { data: { kubeconfig: kubeletConf(OLD) } } };
    const probe = fakeProbe({ 'apiserver-objects': { [path]: found } });
    expect(shownChange(await resource.plan(probe))).toEqual([
      `set the server of kube-public/cluster-info, which hosts that join read, to ${VIP}`,
      ...[`- server: ${OLD}`, `+ server: ${VIP}`, '  all else stays, byte by byte', 'wait for way {}'],
      '$ set the server of kube-public/cluster-info',
      'back: restore the server of kube-public/cluster-info',
    ]);
  });

  test('is not known while no API server answers', async () => {
    expect(await plan({ kind: 'silent', reason: 'no kube-apiserver runs' })).toMatchObject({ kind: 'unknown' });
  });

  test('lets pods be restarted where a run was killed before that', async () => {
    const outcome = await plan(holding(kubeletConf(VIP)), connectedTo(['10.0.0.11', 6443]));
    expect(actionsOf(outcome)).toEqual(['way', 'settled', 'restart the pods of kube-system/kube-proxy', 'settled']);
    expect(shownChange(outcome)).toEqual([
      `restart the pods of kube-system/kube-proxy, one after the other: they do not use ${VIP} yet`,
      `because those of worker-1 have no connection to ${VIP}`,
      ...['wait for way {}', 'wait for settled {}', '$ restart the pods of kube-system/kube-proxy'],
      ...['stays: restarted pods stay restarted', 'wait for settled {}'],
    ]);
  });

  test('restarts nothing for one that has no connection right now, or that runs as no DaemonSet', async () => {
    expect(await plan(holding(kubeletConf(VIP)), connectedTo())).toEqual({ kind: 'unchanged' });
    const absent = { kind: 'absent' } as const;
    expect(await plan(holding(kubeletConf(VIP)), connectedTo(['10.0.0.11', 6443]), absent)).toEqual({
      kind: 'unchanged',
    });
    const changedAlone = ['way', 'set the server of kube-system/kube-proxy'];
    expect(actionsOf(await plan(holding(kubeletConf(OLD)), undefined, absent))).toEqual(changedAlone);
  });

  test('that can not be read is refused with its place', async () => {
    await expect(plan(holding('a: ['))).rejects.toMatchObject({
      code: 'kubeconfig-unreadable',
      message: expect.stringContaining('kube-system/kube-proxy kubeconfig.conf: line 1'),
    });
  });

  test.each([
    [{ kind: 'absent' } as const, /there is no kube-system\/kube-proxy: nothing to change/],
    [holding(undefined), /has no kubeconfig\.conf: nothing to change/],
    [{ kind: 'refused', status: 403 } as const, /may not be read \(403\)/],
  ])('names what is not there: %o', async (found, words) => {
    expect(await RESOURCE.doubt?.(fakeProbe({ 'apiserver-objects': { [PATH]: found } }))).toMatch(words);
  });
});

describe("kubeadm's own idea of it", () => {
  const KUBEADM = `apiServer:
  certSANs:
  - 10.0.0.11
controlPlaneEndpoint: 10.0.0.11:6443 # by hand
kind: ClusterConfiguration
networking: {dnsDomain: cluster.local}
`;

  test.each([
    ['as kubeadm writes it', KUBEADM],
    ['in quotes', KUBEADM.replace('10.0.0.11:6443', '"10.0.0.11:6443"')],
    ['empty', KUBEADM.replace(' 10.0.0.11:6443 # by hand', '')],
    ['as an empty text', KUBEADM.replace('10.0.0.11:6443', '""')],
  ])('is changed alone: %s', (_, text) => {
    const after = withControlPlaneEndpoint(text, ENDPOINT) ?? '';
    expect(after.replace(/controlPlaneEndpoint:.*/, '')).toBe(text.replace(/controlPlaneEndpoint:.*/, ''));
    expect(after).toContain("controlPlaneEndpoint: '10.0.0.101:8443'");
    expect(withControlPlaneEndpoint(after, ENDPOINT)).toBeUndefined();
  });

  test('is added where a cluster has none', () => {
    const without = KUBEADM.replace(/controlPlaneEndpoint:.*\n/, '');
    expect(withControlPlaneEndpoint(without, ENDPOINT)).toBe(`${without}controlPlaneEndpoint: '10.0.0.101:8443'\n`);
    const v6 = { ...ENDPOINT, ip: 'fd00::1' };
    expect(withControlPlaneEndpoint(without, v6)).toBe(`${without}controlPlaneEndpoint: '[fd00::1]:8443'\n`);
  });

  test('may be the name', () => {
    expect(
      withControlPlaneEndpoint(KUBEADM.replace('10.0.0.11:6443', 'api.example.com:8443'), ENDPOINT),
    ).toBeUndefined();
    expect(withControlPlaneEndpoint('kind: InitConfiguration\n', ENDPOINT)).toBeUndefined();
  });

  test.each([
    ['an anchor', KUBEADM.replace('10.0.0.11:6443 #', '&a 10.0.0.11:6443 #').replace('cluster.local', '*a')],
    ['several lines', KUBEADM.replace('10.0.0.11:6443 # by hand', '|\n  10.0.0.11:6443')],
    ['a list', KUBEADM.replace('10.0.0.11:6443 # by hand', '[a]')],
  ])('is left to a person where it is %s', (_, text) => {
    expect(() => withControlPlaneEndpoint(text, ENDPOINT)).toThrow(
      expect.objectContaining({ code: 'kubeadm-config-unreadable' }),
    );
  });

  test('gets names and address in one change, after the way is proved', async () => {
    const found = { kind: 'found', configuration: KUBEADM };
    const probe = fakeProbe({ 'kubeadm-config': { 'kubeadm-config': found } });
    const outcome = await kubeadmControlPlaneEndpoint(ENDPOINT, BEFORE).plan(probe);
    expect(actionsOf(outcome)).toEqual(['way', 'set controlPlaneEndpoint of kube-system/kubeadm-config']);
    if (outcome.kind !== 'change') throw new Error('no change');
    expect(outcome.change.diff).toEqual(
      expect.arrayContaining([
        "+  - '10.0.0.101'",
        "+  - 'api.example.com'",
        "+controlPlaneEndpoint: '10.0.0.101:8443' # by hand",
      ]),
    );
  });
});
