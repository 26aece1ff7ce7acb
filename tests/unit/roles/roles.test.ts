import { describe, expect, test } from '@jest/globals';
import { certificateFilesKey } from '../../../src/facts/certificate-files.js';
import type { Action, Outcome, Resource } from '../../../src/model/change.js';
import type { Cluster, Member } from '../../../src/model/cluster.js';
import { ProvisionError } from '../../../src/model/errors.js';
import { MarkedText } from '../../../src/model/marked-text.js';
import type { Probe } from '../../../src/model/remote.js';
import { Secret } from '../../../src/model/secret.js';
import type { Balancer } from '../../../src/model/virtual-service.js';
import { etcdEnvironment } from '../../../src/roles/etcd/environment.js';
import { markOf } from '../../../src/roles/keepalived/down-mark.js';
import { roleTable } from '../../../src/roles/table.js';
import { etcdDataKey, type EtcdData } from '../../../src/facts/etcd-data.js';
import { MEMBER_DATA, NO_DATA, NOT_INSTALLED } from '../../support/etcd-answers.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { fixture } from '../../support/fixture.js';
import { expectGolden } from '../../support/golden.js';
import {
  SAMPLE_APISERVER,
  SAMPLE_CLUSTER,
  SAMPLE_SERVICE,
  sampleBalancer,
  sampleMember,
  withService,
} from '../../support/sample-cluster.js';
import { PLANTED_AUTH_PASS, ROLE_TOOLS } from '../../support/role-tools.js';
import { namedHost, templateInventory } from '../../support/template-inventory.js';

const INVENTORY = templateInventory(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);

function resourcesOf(role: string, host: string, cluster: Cluster = SAMPLE_CLUSTER): readonly Resource[] {
  return roleTable(ROLE_TOOLS).get(role)?.resources(namedHost(host), INVENTORY, cluster) ?? [];
}

describe('an existing etcd cluster', () => {
  const adopted: Cluster = { ...SAMPLE_CLUSTER, isManaged: false };

  test('keeps all but its server certificate, and is restarted for that', () => {
    const addresses = resourcesOf('etcd', 'etcd-1', adopted).map(({ address }) => address);
    const [last, ...none] = addresses.slice(2);
    expect(addresses.slice(0, 2)).toEqual(['certificate:/etc/etcd/pki/server.crt', 'etcd-member:etcd-1']);
    expect([last, none]).toEqual(['no-timer:provision-etcd-snapshot.timer', []]);
  });

  test('has snapshots on a schedule where they are wanted, by its own unit and client certificate', async () => {
    const client = { ca: '/srv/ca.pem', certificate: '/srv/client.pem', key: '/srv/client.key' };
    const member = { ...sampleMember(1), unit: 'etcd-prod', client, snapshots: SCHEDULE };
    const cluster = { ...adopted, members: [member] };
    expect(resourcesOf('etcd', 'etcd-1', cluster).map(({ address }) => address)).toEqual([
      'certificate:/etc/etcd/pki/server.crt',
      'etcd-member:etcd-1',
      'directory:/srv/50%/etcd',
      'directory:/usr/local/lib/provision',
      ...['etcd-snapshot', 'etcd-snapshot.service', 'etcd-snapshot.timer'].map(
        (name) => `file:${PATHS[name as 'etcd-snapshot']}`,
      ),
      'service:provision-etcd-snapshot.timer',
    ]);
    const text = async (name: 'etcd-snapshot' | 'etcd-snapshot.service'): Promise<string> =>
      JSON.stringify(await written('etcd', PATHS[name], cluster));
    expect(await text('etcd-snapshot.service')).toContain('etcd-prod.service');
    expect(await text('etcd-snapshot')).toContain('--cert=/srv/client.pem');
  });

  test('never gets a new authority', () => {
    const [authority] = resourcesOf('pki', 'etcd-1');
    expect(authority?.address).toBe('authority:etcd');
    expect(() => resourcesOf('pki', 'etcd-1', adopted)).toThrow(
      expect.objectContaining({
        code: 'authority-missing',
        message: expect.stringContaining('must be the one that etcd trusts'),
      }),
    );
    const kept = { ...ROLE_TOOLS.pki, authority: { certificate: () => 'PEM', trustBundle: () => 'PEM' } };
    const role = roleTable({ ...ROLE_TOOLS, pki: kept }).get('pki');
    expect(role?.resources(namedHost('etcd-1'), INVENTORY, adopted).map(({ address }) => address)).toEqual([
      'authority:etcd',
    ]);
  });

  test('is not configured from here', () => {
    const member = { ...sampleMember(1), configFile: undefined };
    expect(() => etcdEnvironment(ROLE_TOOLS, INVENTORY, { cluster: adopted, member })).toThrow('etcd-1 is adopted');
  });

  test('has no member replaced here', () => {
    expect(() => resourcesOf('etcd-replacement', 'etcd-1', adopted)).toThrow('this etcd was adopted');
  });

  test('frees no address: where it listens everywhere, the load balancer is refused', async () => {
    const [listen] = resourcesOf('etcd-proxy', 'etcd-1', adopted);
    const probe = fakeProbe({ listeners: { 2379: [{ address: '0.0.0.0', port: 2379, process: 'etcd' }] } });
    await expect(listen?.plan(probe)).rejects.toMatchObject({ code: 'address-taken' });
  });
});

describe('what each role gives a host, in order', () => {
  test.each([
    ['pki', 'etcd-1', ['authority:etcd']],
    ['pki', 'etcd-2', []],
    [
      'etcd',
      'etcd-1',
      [
        'operating-system',
        'packages:etcd-server,etcd-client,openssl',
        'etcd-leftover:/var/lib/etcd/default',
        'directory:/var/lib/etcd/default',
        'directory:/etc/etcd',
        'directory:/etc/etcd/pki',
        'trust:/etc/etcd/pki/ca.crt',
        'certificate:/etc/etcd/pki/server.crt',
        'certificate:/etc/etcd/pki/peer.crt',
        'certificate:/etc/etcd/pki/client.crt',
        'file:/etc/default/etcd',
        'unit:etcd',
        'etcd-version:etcd-1',
        'etcd-member:etcd-1',
        'no-timer:provision-etcd-snapshot.timer',
      ],
    ],
    ['etcd-settled', 'etcd-3', ['etcd-settled:etcd-3']],
    ['etcd-quota', 'etcd-2', ['file:/etc/default/etcd', 'etcd-member:etcd-2']],
    [
      'etcd-replacement',
      'etcd-3',
      [
        'member-version:etcd-3',
        'member-size:etcd-3',
        'snapshot:before',
        'operating-system',
        'packages:etcd-server,etcd-client,openssl',
        'directory:/var/lib/etcd/default',
        'directory:/etc/etcd',
        'directory:/etc/etcd/pki',
        'trust:/etc/etcd/pki/ca.crt',
        'certificate:/etc/etcd/pki/server.crt',
        'certificate:/etc/etcd/pki/peer.crt',
        'certificate:/etc/etcd/pki/client.crt',
        'etcd-version:etcd-3',
        'member-aside:etcd-3',
        'member-remove:etcd-3',
        // With it and without data, a member would start under the id of the one that is listed.
        'file:/etc/default/etcd',
        'member-add:etcd-3',
        'member-start:etcd-3',
        'member-promote:etcd-3',
        'member-open:etcd-3',
      ],
    ],
    [
      'etcd-recovery',
      'etcd-3',
      [
        'operating-system',
        'packages:etcd-server,etcd-client,openssl',
        'directory:/var/lib/etcd/default',
        'directory:/etc/etcd',
        'directory:/etc/etcd/pki',
        'trust:/etc/etcd/pki/ca.crt',
        'certificate:/etc/etcd/pki/server.crt',
        'certificate:/etc/etcd/pki/peer.crt',
        'certificate:/etc/etcd/pki/client.crt',
        'etcd-version:etcd-3',
        'member-version:etcd-3',
        'member-size:etcd-3',
        'snapshot:before',
        'member-aside:etcd-3',
        'member-remove:etcd-3',
        'file:/etc/default/etcd',
        'member-add:etcd-3',
        'member-start:etcd-3',
        'member-promote:etcd-3',
      ],
    ],
    ['etcd-nonlocal-bind', 'etcd-1', ['sysctl:net.ipv4.ip_nonlocal_bind']],
    [
      'etcd-proxy',
      'etcd-1',
      [
        'listen:10.0.0.100:2379',
        'operating-system',
        'packages:haproxy,openssl,keepalived',
        'directory:/etc/keepalived',
        'trust:/etc/haproxy/etcd-ca.crt',
        'certificate:/etc/haproxy/etcd-client.pem',
        'file:/etc/haproxy/haproxy.cfg',
        'unit:haproxy',
        'service:haproxy',
        // Keys of a proxy that ended TLS.
        'unused-certificate:/etc/haproxy/etcd-server.pem',
        'unused-certificate:/etc/haproxy/etcd-proxy.pem',
      ],
    ],
    [
      'etcd-virtual-ip',
      'etcd-1',
      [
        'virtual-ip:10.0.0.100',
        'vrrp-version:10.0.0.100',
        'secret:keepalived-auth-pass',
        'operating-system',
        'packages:keepalived',
        'directory:/usr/local/lib/provision',
        'file:/usr/local/lib/provision/check-haproxy',
        'directory:/etc/systemd/system/haproxy.service.d',
        'drop-in:/etc/systemd/system/haproxy.service.d/60-provision-down.conf',
        'directory:/etc/keepalived',
        'file:/etc/keepalived/keepalived.conf',
        'unit:keepalived',
        'retired:provision-etcd-keepalived',
        'service:keepalived',
      ],
    ],
    [
      'kube-apiserver',
      'cp-1',
      [
        'command:mkdir /etc/kubernetes/pki/etcd',
        'trust:/etc/kubernetes/pki/etcd/ca.crt',
        'certificate:/etc/kubernetes/pki/apiserver-etcd-client.crt',
        'static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml',
      ],
    ],
    [
      'kube-apiserver-files',
      'cp-1',
      [
        'command:mkdir /etc/kubernetes/pki/etcd',
        'trust:/etc/kubernetes/pki/etcd/ca.crt',
        'certificate:/etc/kubernetes/pki/apiserver-etcd-client.crt',
      ],
    ],
    ['kube-apiserver-direct', 'cp-1', ['static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml']],
    ['kube-apiserver-off-old-address', 'cp-1', ['static-pod:/etc/kubernetes/manifests/kube-apiserver.yaml']],
    ['kubeadm-config', 'cp-1', ['config-map:kube-system/kubeadm-config']],
    ['kubeadm-config', 'cp-2', []],
    ['kube-apiserver-nonlocal-bind', 'etcd-1', ['sysctl:net.ipv4.ip_nonlocal_bind']],
    [
      'kube-apiserver-proxy',
      'etcd-1',
      [
        'listen:10.0.0.200:8443',
        'operating-system',
        'packages:haproxy,openssl,keepalived',
        'directory:/etc/keepalived',
        'trust:/etc/haproxy/kube-apiserver-ca.crt',
        'directory:/etc/haproxy/provision',
        'file:/etc/systemd/system/provision-kube-apiserver-haproxy.service',
        'file:/etc/haproxy/provision/kube-apiserver.cfg',
        'unit:provision-kube-apiserver-haproxy',
        'service:provision-kube-apiserver-haproxy',
      ],
    ],
    [
      'kube-apiserver-virtual-ip',
      'etcd-2',
      [
        'virtual-ip:10.0.0.200',
        'vrrp-version:10.0.0.200',
        'operating-system',
        'packages:keepalived',
        'directory:/usr/local/lib/provision',
        'file:/usr/local/lib/provision/check-kube-apiserver-haproxy',
        'directory:/etc/systemd/system/provision-kube-apiserver-haproxy.service.d',
        'drop-in:/etc/systemd/system/provision-kube-apiserver-haproxy.service.d/60-provision-down.conf',
        'directory:/etc/keepalived',
        'directory:/etc/keepalived/provision',
        'file:/etc/systemd/system/provision-kube-apiserver-keepalived.service',
        'file:/etc/keepalived/provision/kube-apiserver.conf',
        'unit:provision-kube-apiserver-keepalived',
        'service:provision-kube-apiserver-keepalived',
      ],
    ],
  ])('%s on %s', (role, host, addresses) => {
    expect(resourcesOf(role, host, BOTH).map(({ address }) => address)).toEqual(addresses);
  });

  describe('an etcd that listens everywhere', () => {
    const [EVERYWHERE, ENV] = [[{ address: '0.0.0.0', port: 2379, process: 'etcd' }], '/etc/default/etcd'];
    const listen = (host: string, cluster = SAMPLE_CLUSTER): Promise<unknown> | undefined =>
      resourcesOf('etcd-proxy', host, cluster)[0]?.plan(
        fakeProbe({ listeners: { 2379: EVERYWHERE }, 'file-states': { [ENV]: { kind: 'absent' } }, ...NO_ETCD }),
      );

    test.each(['etcd-1', 'etcd-2'])('is no stranger to the balancer of its host, which moves it: %s', async (host) => {
      expect(await listen(host)).toEqual({ kind: 'unchanged' });
    });

    test('is one where no member is managed on the host', async () => {
      const [first, ...members] = SAMPLE_CLUSTER.members;
      expect(first?.host).toBe('etcd-1');
      const refused = { code: 'address-taken', hint: expect.stringContaining('etcd_lb_port') as unknown };
      await expect(listen('etcd-1', { ...SAMPLE_CLUSTER, members })).rejects.toMatchObject(refused);
    });
  });

  test.each([
    ['etcd-proxy', 2379, '10.0.0.100', 'haproxy', () => NGINX, undefined],
    ['etcd-proxy', 2379, '10.0.0.100', 'nginx', () => NGINX, undefined],
    ['etcd-proxy', 2379, '10.0.0.100', 'haproxy', () => SAMPLE_CLUSTER, undefined],
    ['etcd-proxy', 2379, '10.0.0.100', 'nginx', () => SAMPLE_CLUSTER, /etcd_lb_port$/],
    ['kube-apiserver-proxy', 8443, '10.0.0.200', 'haproxy', () => BOTH, undefined],
    ['kube-apiserver-proxy', 8443, '10.0.0.200', 'kube-apiserver', () => BOTH, /kube_apiserver_lb_port$/],
  ] as const)(
    '%s: who may listen on port %i of %s already is its proxy, and a former one: %s',
    async (role, port, address, process, cluster, hint) => {
      // Nothing is freed here: no member is managed.
      const [listen] = resourcesOf(role, 'etcd-1', { ...withFormer(cluster()), isManaged: false });
      const found = fakeProbe({ listeners: { [port]: [{ address, port, process }] } });
      const outcome = await listen?.plan(found).catch((error: unknown) => error);
      if (hint === undefined) expect(outcome).toEqual({ kind: 'unchanged' });
      else expect(outcome).toMatchObject({ code: 'address-taken', hint: expect.stringMatching(hint) as unknown });
    },
  );

  test('directories are made where they are the package’s, and no parent of others', () => {
    const directories = (pkiDir: string): readonly string[] =>
      resourcesOf('etcd', 'etcd-1', withFirst({ pkiDir }))
        .map(({ address }) => address)
        .filter((address) => address.startsWith('directory:'));
    expect(directories('/srv/etcd/pki')).toEqual(['directory:/var/lib/etcd/default', 'directory:/srv/etcd/pki']);
    expect(directories('/etc/etcd/tls')).toEqual([
      'directory:/var/lib/etcd/default',
      'directory:/etc/etcd',
      'directory:/etc/etcd/tls',
    ]);
  });

  test('every former unit is retired', () => {
    const former = ['one', 'two'].map((unit) => ({ unit, configFile: `/etc/keepalived/${unit}.conf` }));
    const cluster = withFirst({}, { keepalived: { ...keepalived, former } });
    expect(
      resourcesOf('etcd-virtual-ip', 'etcd-1', cluster)
        .map(({ address }) => address)
        .filter((address) => address.startsWith('retired:')),
    ).toEqual(['retired:one', 'retired:two']);
  });

  test('the proxy may listen where the virtual IP is not', async () => {
    const file = '/etc/sysctl.d/60-provision-nonlocal-bind.conf';
    const key = 'net.ipv4.ip_nonlocal_bind';
    const probe = fakeProbe({ sysctls: { [key]: '0' }, 'file-states': { [file]: { kind: 'absent' } } });
    const outcome = await resourcesOf('etcd-nonlocal-bind', 'etcd-1')[0]?.plan(probe);
    const actions = outcome?.kind === 'change' ? outcome.change.actions : [];
    expect(
      actions.map((action) =>
        action.kind === 'write-file'
          ? action.content.reveal()
          : action.kind === 'run'
            ? action.command.script
            : action.kind,
      ),
    ).toEqual([expect.stringContaining(`${key} = 1\n`), `sysctl -q -w '${key}=1'`]);
  });

  test('what the etcd of a host is configured by matters only to a balancer of the same port', async () => {
    const free = fakeProbe({ listeners: { 8443: [] } });
    const [listen] = resourcesOf('kube-apiserver-proxy', 'etcd-1', BOTH);
    // It asks for nothing else: not for the file of an etcd that others made.
    expect(await listen?.plan(free)).toEqual({ kind: 'unchanged' });
  });

  test('a host outside the group is refused, and so is a load balancer without an address', () => {
    expect(() => resourcesOf('etcd', 'cp-1')).toThrow('cp-1 is not in the group etcd');
    expect(() => resourcesOf('etcd-proxy', 'etcd-1', { ...SAMPLE_CLUSTER, services: [] })).toThrow('etcd_lb_ip');
  });

  test('a virtual IP of version 6 needs the setting of version 6', () => {
    const endpoint = { ip: '2001:db8::100', name: undefined, port: 2379 };
    const [setting] = resourcesOf('etcd-nonlocal-bind', 'etcd-1', withService({ endpoint }));
    expect(setting?.address).toBe('sysctl:net.ipv6.ip_nonlocal_bind');
  });

  test('only the first balancer keeps the generated password, and none when it is given', () => {
    const addresses = (host: string, cluster?: Cluster): readonly string[] =>
      resourcesOf('etcd-virtual-ip', host, cluster).map(({ address }) => address);
    const balancers = SAMPLE_SERVICE.balancers.map((balancer) => ({
      ...balancer,
      keepalived: { ...balancer.keepalived, authPass: new Secret('given') },
    }));
    expect(addresses('etcd-2')).not.toContain('secret:keepalived-auth-pass');
    expect(addresses('etcd-1', withService({ balancers }))).not.toContain('secret:keepalived-auth-pass');
  });
});

const PATHS = {
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

const SCHEDULE = { onCalendar: '*-*-* 02:30', directory: '/srv/50%/etcd', keep: 7 };

/** A table with an entry for each unit of a proxy here. */
function marks(entry: (unit: string) => readonly [string, unknown]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(['haproxy', 'provision-etcd-nginx'].map(entry));
}

/** A host without data of etcd. */
const NO_ETCD = { 'etcd-data': { [etcdDataKey(sampleMember(1))]: NO_DATA } };

/** The file that a role would write on a bare `etcd-1`. */
async function written(role: string, path: string, cluster: Cluster): Promise<Extract<Outcome, { kind: 'change' }>> {
  const probe = fakeProbe({
    // Nothing is down either, and nothing runs yet.
    'file-states': { [path]: { kind: 'absent' }, ...marks((unit) => [markOf(unit).mark, { kind: 'absent' }]) },
    units: marks((unit) => [unit, NOT_INSTALLED]),
    ...NO_ETCD,
    'host-addresses': {
      all: ['10.0.0.1', '2001:db8::1'].map((address) => ({ interface: 'eth0', address, prefixLength: 24 })),
    },
  });
  const outcome = await resourcesOf(role, 'etcd-1', cluster)
    .find(({ address }) => [`file:${path}`, `drop-in:${path}`].includes(address))
    ?.plan(probe);
  if (outcome?.kind !== 'change') throw new Error(`${path} is not written`);
  return outcome;
}

function withFirst(member: Partial<Member>, balancer: Partial<Balancer> = {}): Cluster {
  const [, ...members] = SAMPLE_CLUSTER.members;
  const [, ...balancers] = SAMPLE_SERVICE.balancers;
  return {
    ...withService({ balancers: [{ ...sampleBalancer(1), ...balancer }, ...balancers] }),
    members: [{ ...sampleMember(1), ...member }, ...members],
  };
}

const { proxy, keepalived } = sampleBalancer(1);
const FULL = withFirst(
  { extraEnv: { ETCD_LOG_LEVEL: new MarkedText(['warn']), ETCD_METRICS: new MarkedText(['say "all"']) } },
  {
    proxy: { ...proxy, statsPort: 8404, extraConfig: new MarkedText(['listen extra\n    bind 127.0.0.1:9000\n']) },
    keepalived: { ...keepalived, preempt: true, unicast: false },
  },
);
const SIX: Cluster = {
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

const NGINX = withService({
  proxy: 'nginx',
  balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    proxy: {
      ...balancer.proxy,
      unit: 'provision-etcd-nginx',
      unitFile: '/etc/systemd/system/provision-etcd-nginx.service',
      configFile: '/etc/nginx/provision/etcd.cfg',
    },
  })),
});

/** The same, with two proxies of earlier inventories on each balancer. */
function withFormer(cluster: Cluster): Cluster {
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

const BOTH: Cluster = { ...SAMPLE_CLUSTER, services: [SAMPLE_SERVICE, SAMPLE_APISERVER] };
const BOTH_BY_NGINX: Cluster = {
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
const OWN = withService({
  balancers: SAMPLE_SERVICE.balancers.map((balancer) => ({
    ...balancer,
    proxy: {
      ...balancer.proxy,
      unit: 'provision-etcd-haproxy',
      unitFile: PATHS['haproxy.service'],
      configFile: '/etc/haproxy/provision/etcd.cfg',
    },
    keepalived: {
      ...balancer.keepalived,
      unit: 'provision-etcd-keepalived',
      unitFile: PATHS['keepalived.service'],
      configFile: '/etc/keepalived/provision/etcd.conf',
    },
  })),
});

/** A proxy that ends TLS. */
const ENDS = withService({
  termination: { server: '/etc/haproxy/etcd-server.pem', client: '/etc/haproxy/etcd-proxy.pem' },
});

/** All that monitoring may be shown, and mail. */
const WATCHED: Cluster = {
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
const SAVES = withFirst({ snapshots: SCHEDULE });
const UPLOADS = withFirst({ snapshots: { ...SCHEDULE, upload: ['/opt/put', "it's"] } });

const NGINX_FULL: Cluster = {
  ...NGINX,
  services: NGINX.services.map((service) => ({
    ...service,
    balancers: service.balancers.map((balancer) => ({
      ...balancer,
      proxy: { ...balancer.proxy, extraConfig: new MarkedText(['error_log /var/log/extra;\n']) },
    })),
  })),
};

test('a proxy that ends TLS has a certificate for its clients and one for the members; one that does not has neither', () => {
  const certificates = (cluster: Cluster): readonly string[] =>
    resourcesOf('etcd-proxy', 'etcd-1', cluster).flatMap(({ address }) =>
      address.includes('certificate:') ? [address] : [],
    );
  expect(certificates(ENDS)).toEqual([
    'certificate:/etc/haproxy/etcd-client.pem',
    'certificate:/etc/haproxy/etcd-server.pem',
    'certificate:/etc/haproxy/etcd-proxy.pem',
  ]);
  expect(certificates(SAMPLE_CLUSTER)).toEqual([
    'certificate:/etc/haproxy/etcd-client.pem',
    'unused-certificate:/etc/haproxy/etcd-server.pem',
    'unused-certificate:/etc/haproxy/etcd-proxy.pem',
  ]);
});

describe('rendered files', () => {
  test.each([
    ['etcd', 'etcd.env', 'default', SAMPLE_CLUSTER],
    ['etcd', 'etcd.env', 'extra', FULL],
    ['etcd', 'etcd.env', 'ipv6', SIX],
    ['etcd-proxy', 'haproxy.cfg', 'default', SAMPLE_CLUSTER],
    ['etcd-proxy', 'haproxy.cfg', 'extra', FULL],
    ['etcd-proxy', 'haproxy.cfg', 'ipv6', SIX],
    ['etcd-proxy', 'haproxy.cfg', 'terminate', ENDS],
    ['etcd', 'etcd.env', 'watched', WATCHED],
    ['etcd-proxy', 'haproxy.cfg', 'watched', WATCHED],
    ['etcd-virtual-ip', 'keepalived.conf', 'watched', WATCHED],
    ['etcd-virtual-ip', 'keepalived.conf', 'default', SAMPLE_CLUSTER],
    ['etcd-virtual-ip', 'keepalived.conf', 'extra', FULL],
    ['etcd-virtual-ip', 'keepalived.conf', 'ipv6', SIX],
    ['etcd-virtual-ip', 'check-haproxy', 'default', SAMPLE_CLUSTER],
    ['etcd-virtual-ip', 'proxy-down.conf', 'default', SAMPLE_CLUSTER],
    ['etcd-virtual-ip', 'nginx-down.conf', 'default', NGINX],
    ['etcd-proxy', 'nginx.conf', 'default', NGINX],
    ['etcd-proxy', 'nginx.service', 'default', NGINX],
    ['etcd-proxy', 'nginx.conf', 'extra', NGINX_FULL],
    ['etcd-virtual-ip', 'check-nginx', 'default', NGINX],
    ['kube-apiserver-proxy', 'kube-apiserver.cfg', 'default', BOTH],
    ['kube-apiserver-proxy', 'kube-apiserver.nginx.cfg', 'default', BOTH_BY_NGINX],
    ['kube-apiserver-virtual-ip', 'kube-apiserver.conf', 'default', BOTH],
    ['kube-apiserver-virtual-ip', 'check-kube-apiserver-haproxy', 'default', BOTH],
    ['etcd-proxy', 'haproxy.service', 'default', OWN],
    ['etcd-virtual-ip', 'keepalived.service', 'default', OWN],
    ['etcd', 'etcd-snapshot', 'default', UPLOADS],
    ['etcd', 'etcd-snapshot.service', 'default', SAVES],
    ['etcd', 'etcd-snapshot.service', 'uploads', UPLOADS],
    ['etcd', 'etcd-snapshot.timer', 'default', SAVES],
  ] as const)('%s: %s, %s', async (role, name, variant, cluster) => {
    const { change } = await written(role, PATHS[name], cluster);
    const [action] = change.actions;
    if (action?.kind !== 'write-file') throw new Error('no file is written');
    expectGolden(`fixtures/rendered/${name}.${variant}`, action.content.redacted);
  });

  test('the password of the statistics page lands on the host, for its owner alone, and is shown nowhere', async () => {
    const { change } = await written('etcd-proxy', PATHS['haproxy.cfg'], WATCHED);
    const [action] = change.actions;
    if (action?.kind !== 'write-file') throw new Error('no file is written');
    expect(action.content.reveal()).toContain('    stats auth ops:planted-stats-pass\n');
    expect(action.mode).toBe('0600');
    expect([action.content.redacted, ...change.diff].join('\n')).not.toContain('planted-stats-pass');
  });

  test('the password lands on the host, and is shown nowhere', async () => {
    const outcome = await written('etcd-virtual-ip', PATHS['keepalived.conf'], SAMPLE_CLUSTER);
    const [action] = outcome.change.actions;
    const landed = action?.kind === 'write-file' ? action.content.reveal() : '';
    expect(landed).toContain(`auth_pass ${PLANTED_AUTH_PASS}\n`);
    expect(JSON.stringify(outcome)).not.toContain(PLANTED_AUTH_PASS);
    expect(JSON.stringify({ landed })).toContain(PLANTED_AUTH_PASS);
  });
});

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';

/** Everything that a role could put on a bare host, but for what asks the host for more. */
async function placed(host: string, cluster: Cluster): Promise<readonly Action[]> {
  // Its files are those of the role `etcd`.
  const roles = [...roleTable(ROLE_TOOLS).values()].filter(
    ({ name }) => !['etcd-replacement', 'etcd-quota', 'etcd-recovery'].includes(name),
  );
  const all = roles.flatMap((role) => {
    try {
      return role.resources(namedHost(host), INVENTORY, cluster);
    } catch (error) {
      // Not every host is in every group, and not every service is in the cluster.
      if (error instanceof ProvisionError) return [];
      throw error;
    }
  });
  const files = all.filter(({ address }) => /^(file|certificate):/.test(address));
  const outcomes = await Promise.all(files.map((each) => each.plan(bare(each, host))));
  return outcomes.flatMap((outcome) => (outcome.kind === 'change' ? outcome.change.actions : []));
}

function bare({ paths: [first = '', last = first] }: Resource, host: string): Probe {
  const nothing = { certificate: undefined, key: undefined, pem: '', publicKey: { kind: 'unchecked' } };
  const address = `10.0.0.${host.at(-1) ?? ''}`;
  return fakeProbe(
    {
      'file-states': { [first]: { kind: 'absent' } },
      ...NO_ETCD,
      'certificate-files': { [certificateFilesKey(first, last)]: nothing },
      'host-addresses': { all: [{ interface: 'eth0', address, prefixLength: 24 }] },
      'file-contents': { [MANIFEST]: fixture('manifests/kube-apiserver.yaml') },
      'node-outline': { node: { isContainer: false } },
      'kubeadm-outline': { 'registry.k8s.io': { version: 'v1.30.2', sandboxImage: 'registry.k8s.io/pause:3.9' } },
    },
    {},
    host,
  );
}

/** `path mode` of every file that holds a secret, or a key. */
async function secretFiles(host: string, cluster: Cluster): Promise<readonly string[]> {
  const actions = await placed(host, cluster);
  const found = actions.flatMap((action) => {
    if (action.kind === 'write-file')
      return action.content.reveal() === action.content.redacted ? [] : [`${action.path} ${action.mode}`];
    if (action.kind !== 'issue-certificate') return [];
    const { destination, mode } = action;
    return [`${destination.layout === 'pair' ? destination.keyPath : destination.path} ${mode}`];
  });
  return [...new Set(found)].toSorted();
}

describe('what holds a secret is its owner’s alone', () => {
  const KEYS = [
    '/etc/etcd/pki/client.key 0600',
    '/etc/etcd/pki/peer.key 0600',
    '/etc/etcd/pki/server.key 0600',
    '/etc/haproxy/etcd-client.pem 0600',
    '/etc/keepalived/keepalived.conf 0600',
  ];
  const secret = new MarkedText(['stats auth admin:', new Secret(PLANTED_AUTH_PASS)]);
  const WITH_SECRETS = withFirst({ extraEnv: { ETCD_SECRET: secret } }, { proxy: { ...proxy, extraConfig: secret } });

  test.each([
    ['etcd-1', SAMPLE_CLUSTER, KEYS],
    ['etcd-3', SAMPLE_CLUSTER, KEYS],
    ['cp-1', SAMPLE_CLUSTER, ['/etc/kubernetes/pki/apiserver-etcd-client.key 0600']],
    ['etcd-1', WITH_SECRETS, ['/etc/default/etcd 0600', ...KEYS, '/etc/haproxy/haproxy.cfg 0600'].toSorted()],
    ['etcd-2', WITH_SECRETS, KEYS],
  ])('on %s', async (host, cluster, expected) => {
    expect(await secretFiles(host, cluster)).toEqual(expected);
  });

  test('and what holds none is for all to read, as the packages have it', async () => {
    const written = (await placed('etcd-1', SAMPLE_CLUSTER)).flatMap((action) =>
      action.kind === 'write-file' ? [`${action.path} ${action.mode}`] : [],
    );
    expect(written.toSorted()).toEqual([
      '/etc/default/etcd 0644',
      '/etc/haproxy/haproxy.cfg 0644',
      '/etc/keepalived/keepalived.conf 0600',
      '/usr/local/lib/provision/check-haproxy 0755',
    ]);
  });
});

test('what systemd reads of a further variable of etcd is its value, whatever that is', async () => {
  /** systemd's basic/env-file.c, within double quotes. */
  const read = (quoted: string): string => quoted.slice(1, -1).replaceAll(/\\(["\\`$])/g, '$1');
  const values = ['say "all", "twice"', 'a\\b\\c', '\\', '"', '$HOME `id`', "it's", 'a=b # c', ''];
  const extraEnv = Object.fromEntries(values.map((value, index) => [`ETCD_X${index}`, new MarkedText([value])]));
  const lines = await linesOf('etcd-1', PATHS['etcd.env'], /^ETCD_X/, withFirst({ extraEnv }));
  expect(lines.map((line) => /^ETCD_X\d+=(".*")$/.exec(line)?.[1] ?? line).map(read)).toEqual(values);
});

/** What each host gets in a file: the first word of a line, and what follows it. */
async function linesOf(host: string, path: string, name: RegExp, cluster = SAMPLE_CLUSTER): Promise<readonly string[]> {
  const text = (await placed(host, cluster)).flatMap((action) =>
    action.kind === 'write-file' && action.path === path ? action.content.reveal().split('\n') : [],
  );
  return text.map((line) => line.trim()).filter((line) => name.test(line));
}

describe('each host gets its own', () => {
  test.each([
    ['etcd-1', '10.0.0.1', 100, ['10.0.0.2', '10.0.0.3']],
    ['etcd-2', '10.0.0.2', 99, ['10.0.0.1', '10.0.0.3']],
    ['etcd-3', '10.0.0.3', 98, ['10.0.0.1', '10.0.0.2']],
  ])('keepalived.conf: %s', async (host, address, priority, peers) => {
    expect(
      await linesOf(
        host,
        PATHS['keepalived.conf'],
        /^(router_id|priority|unicast_src_ip|10\.0\.0\.|virtual_router_id|state|auth_pass)/,
      ),
    ).toEqual([
      `router_id ${host}`,
      'state BACKUP',
      'virtual_router_id 100',
      `priority ${priority}`,
      `unicast_src_ip ${address}`,
      ...peers,
      `auth_pass ${PLANTED_AUTH_PASS}`,
      '10.0.0.100/32 dev eth0',
    ]);
  });

  test.each([
    ['etcd-1', '10.0.0.1'],
    ['etcd-3', '10.0.0.3'],
  ])('etcd.env: %s', async (host, address) => {
    expect(await linesOf(host, PATHS['etcd.env'], /^ETCD_(NAME|LISTEN|ADVERTISE|INITIAL)/)).toEqual([
      `ETCD_NAME="${host}"`,
      `ETCD_LISTEN_CLIENT_URLS="https://${address}:2379,https://127.0.0.1:2379"`,
      `ETCD_ADVERTISE_CLIENT_URLS="https://${address}:2379"`,
      `ETCD_LISTEN_PEER_URLS="https://${address}:2380"`,
      `ETCD_INITIAL_ADVERTISE_PEER_URLS="https://${address}:2380"`,
      'ETCD_INITIAL_CLUSTER_STATE="existing"',
      'ETCD_INITIAL_CLUSTER_TOKEN="etcd-cluster"',
      'ETCD_INITIAL_CLUSTER="etcd-1=https://10.0.0.1:2380,etcd-2=https://10.0.0.2:2380,etcd-3=https://10.0.0.3:2380"',
    ]);
  });

  test('haproxy.cfg: the same on every host, with every member', async () => {
    const [first, ...further] = await Promise.all(
      ['etcd-1', 'etcd-2', 'etcd-3'].map((host) => linesOf(host, PATHS['haproxy.cfg'], /./)),
    );
    expect(further).toEqual([first, first]);
    expect(first?.filter((line) => line.startsWith('server '))).toEqual(
      [1, 2, 3].map((n) => `server etcd-${n} 10.0.0.${n}:2379 check-sni etcd-${n} verifyhost etcd-${n}`),
    );
  });

  test('another password, router id or priority where the host’s own variables say so', async () => {
    const own = { ...keepalived, authPass: new Secret('own'), virtualRouterId: 7, priority: 200, advertIntervalS: 3 };
    const cluster = withFirst({}, { keepalived: own });
    const words = /^(virtual_router_id|priority|advert_int|auth_pass)/;
    expect(await linesOf('etcd-1', PATHS['keepalived.conf'], words, cluster)).toEqual([
      'virtual_router_id 7',
      'priority 200',
      'advert_int 3',
      'auth_pass own',
    ]);
    expect(await linesOf('etcd-2', PATHS['keepalived.conf'], words, cluster)).toEqual([
      'virtual_router_id 100',
      'priority 99',
      'advert_int 1',
      `auth_pass ${PLANTED_AUTH_PASS}`,
    ]);
  });

  test('version 3 of VRRP has no password, and none is made for it', async () => {
    const hasty = { ...keepalived, vrrpVersion: 3, advertIntervalS: 0.3 };
    const cluster = withFirst({}, { keepalived: hasty });
    const words = /^(version|virtual_router_id|advert_int|auth_)/;
    expect(await linesOf('etcd-1', PATHS['keepalived.conf'], words, cluster)).toEqual([
      'version 3',
      'virtual_router_id 100',
      'advert_int 0.3',
    ]);
    const addresses = resourcesOf('etcd-virtual-ip', 'etcd-1', cluster).map(({ address }) => address);
    expect(addresses).not.toContain('secret:keepalived-auth-pass');
    expect(addresses).toContain('vrrp-version:10.0.0.100');
  });
});

describe('what a member’s first start was given stays as it is', () => {
  const own = 'etcd-1=https://10.0.0.1:2380';
  async function initialCluster(found: Partial<EtcdData>): Promise<string | undefined> {
    const data = { ...MEMBER_DATA, ...found };
    const probe = fakeProbe({
      'file-states': { '/etc/default/etcd': { kind: 'absent' } },
      'etcd-data': { [etcdDataKey(sampleMember(1))]: data },
    });
    const outcome = await resourcesOf('etcd', 'etcd-1', SAMPLE_CLUSTER)
      .find(({ address }) => address === 'file:/etc/default/etcd')
      ?.plan(probe);
    const [action] = outcome?.kind === 'change' ? outcome.change.actions : [];
    if (action?.kind !== 'write-file') throw new Error('it is not written');
    return /^ETCD_INITIAL_CLUSTER="(.*)"$/m.exec(action.content.reveal())?.[1];
  }
  const wanted = [1, 2, 3].map((number) => `etcd-${number}=https://10.0.0.${number}:2380`).join(',');

  test('where it has data', async () => {
    expect(await initialCluster({ initialCluster: own })).toBe(own);
    expect(await initialCluster({ initialCluster: `${own},gone=https://[2001:db8::9]:2380` })).toMatch(/,gone=/);
  });

  test.each<[string, Partial<EtcdData>]>([
    ['it has none', { hasData: false, initialCluster: own }],
    ['its bootstrap goes on', { isBootstrapping: true, initialCluster: own }],
    ['nothing is there', {}],
    ['it does not name the member itself', { initialCluster: 'etcd-9=https://10.0.0.9:2380' }],
    ['it is no list of members', { initialCluster: `${own},x=https://a"; b` }],
  ])('but not where %s', async (_, found) => {
    expect(await initialCluster(found)).toBe(wanted);
  });
});
