import { certificateFilesKey, type CertificateFiles } from '../../src/facts/certificate-files.js';
import type { Cluster, ControlPlane, Member } from '../../src/model/cluster.js';
import type { ExternalBalancer } from '../../src/model/etcd-way.js';
import type { KubernetesNode } from '../../src/model/kubernetes.js';
import type { Balancer, VirtualService } from '../../src/model/virtual-service.js';

/** A member of the sample cluster; it is not called as its host is, so that a test tells one from the other. @param number 1 to 3 */
export function sampleMember(number: number): Member {
  return {
    host: `etcd-${number}`,
    name: `m${number}`,
    address: `10.0.0.${number}`,
    clientPort: 2379,
    peerPort: 2380,
    dataDir: '/var/lib/etcd/default',
    configFile: '/etc/default/etcd',
    pkiDir: '/etc/etcd/pki',
    unit: 'etcd',
    clientUrl: 'https://127.0.0.1:2379',
    server: { certificate: '/etc/etcd/pki/server.crt', key: '/etc/etcd/pki/server.key' },
    client: { ca: '/etc/etcd/pki/ca.crt', certificate: '/etc/etcd/pki/client.crt', key: '/etc/etcd/pki/client.key' },
    heartbeatIntervalMs: 100,
    electionTimeoutMs: 1000,
    quotaBackendBytes: 2147483648,
    snapshotCount: 100000,
    autoCompactionRetention: '8h',
    extraEnv: {},
    replaceFiles: [],
  };
}

/** The load balancer on the host of a member. @param number 1 to 3 */
export function sampleBalancer(number: number): Balancer {
  return {
    host: `etcd-${number}`,
    address: `10.0.0.${number}`,
    proxy: {
      unit: 'haproxy',
      unitFile: undefined,
      configFile: '/etc/haproxy/haproxy.cfg',
      maxConnections: 4096,
      timeoutConnect: '5s',
      timeoutClient: '5m',
      timeoutServer: '5m',
      timeoutTunnel: undefined,
      checkInter: '2s',
      checkRise: 2,
      checkFall: 3,
      statsPort: undefined,
      extraConfig: undefined,
      extraVariable: 'haproxy_extra_config',
    },
    keepalived: {
      unit: 'keepalived',
      former: [{ unit: 'provision-etcd-keepalived', configFile: '/etc/keepalived/provision/etcd.conf' }],
      unitFile: undefined,
      configFile: '/etc/keepalived/keepalived.conf',
      interface: undefined,
      virtualRouterId: 100,
      priority: 101 - number,
      unicast: true,
      vrrpVersion: 2,
      advertIntervalS: 1,
      authPass: undefined,
      preempt: false,
    },
    formerProxies: [],
    replaceFiles: [],
  };
}

const CONTROL_PLANE: ControlPlane = {
  host: 'cp-1',
  address: '10.0.0.11',
  manifest: '/etc/kubernetes/manifests/kube-apiserver.yaml',
  repoint: 'with-the-rest',
  readyTimeoutMs: 180_000,
  replaceFiles: [],
};

const BUNDLE = '/etc/haproxy/etcd-client.pem';

/** etcd behind 10.0.0.100, which its three members balance themselves. */
export const SAMPLE_SERVICE: VirtualService = {
  name: 'etcd',
  group: 'etcd_lb',
  endpoint: { ip: '10.0.0.100', name: 'etcd.example.com', port: 2379 },
  proxy: 'haproxy',
  balancers: [sampleBalancer(1), sampleBalancer(2), sampleBalancer(3)],
  formerBalancers: [],
  backends: [1, 2, 3].map((number) => ({
    host: `etcd-${number}`,
    name: `m${number}`,
    address: `10.0.0.${number}`,
    port: 2379,
    verifyName: `m${number}`,
  })),
  health: {
    ownPort: 23790,
    alive: [200],
    path: '/health?exclude=NOSPACE',
    trust: { path: '/etc/haproxy/etcd-ca.crt', from: 'store' },
    bundle: BUNDLE,
  },
  termination: undefined,
  clients: [1, 2, 3].map((number) => ({
    host: `etcd-${number}`,
    files: { ca: '/etc/haproxy/etcd-ca.crt', certificate: BUNDLE, key: BUNDLE },
  })),
  observers: [
    { host: 'cp-1', manifest: CONTROL_PLANE.manifest },
    ...[1, 2, 3].map((number) => ({ host: `etcd-${number}`, files: sampleMember(number).client })),
  ],
  words: { backend: 'member', backendOfService: 'etcd member', fault: 'has lost its quorum', unnamed: undefined },
  places: {
    checkScript: '/usr/local/lib/provision/check',
    nonlocalBind: '/etc/sysctl.d/60-provision-nonlocal-bind.conf',
    termination: ['/etc/haproxy/etcd-server.pem', '/etc/haproxy/etcd-proxy.pem'],
    certificates: ['haproxy', 'nginx'].flatMap((proxy) => [
      `/etc/${proxy}/etcd-ca.crt`,
      `/etc/${proxy}/etcd-client.pem`,
    ]),
  },
};

const CA = '/etc/haproxy/kube-apiserver-ca.crt';
const CLUSTER_CA = '/etc/kubernetes/pki/ca.crt';

/** The API server of cp-1 behind 10.0.0.200, which the members balance. */
export const SAMPLE_APISERVER: VirtualService = {
  name: 'kube-apiserver',
  group: 'kube_apiserver_lb',
  endpoint: { ip: '10.0.0.200', name: undefined, port: 8443 },
  proxy: 'haproxy',
  balancers: [1, 2, 3].map((number) => apiserverBalancer(sampleBalancer(number))),
  formerBalancers: [],
  backends: [{ host: 'cp-1', name: 'cp-1', address: '10.0.0.11', port: 6443, verifyName: 'kubernetes' }],
  health: {
    ownPort: 23791,
    alive: [200, 401],
    leaving: '[-]shutdown failed',
    path: '/readyz',
    trust: { path: CA, from: [{ host: 'cp-1', path: CLUSTER_CA }] },
    bundle: undefined,
  },
  termination: undefined,
  clients: [
    ...[1, 2, 3].map((number) => ({ host: `etcd-${number}`, files: { ca: CA } })),
    { host: 'cp-1', files: { ca: CLUSTER_CA } },
  ],
  observers: [{ host: 'cp-1', files: { ca: CLUSTER_CA } }],
  words: {
    backend: 'kube-apiserver',
    backendOfService: 'kube-apiserver',
    fault: 'is not ready',
    unnamed: 'issue its certificate with kubeadm',
  },
  places: {
    checkScript: '/usr/local/lib/provision/check-kube-apiserver',
    nonlocalBind: '/etc/sysctl.d/60-provision-kube-apiserver-nonlocal-bind.conf',
    termination: [],
    certificates: ['/etc/haproxy/kube-apiserver-ca.crt'],
  },
};

function apiserverBalancer({ proxy, keepalived, ...balancer }: Balancer): Balancer {
  const own = (program: string): Pick<Balancer['proxy'], 'unit' | 'unitFile'> => ({
    unit: `provision-kube-apiserver-${program}`,
    unitFile: `/etc/systemd/system/provision-kube-apiserver-${program}.service`,
  });
  const timeouts = { timeoutClient: '4h', timeoutServer: '4h', timeoutTunnel: '4h' };
  const extraVariable = 'kube_apiserver_lb_extra_config';
  return {
    ...balancer,
    proxy: {
      ...proxy,
      ...own('haproxy'),
      ...timeouts,
      extraVariable,
      configFile: '/etc/haproxy/provision/kube-apiserver.cfg',
    },
    keepalived: {
      ...keepalived,
      ...own('keepalived'),
      former: [],
      configFile: '/etc/keepalived/provision/kube-apiserver.conf',
      virtualRouterId: 200,
    },
  };
}

/** The sample cluster with another service. */
export function withService(changes: Partial<VirtualService>): Cluster {
  return { ...SAMPLE_CLUSTER, services: [{ ...SAMPLE_SERVICE, ...changes }] };
}

/** A host of Kubernetes. */
export function sampleNode(host: string, kind: KubernetesNode['kind']): KubernetesNode {
  const address = kind === 'control-plane' ? '10.0.0.11' : '10.0.0.21';
  return { host, address, kind, wantsHostsEntries: false, ignoredChecks: [], replaceFiles: [] };
}

/** Three members that balance themselves behind 10.0.0.100, and one control plane. */
export const SAMPLE_CLUSTER: Cluster = {
  isManaged: true,
  allowsUntriedSystems: false,
  token: 'etcd-cluster',
  members: [sampleMember(1), sampleMember(2), sampleMember(3)],
  formerMembers: [],
  inventory: { file: 'inventory.yaml', hosts: ['etcd-1', 'etcd-2', 'etcd-3'] },
  services: [SAMPLE_SERVICE],
  external: undefined,
  controlPlanes: [CONTROL_PLANE],
  nodes: ['cp-1', 'worker-1'],
  kubernetes: {
    nodes: [sampleNode('cp-1', 'control-plane'), sampleNode('worker-1', 'worker')],
    formerNodes: [],
    settings: {
      imageRepository: 'registry.k8s.io',
      cgroupDriver: 'systemd',
      sandboxImage: undefined,
      cniBinDir: '/opt/cni/bin',
      registryMirrors: {},
      serviceSubnet: '10.96.0.0/12',
      podSubnet: undefined,
      dnsDomain: 'cluster.local',
      apiserverShutdownDelayS: 5,
      kubeletConfig: {},
      proxyConfig: {},
      cniManifest: undefined,
      otherNodes: [],
      drainTimeoutS: 300,
      smokeTest: { image: 'registry.k8s.io/agnhost:2', command: ['/agnhost', 'netexec'] },
      packages: undefined,
    },
  },
  certificates: {
    keyType: 'ecdsa-p256',
    caDays: 3650,
    leafDays: 365,
    renewBeforeDays: 30,
    store: '/srv/provision/pki',
    namedStore: 'pki',
    altNames: [],
    altIps: [],
    grants: [],
  },
  firewall: undefined,
  hostMetrics: [],
};

/** The sample cluster, whose hosts let in none but each other, and these networks. */
export function withFirewall(allow: readonly string[] = [], changes: Partial<Cluster> = {}): Cluster {
  const addresses = { 'etcd-1': '10.0.0.1', 'etcd-2': '10.0.0.2', 'etcd-3': '10.0.0.3', 'cp-1': '10.0.0.11' };
  const own = Object.entries(addresses).map(([host, address]) => [host, [address]] as const);
  const more = [...(changes.members ?? []), ...(changes.formerMembers ?? [])];
  const map = new Map([...own, ...more.map(({ host, address }) => [host, [address]] as const)]);
  return { ...SAMPLE_CLUSTER, firewall: { allow, addresses: map }, ...changes };
}

/** The sample cluster behind a balancer that others run. @param changes of where that is */
export function withExternal(changes: Partial<ExternalBalancer> = {}): Cluster {
  const { proxy, backends, places } = SAMPLE_SERVICE;
  const keepalived = [
    { unit: 'keepalived', configFile: '/etc/keepalived/keepalived.conf' },
    { unit: 'provision-etcd-keepalived', configFile: '/etc/keepalived/provision/etcd.conf' },
  ];
  const former = { proxy, backends, places, keepalived, formerBalancers: [] };
  return {
    ...SAMPLE_CLUSTER,
    services: [],
    external: { ip: '10.9.0.1', name: 'balancer.example', port: 2379, former, ...changes },
  };
}

/** What a host answers of a member's server certificate. @param pem empty: it has none */
export function shownCertificate(pem: string): Readonly<Record<string, CertificateFiles>> {
  const { certificate, key } = sampleMember(1).server;
  const none = { certificate: undefined, key: undefined, publicKey: { kind: 'unchecked' } } as const;
  return { [certificateFilesKey(certificate, key)]: { ...none, pem } };
}
