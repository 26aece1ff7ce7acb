import { resolve } from 'node:path';
import type { Cluster } from '../model/cluster.js';
import type { Inventory } from '../model/inventory.js';

/** The cluster of a playbook that says nothing about etcd: no member, and nothing to sign. */
export function noCluster({ directory }: Pick<Inventory, 'directory'>): Cluster {
  return {
    isManaged: true,
    allowsUntriedSystems: false,
    token: '',
    members: [],
    formerMembers: [],
    inventory: { file: '', hosts: [] },
    services: [],
    external: undefined,
    firewall: undefined,
    hostMetrics: [],
    controlPlanes: [],
    nodes: [],
    kubernetes: {
      nodes: [],
      formerNodes: [],
      settings: {
        imageRepository: '',
        cgroupDriver: 'systemd',
        sandboxImage: undefined,
        cniBinDir: '',
        registryMirrors: {},
        serviceSubnet: '10.96.0.0/12',
        podSubnet: undefined,
        dnsDomain: 'cluster.local',
        apiserverShutdownDelayS: 0,
        kubeletConfig: {},
        proxyConfig: {},
        cniManifest: undefined,
        otherNodes: [],
        drainTimeoutS: 300,
        smokeTest: { image: '', command: [] },
        packages: undefined,
      },
    },
    certificates: {
      keyType: 'ecdsa-p256',
      caDays: 0,
      leafDays: 0,
      grants: [],
      renewBeforeDays: 0,
      store: resolve(directory, 'pki'),
      namedStore: 'pki',
      altNames: [],
      altIps: [],
    },
  };
}
