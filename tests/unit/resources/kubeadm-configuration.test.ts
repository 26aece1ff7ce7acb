import { describe, expect, test } from '@jest/globals';
import {
  apiVersionFor,
  initConfiguration,
  joinConfiguration,
  type KubeadmCluster,
} from '../../../src/resources/kubeadm-configuration.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const NODE = { name: 'cp-1', address: '10.0.0.11', ignoredChecks: ['Mem'] };
const ETCD = { endpoints: ['https://10.0.0.100:2379'], caFile: '/ca', certFile: '/crt', keyFile: '/key' };

function cluster(version: string, settings: Partial<KubeadmCluster['settings']> = {}): KubeadmCluster {
  return {
    ...{ version, endpoint: '10.0.0.101:8443', certSans: ['10.0.0.101', 'api.example.com'], etcd: ETCD },
    settings: { ...SAMPLE_CLUSTER.kubernetes.settings, ...settings },
  };
}

const parse = (text: string): readonly unknown[] =>
  text.split('\n---\n').map((part): unknown => JSON.parse(part) as unknown);

describe.each([
  ['v1.20.2', 'v1beta2', '/run/containerd/containerd.sock', { 'node-ip': '10.0.0.11' }],
  ['v1.21.14', 'v1beta2', '/run/containerd/containerd.sock', { 'node-ip': '10.0.0.11' }],
  ['v1.22.0', 'v1beta3', 'unix:///run/containerd/containerd.sock', { 'node-ip': '10.0.0.11' }],
  ['v1.30.2', 'v1beta3', 'unix:///run/containerd/containerd.sock', { 'node-ip': '10.0.0.11' }],
  ['v1.31.0', 'v1beta4', 'unix:///run/containerd/containerd.sock', [{ name: 'node-ip', value: '10.0.0.11' }]],
])('what a kubeadm of %s is given', (version, api, criSocket, kubeletExtraArgs) => {
  const apiVersion = `kubeadm.k8s.io/${api}`;
  const nodeRegistration = { name: 'cp-1', criSocket, kubeletExtraArgs, ignorePreflightErrors: ['Mem'] };
  const localAPIEndpoint = { advertiseAddress: '10.0.0.11', bindPort: 6443 };

  test('to set a cluster up, and to let a control plane join', () => {
    expect(apiVersionFor(version)).toBe(api);
    const wanted = cluster(version, {
      ...{ podSubnet: '10.1.0.0/16', kubeletConfig: { maxPods: 50 }, proxyConfig: { mode: 'ipvs' } },
    });
    expect(parse(initConfiguration(NODE, wanted, { joining: 'cp-2', withKey: 'certificate-key' }))).toEqual([
      {
        ...{ apiVersion, kind: 'InitConfiguration', localAPIEndpoint, nodeRegistration },
        bootstrapTokens: [{ token: '@token@', ttl: '15m0s', description: 'provision: cp-2 joins' }],
        certificateKey: '@certificate-key@',
      },
      {
        ...{ apiVersion, kind: 'ClusterConfiguration', kubernetesVersion: version },
        imageRepository: 'registry.k8s.io',
        controlPlaneEndpoint: '10.0.0.101:8443',
        apiServer: {
          certSANs: ['10.0.0.101', 'api.example.com'],
          extraArgs:
            api === 'v1beta4'
              ? [{ name: 'shutdown-delay-duration', value: '5s' }]
              : { 'shutdown-delay-duration': '5s' },
        },
        networking: { podSubnet: '10.1.0.0/16', serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local' },
        etcd: { external: ETCD },
      },
      {
        ...{ apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
        ...{ cgroupDriver: 'systemd', maxPods: 50 },
      },
      { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', mode: 'ipvs' },
    ]);
  });

  test('where no control plane is to join, others make the network of pods, and API servers end at once', () => {
    const [init, made] = parse(
      initConfiguration(NODE, cluster(version, { apiserverShutdownDelayS: 0 }), {
        joining: 'worker-1',
        withKey: 'nothing',
      }),
    ) as readonly object[];
    expect(init).not.toHaveProperty('certificateKey');
    expect(made).toHaveProperty('apiServer', { certSANs: ['10.0.0.101', 'api.example.com'] });
    expect(made).toHaveProperty('networking', { serviceSubnet: '10.96.0.0/12', dnsDomain: 'cluster.local' });
  });

  test('to join', () => {
    const bootstrapToken = { apiServerEndpoint: '10.0.0.101:8443', token: '@token@', caCertHashes: ['@authority@'] };
    const worker = { apiVersion, kind: 'JoinConfiguration', discovery: { bootstrapToken }, nodeRegistration };
    expect(parse(joinConfiguration(NODE, 'worker', cluster(version)))).toEqual([worker]);
    expect(parse(joinConfiguration(NODE, 'control-plane', cluster(version)))).toEqual([
      { ...worker, controlPlane: { localAPIEndpoint, certificateKey: '@certificate-key@' } },
    ]);
  });
});
