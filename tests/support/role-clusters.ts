import type { Cluster, Member } from '../../src/model/cluster.js';
import { MarkedText } from '../../src/model/marked-text.js';
import { Secret } from '../../src/model/secret.js';
import type { Balancer } from '../../src/model/virtual-service.js';
import {
  SAMPLE_APISERVER,
  SAMPLE_CLUSTER,
  SAMPLE_SERVICE,
  sampleBalancer,
  sampleMember,
  withService,
} from './sample-cluster.js';

// Clusters whose roles' files differ from those of the sample cluster.

/** Where the files of roles lie, by what they are called in fixtures/rendered. */
export const PATHS = {
  'etcd.env': '/etc/default/etcd',
  'haproxy.cfg': '/etc/haproxy/haproxy.cfg',
  'keepalived.conf': '/etc/keepalived/keepalived.conf',
  'check-haproxy': '/usr/local/lib/provision/check-haproxy',
  'proxy-down.conf': '/etc/systemd/system/haproxy.service.d/60-provision-down.conf',
  'nginx-down.conf': '/etc/systemd/system/provision-etcd-nginx.service.d/60-provision-down.conf',
  'check-nginx': '/usr/local/lib/provision/check-nginx',
  'nginx.conf': '/etc/nginx/provision/etcd.cfg',
  'nginx.service': '/etc/systemd/system/provision-etcd-nginx.service',
  'kube-apiserver.cfg': '/etc/haproxy/provision/kube-apiserver.cfg',
  'kube-apiserver.nginx.cfg': '/etc/nginx/provision/kube-apiserver.cfg',
  'kube-apiserver.conf': '/etc/keepalived/provision/kube-apiserver.conf',
  'check-kube-apiserver-haproxy': '/usr/local/lib/provision/check-kube-apiserver-haproxy',
  'haproxy.service': '/etc/systemd/system/provision-etcd-haproxy.service',
  'keepalived.service': '/etc/systemd/system/provision-etcd-keepalived.service',
  'etcd-snapshot': '/usr/local/lib/provision/etcd-snapshot',
  'etcd-snapshot.service': '/etc/systemd/system/provision-etcd-snapshot.service',
  'etcd-snapshot.timer': '/etc/systemd/system/provision-etcd-snapshot.timer',
} as const;

/** A schedule of snapshots. */
export const SCHEDULE = { onCalendar: '*-*-* 02:30', directory: '/srv/50%/etcd', keep: 7 };

/** The sample cluster, whose first member and first balancer are otherwise. */
export function withFirst(member: Partial<Member>, balancer: Partial<Balancer> = {}): Cluster {
  const [, ...members] = SAMPLE_CLUSTER.members;
  const [, ...balancers] = SAMPLE_SERVICE.balancers;
  return {
    ...withService({ balancers: [{ ...sampleBalancer(1), ...balancer }, ...balancers] }),
    members: [{ ...sampleMember(1), ...member }, ...members],
  };
}

const { proxy, keepalived } = sampleBalancer(1);

/** All that may be added to files. */
export const FULL = withFirst(
  { extraEnv: { ETCD_LOG_LEVEL: new MarkedText(['warn']), ETCD_METRICS: new MarkedText(['say "all"']) } },
  {
    proxy: { ...proxy, statsPort: 8404, extraConfig: new MarkedText(['listen extra\n    bind 127.0.0.1:9000\n']) },
    keepalived: { ...keepalived, preempt: true, unicast: false },
  },
);

/** By version 6 of IP. */
export const SIX: Cluster = {
  ...withService({
    endpoint: { ip: '2001:db8::100', name: undefined, port: 2379 },
    balancers: SAMPLE_SERVICE.balancers.map((each, index) => ({
      ...each,
      address: `2001:db8::${index + 1}`,
      keepalived: { ...each.keepalived, vrrpVersion: 3 },
    })),
    backends: SAMPLE_SERVICE.backends.map((each, index) => ({ ...each, address: `2001:db8::${index + 1}` })),
  }),
  members: SAMPLE_CLUSTER.members.map((member, index) => ({ ...member, address: `2001:db8::${index + 1}` })),
};

/** Units of our own, with their files. */
const OWN_NGINX = {
  unit: 'provision-etcd-nginx',
  unitFile: PATHS['nginx.service'],
  configFile: PATHS['nginx.conf'],
};
const OWN_KEEPALIVED = {
  unit: 'provision-etcd-keepalived',
  unitFile: PATHS['keepalived.service'],
  configFile: '/etc/keepalived/provision/etcd.conf',
};

/** nginx in place of HAProxy. */
export const NGINX = withService({
  proxy: 'nginx',
  balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    proxy: { ...balancer.proxy, ...OWN_NGINX },
  })),
});

/** The same, with two proxies of earlier inventories on each balancer. */
export function withFormer(cluster: Cluster): Cluster {
  const former = (name: 'haproxy' | 'nginx') => ({ name, unit: `old-${name}`, configFile: `/etc/${name}/old.cfg` });
  return {
    ...cluster,
    services: cluster.services.map((service) => ({
      ...service,
      balancers: service.balancers.map((each) => ({
        ...each,
        formerProxies: service.proxy === 'nginx' ? [former('nginx'), former('haproxy')] : [],
      })),
    })),
  };
}

/** Both services. */
export const BOTH: Cluster = { ...SAMPLE_CLUSTER, services: [SAMPLE_SERVICE, SAMPLE_APISERVER] };

/** Both services, with a second API server. */
export const BOTH_OF_TWO: Cluster = {
  ...BOTH,
  services: [
    SAMPLE_SERVICE,
    {
      ...SAMPLE_APISERVER,
      backends: [1, 2].map((n) => {
        const name = `cp-${n}`;
        return { host: name, name, address: `10.0.0.1${n}`, port: 6443, verifyName: 'kubernetes' };
      }),
    },
  ],
};

/** Both services, one of them by nginx. */
export const BOTH_BY_NGINX: Cluster = {
  ...BOTH,
  services: [
    SAMPLE_SERVICE,
    {
      ...SAMPLE_APISERVER,
      proxy: 'nginx',
      balancers: SAMPLE_APISERVER.balancers.map((balancer) => ({
        ...balancer,
        proxy: { ...balancer.proxy, configFile: '/etc/nginx/provision/kube-apiserver.cfg' },
      })),
    },
  ],
};

/** HAProxy and keepalived as instances of our own. */
export const OWN = withService({
  balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    proxy: {
      ...balancer.proxy,
      unit: 'provision-etcd-haproxy',
      unitFile: PATHS['haproxy.service'],
      configFile: '/etc/haproxy/provision/etcd.cfg',
    },
    keepalived: { ...balancer.keepalived, ...OWN_KEEPALIVED },
  })),
});

/** nginx and keepalived as instances of our own, where the packages' units, and another nginx, were before. */
export const OWN_AFTER_OTHERS = withService({
  proxy: 'nginx',
  balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    proxy: { ...balancer.proxy, ...OWN_NGINX },
    keepalived: {
      ...balancer.keepalived,
      ...OWN_KEEPALIVED,
      former: [{ unit: 'keepalived', configFile: PATHS['keepalived.conf'] }],
    },
    formerProxies: [
      { name: 'haproxy', unit: 'haproxy', configFile: PATHS['haproxy.cfg'] },
      { name: 'nginx', unit: 'old-nginx', configFile: '/etc/nginx/old.cfg' },
    ],
  })),
});

/** A proxy that ends TLS. */
export const ENDS = withService({
  termination: { server: '/etc/haproxy/etcd-server.pem', client: '/etc/haproxy/etcd-proxy.pem' },
});

/** All that monitoring may be shown, and mail. */
export const WATCHED: Cluster = {
  ...withService({
    balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
      ...balancer,
      proxy: {
        ...balancer.proxy,
        statsPort: 8404,
        stats: { address: balancer.address, login: { user: 'ops', password: new Secret('planted-stats-pass') } },
        metrics: { address: balancer.address, port: 8405 },
      },
      keepalived: {
        ...balancer.keepalived,
        mail: {
          to: ['ops@example.com', 'on-call@example.com'],
          from: 'keepalived@etcd-1',
          server: '127.0.0.1',
          port: 25,
        },
      },
    })),
  }),
  members: SAMPLE_CLUSTER.members.map((member) => ({ ...member, metrics: { address: member.address, port: 2381 } })),
};

/** Hosts that save snapshots on a schedule. */
export const SAVES = withFirst({ snapshots: SCHEDULE });

/** Hosts that take their snapshots elsewhere, too. */
export const UPLOADS = withFirst({ snapshots: { ...SCHEDULE, upload: ['/opt/put', "it's"] } });

/** nginx, with all that may be added to its file. */
export const NGINX_FULL: Cluster = {
  ...NGINX,
  services: NGINX.services.map((service) => ({
    ...service,
    balancers: service.balancers.map((balancer) => ({
      ...balancer,
      proxy: { ...balancer.proxy, extraConfig: new MarkedText(['error_log /var/log/extra;\n']) },
    })),
  })),
};
