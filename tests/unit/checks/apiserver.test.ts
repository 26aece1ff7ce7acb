import { describe, expect, test } from '@jest/globals';
import { checkApiservers } from '../../../src/checks/apiserver.js';
import { checkKubeadmConfig } from '../../../src/checks/kubeadm-config.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { contextOf, linesOf } from '../../support/check-context.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const VIP = 'https://10.0.0.100:2379';
const DIRECT = 'https://10.0.0.1:2379';
const READY = { kind: 'answer', status: 200, body: 'ok' };

function manifest(servers: string): string {
  return `spec:\n  containers:\n  - name: kube-apiserver\n    command:\n    - kube-apiserver\n    - --etcd-servers=${servers}\n`;
}

function runs(servers: string): object {
  const argv = ['kube-apiserver', `--etcd-servers=${servers}`];
  return { pid: 7, argv, connections: [{ address: new URL(servers).hostname, port: 2379 }] };
}

function host(given: { text?: string | undefined; processes?: readonly unknown[]; ready?: unknown; config?: unknown }) {
  const { text, processes = [runs(VIP)], ready = READY, config } = given;
  const url = 'https://127.0.0.1:6443';
  return {
    'cp-1': {
      'file-contents': { [MANIFEST]: 'text' in given ? text : manifest(VIP) },
      'apiserver-processes': { 'kube-apiserver': processes },
      'https-answers': {
        [httpsKey({ url: `${url}/readyz` })]: ready,
        [httpsKey({ url: `${url}/api/v1/namespaces/kube-system/configmaps/kubeadm-config` })]: config,
      },
    },
  };
}

describe('an apiserver', () => {
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
      'whose manifest cannot be read',
      { text: 'spec: {}' },
      [expect.stringContaining(`fail apiserver-manifest cp-1 ${MANIFEST}: ${MANIFEST}: it has no container`)],
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
  const config = (body: string, status = 200): object => ({ kind: 'answer', status, body });
  const map = (configuration: string): object =>
    config(JSON.stringify({ data: { ClusterConfiguration: configuration } }));

  test.each([
    [
      'is right',
      { config: map(`etcd:\n  external:\n    endpoints:\n    - ${VIP}\n`) },
      `ok kubeadm-config: etcd.external.endpoints: ${VIP}`,
    ],
    [
      'names the members',
      { config: map(`etcd:\n  external:\n    endpoints:\n    - ${DIRECT}\n`) },
      `warn kubeadm-config: etcd.external.endpoints: ${DIRECT}, not ${VIP}: the next kubeadm upgrade would write them`,
    ],
    [
      'is about a local etcd',
      { config: map('etcd: {local: {}}') },
      'warn kubeadm-config: could not be judged: it names no external etcd endpoints',
    ],
    [
      'is no YAML',
      { config: map('a: [') },
      'warn kubeadm-config: could not be judged: it names no external etcd endpoints',
    ],
    [
      'may not be read',
      { config: config('', 403) },
      'warn kubeadm-config: could not be judged: the kube-apiserver answers 403',
    ],
    ['is not there', { config: config('', 404) }, 'ok kubeadm-config: there is none: nothing to keep in step'],
    ['cannot be asked for', { processes: [] }, 'warn kubeadm-config: could not be judged: no kube-apiserver answers'],
  ])('%s', async (_, given, expected) => {
    expect(await linesOf(checkKubeadmConfig, contextOf(host(given)))).toEqual([expected]);
  });
});
