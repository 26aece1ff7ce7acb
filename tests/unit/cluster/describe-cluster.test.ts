import { describe, expect, test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { formatProblem } from '../../../src/model/errors.js';
import { Secret } from '../../../src/model/secret.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { loadFiles } from '../../support/write-inventory.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { serviceNamed, type VirtualService } from '../../../src/model/virtual-service.js';

const etcdOf = (cluster: Cluster): VirtualService | undefined => serviceNamed(cluster, 'etcd');

const hostsOf = (parts: readonly { readonly host: string }[]): readonly string[] => parts.map(({ host }) => host);

describe('the shipped example inventories', () => {
  test.each(['inventory/small/hosts.yaml', 'inventory/ini/hosts.ini', 'inventory/dedicated-balancers/hosts.yaml'])(
    '%s works as it is, without a warning',
    async (path) => {
      const inventory = await loadInventory(path, { provided: PROVIDED_VARIABLES });
      expect(clusterWarnings(inventory).map(formatProblem)).toEqual([]);
      const cluster = describeCluster(inventory);
      expect(cluster.members.length).toBeGreaterThanOrEqual(3);
      expect(cluster.controlPlanes.length).toBeGreaterThanOrEqual(2);
      expect(etcdOf(cluster)?.endpoint).toBeDefined();
      for (const host of inventory.hosts.values()) expect(host.connection.address).not.toBe('');
    },
  );

  test('the small one has the defaults filled in', async () => {
    const cluster = describeCluster(
      await loadInventory('inventory/small/hosts.yaml', { provided: PROVIDED_VARIABLES }),
    );
    expect(cluster.members[1]).toEqual({
      host: 'etcd-2',
      name: 'etcd-2',
      address: '192.0.2.12',
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
    });
    expect(etcdOf(cluster)?.endpoint).toEqual({ ip: '192.0.2.100', name: 'etcd.example.com', port: 2379 });
    expect(hostsOf(etcdOf(cluster)?.balancers ?? [])).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
    expect(etcdOf(cluster)?.balancers.map(({ keepalived }) => keepalived.priority)).toEqual([100, 99, 98]);
    expect(etcdOf(cluster)?.balancers[0]?.keepalived.virtualRouterId).toBe(100);
    expect(cluster.certificates.store).toMatch(/\/inventory\/small\/pki$/);
  });

  test('the dedicated balancers have their own settings', async () => {
    const cluster = describeCluster(
      await loadInventory('inventory/dedicated-balancers/hosts.yaml', { provided: PROVIDED_VARIABLES }),
    );
    expect(hostsOf(etcdOf(cluster)?.balancers ?? [])).toEqual(['lb-1.example.com', 'lb-2.example.com']);
    expect(etcdOf(cluster)?.balancers.map(({ keepalived }) => keepalived.priority)).toEqual([100, 50]);
    expect(cluster.members[2]?.address).toBe('198.51.100.13');
    expect(String(cluster.members[0]?.extraEnv['ETCD_LOG_LEVEL'])).toBe('warn');
    expect(cluster.certificates.altNames).toEqual(['etcd.example.com', 'etcd.kube-system.svc']);
  });
});

describe('describeCluster', () => {
  const MEMBERS = '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n';

  test('reads the texts that INI inventories give as what they mean', async () => {
    const variables =
      'etcd_lb_ip=192.0.2.9\netcd_lb_enabled=true\nkeepalived_unicast=no\netcd_lb_port="6379"\nkeepalived_auth_pass=s3cret\netcd_cert_alt_names=a.example.com, b.example.com';
    const cluster = describeCluster(await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${variables}\n` }));
    expect(etcdOf(cluster)?.endpoint).toEqual({ ip: '192.0.2.9', name: undefined, port: 6379 });
    expect(etcdOf(cluster)?.balancers[0]?.keepalived.unicast).toBe(false);
    expect(etcdOf(cluster)?.balancers[0]?.keepalived.authPass).toEqual(new Secret('s3cret'));
    expect(cluster.certificates.altNames).toEqual(['a.example.com', 'b.example.com']);
  });

  test('without a virtual IP, or switched off, there is no balancer', async () => {
    const plain = describeCluster(await loadFiles({ hosts: MEMBERS }));
    expect(plain.services).toEqual([]);
    const off = describeCluster(
      await loadFiles({ hosts: `${MEMBERS}[all:vars]\netcd_lb_ip=192.0.2.9\netcd_lb_enabled=false\n` }),
    );
    expect(off.services).toEqual([]);
  });

  test('a kubespray inventory is taken as it is, and what it sets for others is only noted', async () => {
    const inventory = await loadInventory('fixtures/inventories/kubespray/inventory.ini', {
      provided: PROVIDED_VARIABLES,
    });
    const cluster = describeCluster(inventory);
    expect(cluster.members.map(({ name, address }) => [name, address])).toEqual([
      ['etcd1', '10.3.0.1'],
      ['etcd2', '10.3.0.2'],
      ['etcd3', '10.3.0.3'],
    ]);
    expect(clusterWarnings(inventory).map(({ subject }) => subject)).toEqual([
      'etcd_deployment_type, etcd_kubeadm_enabled, etcd_events_cluster_enabled, etcd_memory_limit, etcd_metrics',
    ]);
  });

  test('an adopted etcd is where its variables say', async () => {
    const variables = [
      'etcd_managed=false etcd_unit=etcd3.service etcd_cert_file=/ssl/{{ inventory_hostname }}.pem etcd_key_file=/ssl/key.pem',
      'etcd_trusted_ca_file=/ssl/ca.pem etcd_client_cert_file=/ssl/client.pem etcd_client_key_file=/ssl/client_key.pem',
    ];
    const all = variables.join(' ').replaceAll(' etcd_', '\netcd_');
    const { isManaged, members } = describeCluster(await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${all}\n` }));
    expect(isManaged).toBe(false);
    expect(members[0]).toMatchObject({
      unit: 'etcd3',
      clientUrl: 'https://192.0.2.1:2379',
      server: { certificate: '/ssl/a.pem', key: '/ssl/key.pem' },
      client: { ca: '/ssl/ca.pem', certificate: '/ssl/client.pem', key: '/ssl/client_key.pem' },
    });
  });

  test('an adopted etcd of which too little is known is refused, with what would find it', async () => {
    const inventory = await loadFiles({ hosts: `${MEMBERS}[all:vars]\netcd_managed=false\n` });
    expect(() => describeCluster(inventory)).toThrow(
      /hosts:2:1: a: etcd_cert_file is not set, and etcd_managed is false: `provision adopt INVENTORY` finds it\n.*etcd_key_file/,
    );
  });

  test('what describes an adopted etcd is refused for a managed one, and not silently left out', async () => {
    const inventory = await loadFiles({ hosts: MEMBERS.replace('b ', 'b etcd_unit=etcd3 ') });
    expect(() => describeCluster(inventory)).toThrow(/hosts:3:3: etcd_unit: describes an existing etcd cluster/);
  });

  test('priorities that are set are left, the others are free ones', async () => {
    const hosts = MEMBERS.replace('b ', 'b keepalived_priority=100 ');
    const cluster = describeCluster(await loadFiles({ hosts: `${hosts}[all:vars]\netcd_lb_ip=192.0.2.9\n` }));
    expect(etcdOf(cluster)?.balancers.map(({ keepalived }) => keepalived.priority)).toEqual([99, 100, 98]);
  });

  const WITH_IP = `${MEMBERS}[all:vars]\netcd_lb_ip=192.0.2.9\n`;

  test.each([
    ['0.3', '3', { advertIntervalS: 0.3, vrrpVersion: 3 }],
    ['0.1', '3', { advertIntervalS: 0.1, vrrpVersion: 3 }],
    ['40', '2', { advertIntervalS: 40, vrrpVersion: 2 }],
    ['1', '3', { advertIntervalS: 1, vrrpVersion: 3 }],
  ])('adverts each %s s with VRRP version %s', async (interval, version, expected) => {
    const hosts = `${WITH_IP}keepalived_advert_int=${interval}\nkeepalived_vrrp_version=${version}\n`;
    const cluster = describeCluster(await loadFiles({ hosts }));
    expect(etcdOf(cluster)?.balancers.map(({ keepalived }) => keepalived)).toMatchObject([
      expected,
      expected,
      expected,
    ]);
  });

  test.each([
    ['0.3', '2', /keepalived_advert_int: 0\.3 needs VRRP version 3; expected whole seconds/],
    ['0.35', '3', /expected whole seconds from 1 to 40, or 0\.1 to 0\.9/],
    ['1.5', '3', /expected whole seconds from 1 to 40, or 0\.1 to 0\.9/],
    ['0', '3', /expected whole seconds from 1 to 40, or 0\.1 to 0\.9/],
    ['41', '3', /expected whole seconds from 1 to 40, or 0\.1 to 0\.9/],
    ['-1', '3', /expected whole seconds from 1 to 40, or 0\.1 to 0\.9/],
    ['1', '4', /keepalived_vrrp_version: .*expected a whole number from 2 to 3/],
  ])('adverts each %s s with VRRP version %s are refused', async (interval, version, words) => {
    const inventory = await loadFiles({
      hosts: `${WITH_IP}keepalived_advert_int=${interval}\nkeepalived_vrrp_version=${version}\n`,
    });
    expect(() => describeCluster(inventory)).toThrow(words);
  });

  test('a password has no effect with VRRP version 3, and says so', async () => {
    const own = 'keepalived_auth_pass=s3cret\n';
    const warningsOf = async (more: string): Promise<readonly string[]> =>
      clusterWarnings(await loadFiles({ hosts: `${WITH_IP}${own}${more}` })).map(({ message }) => message);
    const words = expect.stringContaining('has no effect: VRRP version 3 has no password');
    expect(await warningsOf('keepalived_vrrp_version=3\n')).toContainEqual(words);
    expect(await warningsOf('')).not.toContainEqual(words);
  });

  test('IPv6 has VRRP version 3 in any case', async () => {
    const hosts =
      '[etcd]\na ip=2001:db8::1\nb ip=2001:db8::2\n[all:vars]\netcd_lb_ip=2001:db8::9\nkeepalived_advert_int=0.5\n';
    const cluster = describeCluster(await loadFiles({ hosts }));
    expect(etcdOf(cluster)?.balancers[0]?.keepalived).toMatchObject({ vrrpVersion: 3, advertIntervalS: 0.5 });
  });

  test('an encrypted value without the password is one of the problems', async () => {
    const vault = 'keepalived_auth_pass: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\netcd_lb_ip: 192.0.2.9\n';
    const inventory = await loadFiles({ hosts: MEMBERS, 'group_vars/all.yml': vault });
    expect(() => describeCluster(inventory)).toThrow(
      /group_vars\/all\.yml:1:1: keepalived_auth_pass: .*there is no password/,
    );
  });

  test('derived variables serve templates, also those of other variables', async () => {
    const inventory = await loadFiles({
      hosts: `${MEMBERS}[all:vars]\netcd_lb_ip=192.0.2.9\nservers="{{ etcd_access_addresses }}"\n`,
    });
    const get = (name: string): unknown => inventory.hosts.get('a')?.variables.get(name);
    expect(get('servers')).toBe('https://192.0.2.9:2379');
    expect(get('etcd_lb_address')).toBe('https://192.0.2.9:2379');
    expect(get('etcd_access_addresses_direct')).toBe(
      'https://192.0.2.1:2379,https://192.0.2.2:2379,https://192.0.2.3:2379',
    );
    expect(get('etcd_peer_addresses')).toBe(
      'a=https://192.0.2.1:2380,b=https://192.0.2.2:2380,c=https://192.0.2.3:2380',
    );
    expect(String(inventory.render('a', '{{ etcd_cert_paths.client.cert }}'))).toBe(
      '/etc/kubernetes/pki/apiserver-etcd-client.crt',
    );
  });

  test('without a load balancer, etcd_lb_address is undefined and clients use the members', async () => {
    const inventory = await loadFiles({ hosts: MEMBERS });
    expect(String(inventory.render('a', '{{ etcd_access_addresses }}'))).toMatch(/^https:\/\/192\.0\.2\.1:2379,/);
    expect(() => inventory.render('a', '{{ etcd_lb_address }}')).toThrow("'etcd_lb_address' is undefined");
  });

  test.each([
    ['"a\\nETCD_FORCE_NEW_CLUSTER=true"', 'is not a valid host name'],
    ['"a=b"', 'cannot be the name of an etcd member'],
    ['"a b"', 'is not a valid host name'],
    ['"{{ x }}"', 'is not a valid host name'],
  ])('the host %s is refused: its name would stand in files of the hosts', async (name, message) => {
    const hosts = `all:\n  children:\n    etcd:\n      hosts:\n        ${name}: { ip: 192.0.2.1 }\n`;
    const inventory = await loadFiles({ 'hosts.yml': hosts });
    expect(() => describeCluster(inventory)).toThrow(message);
  });

  test('a host of any name is a member by the name that is set for it', async () => {
    const inventory = await loadFiles({ hosts: '[etcd]\n192.0.2.1 etcd_member_name=one\n' });
    expect(describeCluster(inventory).members[0]?.name).toBe('one');
  });

  test.each(['192.0.2.0', '192.0.2.255', '127.0.0.1', '224.0.0.18', '0.0.0.0', '255.255.255.255'])(
    'the virtual IP %s is refused: no host can hold it',
    async (ip) => {
      const text = `${MEMBERS}[all:vars]\netcd_lb_ip=${ip}\nkeepalived_network=192.0.2.0/24\n`;
      const inventory = await loadFiles({ hosts: text });
      expect(() => describeCluster(inventory)).toThrow(/can hold/);
    },
  );

  const IPV6 = '[etcd]\netcd-1 ip=2001:DB8::0:1\netcd-2 ip=2001:db8::2\netcd-3 ip=2001:db8::3\n';

  test.each(['2001:db8::', '2001:DB8:0:0::0', 'fe80::5', 'ff02::12', '::1', '::'])(
    'the virtual IP %s is refused: no host can hold it for others',
    async (ip) => {
      const text = `${IPV6}[all:vars]\netcd_lb_ip=${ip}\nkeepalived_network=2001:db8::/64\n`;
      const inventory = await loadFiles({ hosts: text });
      expect(() => describeCluster(inventory)).toThrow(/can hold/);
    },
  );

  test('an IPv6 address is the same in every spelling, and is written as the kernel writes it', async () => {
    const inventory = await loadFiles({ hosts: `${IPV6}[all:vars]\netcd_lb_ip=2001:DB8:0::00:A\n` });
    const { members, services } = describeCluster(inventory);
    expect([members[0]?.address, services[0]?.endpoint.ip]).toEqual(['2001:db8::1', '2001:db8::a']);
    const same = await loadFiles({ hosts: `${IPV6}[all:vars]\netcd_lb_ip=2001:0db8::1\n` });
    expect(() => describeCluster(same)).toThrow('is ip of etcd-1; the virtual IP must be an address that no host has');
  });

  test.each([
    'etcd_user',
    'etcd_bin_dir',
    'etcd_cert_dir',
    'etcd_init',
    'keepalived_vip',
    'haproxy_config_files',
    'etcd_peer_ports',
  ])("%s is another role's: a warning, and no more", async (name) => {
    const inventory = await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${name}=1\n` });
    expect(() => describeCluster(inventory)).not.toThrow();
    expect(clusterWarnings(inventory).map(({ subject }) => subject)).toEqual([expect.stringContaining(name)]);
  });

  test.each([
    ['etcd_dta_dir', 'etcd_data_dir'],
    ['etcd_lbip', 'etcd_lb_ip'],
    ['keepalived_interfcae', 'keepalived_interface'],
    ['haproxy_maxcon', 'haproxy_maxconn'],
    ['nginx_maxcon', 'nginx_maxconn'],
    ['nginx_fail_timout', 'nginx_fail_timeout'],
  ])('%s is a slip beyond doubt, and an error', async (name, meant) => {
    const inventory = await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${name}=1\n` });
    expect(() => describeCluster(inventory)).toThrow(`${name}: unknown variable; did you mean ${meant}?`);
  });

  test.each(['nginx_worker_connections', 'nginx_keepalive_timeout', 'nginx_extra_conf_options', 'nginx_user'])(
    "%s is a web server's: not a word",
    async (name) => {
      const inventory = await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${name}=1\n` });
      expect(() => describeCluster(inventory)).not.toThrow();
      expect(clusterWarnings(inventory)).toEqual([]);
    },
  );

  test.each([
    ['etcd_lb_ip', 'fe80::1%eth0', 'expected an IP address'],
    ['etcd_cert_alt_ips', 'fe80::1%eth0', 'expected'],
  ])('an address of one host’s own zone is refused: %s', async (name, value, words) => {
    const inventory = await loadFiles({ hosts: `${MEMBERS}[all:vars]\n${name}=${value}\n` });
    expect(() => describeCluster(inventory)).toThrow(words);
    const own = await loadFiles({ hosts: `[etcd]\na ansible_host=${value}\nb ip=${value} ansible_host=192.0.2.2\n` });
    expect(() => describeCluster(own)).toThrow(/\ba\b[^]*\bb\b/);
  });

  test('a further variable of etcd has one line, also where a secret has more', async () => {
    const vault = encryptVault('planted\nmore\n', 'password').replace(/^/gm, '  ');
    const vaultPassword = new Secret('password');
    for (const value of ['"a\\nb"', '"{{ p }}"', '"a\\0b"', '"a\\n"']) {
      const files = {
        hosts: MEMBERS,
        'group_vars/all.yml': `p: !vault |\n${vault}\netcd_extra_env: { ETCD_X: ${value} }\n`,
      };
      const inventory = await loadFiles(files, { vaultPassword });
      expect(() => describeCluster(inventory)).toThrow(/etcd_extra_env\.ETCD_X: .*expected a text in one line/);
      expect(() => describeCluster(inventory)).not.toThrow(/planted/);
    }
  });

  test('secrets may stand where they are kept out of sight, and nowhere else', async () => {
    const vault = encryptVault('planted', 'password').replace(/^/gm, '  ');
    const files = {
      hosts: `${MEMBERS}[all:vars]\netcd_lb_ip=192.0.2.9\n`,
      'group_vars/all.yml': `p: !vault |\n${vault}\nhaproxy_extra_config: "userlist u\\n  user x password {{ p }}"\netcd_extra_env: { ETCD_X: "{{ p | upper }}", ETCD_Y: 3 }\n`,
    };
    const vaultPassword = new Secret('password');
    const cluster = describeCluster(await loadFiles(files, { vaultPassword }));
    expect(JSON.stringify(cluster)).not.toMatch(/planted/i);
    expect(String(cluster.services[0]?.balancers[0]?.proxy.extraConfig)).toBe(
      'userlist u\n  user x password [redacted]',
    );
    expect(cluster.members[0]?.extraEnv['ETCD_X']?.reveal()).toBe('PLANTED');
    expect(String(cluster.members[0]?.extraEnv['ETCD_Y'])).toBe('3');
    const shown = await loadFiles({ ...files, 'host_vars/a.yml': `etcd_data_dir: "/{{ p }}"\n` }, { vaultPassword });
    expect(() => describeCluster(shown)).toThrow('etcd_data_dir: is a vault value, or computed from one');
  });
});

describe('API servers behind a virtual IP', () => {
  const MEMBERS = '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n';
  const CONTROL = '[kube_control_plane]\ncp1 ip=192.0.2.11\ncp2 ip=192.0.2.12\n';
  const NODES = '[kube_node]\nw1 ip=192.0.2.21\ncp2\n';
  const described = async (variables: string, more = ''): Promise<Cluster> =>
    describeCluster(await loadFiles({ hosts: `${MEMBERS}${CONTROL}${NODES}${more}[all:vars]\n${variables}\n` }));
  const apiserverOf = (cluster: Cluster): VirtualService | undefined => serviceNamed(cluster, 'kube-apiserver');

  test('are balanced by the control planes, unless there are hosts of their own', async () => {
    const cluster = await described('kube_apiserver_lb_ip=192.0.2.200');
    expect(etcdOf(cluster)).toBeUndefined();
    const service = apiserverOf(cluster);
    expect(service?.endpoint).toEqual({ ip: '192.0.2.200', name: undefined, port: 8443 });
    expect(hostsOf(service?.balancers ?? [])).toEqual(['cp1', 'cp2']);
    expect(service?.backends.map(({ address, port }) => [address, port])).toEqual([
      ['192.0.2.11', 6443],
      ['192.0.2.12', 6443],
    ]);
    const apart = await described(
      'kube_apiserver_lb_ip=192.0.2.200',
      '[kube_apiserver_lb]\nlb1 ip=192.0.2.31\nlb2 ip=192.0.2.32\n',
    );
    expect(hostsOf(apiserverOf(apart)?.balancers ?? [])).toEqual(['lb1', 'lb2']);
  });

  test('are reached for hours, beside what serves etcd, from every node', async () => {
    const service = apiserverOf(
      await described(
        'kube_apiserver_lb_ip=192.0.2.200\nkube_apiserver_lb_timeout=8h\nhaproxy_stats_port=8404\nhaproxy_extra_config=x',
      ),
    );
    expect(service?.balancers[0]?.proxy).toMatchObject({
      ...{ unit: 'provision-kube-apiserver-haproxy', configFile: '/etc/haproxy/provision/kube-apiserver.cfg' },
      ...{ timeoutClient: '8h', timeoutServer: '8h', timeoutTunnel: '8h' },
      ...{ statsPort: undefined, extraConfig: undefined, extraVariable: 'kube_apiserver_lb_extra_config' },
    });
    expect(
      service?.balancers.map(({ keepalived }) => [keepalived.unit, keepalived.virtualRouterId, keepalived.priority]),
    ).toEqual([
      ['provision-kube-apiserver-keepalived', 200, 100],
      ['provision-kube-apiserver-keepalived', 200, 99],
    ]);
    expect(hostsOf(service?.clients ?? [])).toEqual(['cp1', 'cp2', 'w1']);
    expect(service?.clients[2]?.files).toEqual({ ca: '/etc/kubernetes/pki/ca.crt' });
    expect(hostsOf(service?.observers ?? [])).toEqual(['w1', 'cp2', 'cp1']);
    expect(service?.health).toMatchObject({ path: '/readyz', bundle: undefined });
  });

  test.each(['no', 'yes'])('share nothing with etcd, no port, unit, file or id; own instance: %s', async (isOwn) => {
    const cluster = await described(
      `etcd_lb_ip=192.0.2.100\nkube_apiserver_lb_ip=192.0.2.200\netcd_lb_own_instance=${isOwn}`,
      '[kube_apiserver_lb]\na\nb\n',
    );
    const [one, other] = cluster.services.map(({ health, places, balancers: [first] }) => [
      ...[health.ownPort, health.trust.path, places.checkScript, places.nonlocalBind],
      ...[first?.proxy.unit, first?.proxy.configFile],
      ...[first?.keepalived.unit, first?.keepalived.configFile, first?.keepalived.virtualRouterId],
    ]);
    expect(new Set(one).size).toBe(9);
    expect(other?.filter((each) => one?.includes(each))).toEqual([]);
  });

  test('the variables and the group of others are left alone while there is no such address', async () => {
    const cluster = await described(
      'kube_apiserver_port=6443',
      '[kube_apiserver_lb]\nsomebody ansible_host=lb.example.com\n',
    );
    expect(cluster.services).toEqual([]);
  });

  test('an API server that listens on its own address leaves its port free', async () => {
    const bound = await described(
      'kube_apiserver_lb_ip=192.0.2.200\nkube_apiserver_lb_port=6443\nkube_apiserver_bind_address={{ ip }}',
    );
    expect(apiserverOf(bound)?.endpoint.port).toBe(6443);
  });

  test.each([
    [
      'etcd_lb_ip=192.0.2.200',
      'kube_apiserver_lb_ip: 192.0.2.200 is the virtual IP of etcd, too; expected another free address',
    ],
    [
      'etcd_lb_ip=192.0.2.100\nkeepalived_vrid=200',
      'kube_apiserver_lb_vrid: 200 is the virtual router id of etcd (192.0.2.100), too; set kube_apiserver_lb_vrid to another unused one',
    ],
    [
      'kube_apiserver_lb_port=6443',
      'kube_apiserver_lb_port: 6443: the kube-apiserver of cp1 listens there on all addresses; set kube_apiserver_lb_port to another one, or put hosts of their own into the group kube_apiserver_lb',
    ],
    [
      'kube_apiserver_lb_port=6443\nkube_apiserver_bind_address=0.0.0.0',
      'kube_apiserver_lb_port: 6443: the kube-apiserver of cp1 listens there',
    ],
    ['kube_apiserver_lb_timout=6h', 'unknown variable; did you mean kube_apiserver_lb_timeout?'],
  ])('%s is refused', async (variables, message) => {
    await expect(described(`kube_apiserver_lb_ip=192.0.2.200\n${variables}`)).rejects.toThrow(message);
  });

  test('an address without control planes is refused, and so is one that a host has', async () => {
    const alone = await loadFiles({ hosts: `${MEMBERS}[all:vars]\nkube_apiserver_lb_ip=192.0.2.200\n` });
    expect(() => describeCluster(alone)).toThrow(
      'kube_apiserver_lb_ip: is set, and the inventory has no hosts that serve kube-apiserver',
    );
    await expect(described('kube_apiserver_lb_ip=192.0.2.11')).rejects.toThrow('192.0.2.11 is ip of cp1');
  });

  test('templates see it by the name that plays ask for', async () => {
    const inventory = await loadFiles({
      hosts: `${MEMBERS}${CONTROL}[kube_control_plane:vars]\nkube_apiserver_lb_ip=192.0.2.200\n`,
    });
    const address = (host: string) => inventory.hosts.get(host)?.variables.get('kube_apiserver_lb_address');
    expect([address('a'), address('cp1')]).toEqual(['https://192.0.2.200:8443', 'https://192.0.2.200:8443']);
    expect(inventory.test('a', 'kube_apiserver_lb_address is defined')).toBe(true);
    const without = await loadFiles({ hosts: `${MEMBERS}${CONTROL}` });
    expect(without.test('cp1', 'kube_apiserver_lb_address is defined')).toBe(false);
  });
});

describe('former load balancers', () => {
  const hosts = (...lines: readonly string[]): string => `
all:
  vars: { etcd_lb_ip: 10.0.0.100 }
etcd:
  hosts:
    a: { ansible_host: 10.0.0.1 }
    lb-old: { ansible_host: 10.0.0.9 }
${lines.join('\n')}
`;

  test('are balancers with settings of their own, and not asked to be any more', async () => {
    const lines = [
      'etcd_lb: { hosts: { a: } }',
      'etcd_lb_former: { hosts: { lb-old: { haproxy_config_file: /etc/old.cfg } } }',
    ];
    const etcd = etcdOf(describeCluster(await loadFiles({ 'hosts.yaml': hosts(...lines) })));
    expect(hostsOf(etcd?.balancers ?? [])).toEqual(['a']);
    expect(hostsOf(etcd?.formerBalancers ?? [])).toEqual(['lb-old']);
    expect(etcd?.formerBalancers[0]?.proxy.configFile).toBe('/etc/old.cfg');
    expect(etcd?.clients.map(({ host }) => host)).toEqual(['a']);
  });

  test.each([
    [['etcd_lb: { hosts: { a: , lb-old: } }'], 'is in the group etcd_lb'],
    [[], 'is a load balancer, for there is no group etcd_lb'],
  ])('that are balancers are refused, with their place (%j)', async (lines, words) => {
    const inventory = await loadFiles({ 'hosts.yaml': hosts(...lines, 'etcd_lb_former: { hosts: { lb-old: } }') });
    expect(() => describeCluster(inventory)).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            subject: 'lb-old',
            at: expect.objectContaining({ line: 7 }),
            message: expect.stringContaining(words),
          }),
        ],
      }),
    );
  });

  test.each(['etcd_lb_formers', 'etcd-lb-former', 'etcd_lb_fromer'])(
    'the group %s is reported to mean nothing',
    async (group) => {
      const lines = ['etcd_lb: { hosts: { a: } }', `${group}: { hosts: { lb-old: } }`];
      const warnings = clusterWarnings(await loadFiles({ 'hosts.yaml': hosts(...lines) })).map(formatProblem);
      expect(warnings).toContainEqual(
        expect.stringMatching(/group .*: this program knows no such group.*; did you mean etcd_lb_former\?/),
      );
    },
  );

  test('an address of API servers has a group of its own for them', async () => {
    const lines = [
      'kube_control_plane: { hosts: { cp: { ansible_host: 10.0.0.5, kube_apiserver_lb_ip: 10.0.0.101 } } }',
      'kube_apiserver_lb_former: { hosts: { lb-old: } }',
    ];
    const cluster = describeCluster(await loadFiles({ 'hosts.yaml': hosts(...lines) }));
    expect(hostsOf(serviceNamed(cluster, 'kube-apiserver')?.formerBalancers ?? [])).toEqual(['lb-old']);
    expect(etcdOf(cluster)?.formerBalancers).toEqual([]);
  });
});

describe('former members', () => {
  const hosts = (...lines: readonly string[]): string => `
all:
  vars: { etcd_lb_ip: 10.0.0.100 }
etcd:
  hosts:
    a: { ansible_host: 10.0.0.1 }
${lines.join('\n')}
`;
  const B = 'etcd_former: { hosts: { b: { ansible_host: 10.0.0.2, etcd_data_dir: /srv/etcd } } }';

  test('are members with settings of their own, and none of the cluster', async () => {
    const cluster = describeCluster(await loadFiles({ 'hosts.yaml': hosts(B) }));
    expect(hostsOf(cluster.members)).toEqual(['a']);
    expect(cluster.formerMembers).toMatchObject([{ host: 'b', address: '10.0.0.2', dataDir: '/srv/etcd' }]);
    expect(etcdOf(cluster)?.backends.map(({ host }) => host)).toEqual(['a']);
    expect(cluster.inventory).toEqual({ file: expect.stringMatching(/hosts\.yaml$/), hosts: ['a', 'b'] });
  });

  test.each([
    ['they were load balancers as members', [], ['b']],
    ['load balancers are named', ['etcd_lb: { hosts: { b: } }'], []],
    ['former load balancers are named', ['etcd_lb_former: { hosts: { c: { ansible_host: 10.0.0.3 } } }'], ['c']],
  ])('leave the load balancers, too, where %s', async (_, lines, former) => {
    const cluster = describeCluster(await loadFiles({ 'hosts.yaml': hosts(B, ...lines) }));
    expect(hostsOf(etcdOf(cluster)?.formerBalancers ?? [])).toEqual(former);
  });

  test('that are stacked are where kubeadm puts them, but for what is said otherwise', async () => {
    const more = 'etcd_member_name: cp-b, etcd_client_key_file: /own/client.key';
    const text = `etcd_former: { hosts: { b: { ansible_host: 10.0.0.2, etcd_manifest: /m/etcd.yaml, ${more} } } }`;
    const cluster = describeCluster(
      await loadFiles({ 'hosts.yaml': hosts(text, 'kube_control_plane: { hosts: { b: } }') }),
    );
    const pki = '/etc/kubernetes/pki/etcd';
    expect(cluster.formerMembers).toMatchObject([
      {
        ...{ host: 'b', name: 'cp-b', manifest: '/m/etcd.yaml', configFile: undefined, dataDir: '/var/lib/etcd' },
        clientUrl: 'https://127.0.0.1:2379',
        server: { certificate: `${pki}/server.crt`, key: `${pki}/server.key` },
        client: { ca: `${pki}/ca.crt`, certificate: `${pki}/healthcheck-client.crt`, key: '/own/client.key' },
      },
    ]);
  });

  test('that are stacked can only leave', async () => {
    const text = hosts().replace('10.0.0.1 }', '10.0.0.1, etcd_manifest: /m/etcd.yaml }');
    const inventory = await loadFiles({ 'hosts.yaml': text });
    expect(() => describeCluster(inventory)).toThrow(/etcd_manifest: names a stacked member, which can only leave/);
  });

  test.each<[string, string, readonly string[], object]>([
    [
      'that are members',
      hosts('etcd_former: { hosts: { a: } }'),
      ['a', "is in the group etcd, and in etcd_former: it can't stay and leave; take it out of one"],
      { line: 6, column: 5 },
    ],
    [
      'of an etcd that was adopted',
      hosts(B).replace('vars: {', 'vars: { etcd_managed: false,'),
      ['group etcd_former', 'in the order of docs/runbooks/remove-a-member.md'],
      { line: 7, column: 1 },
    ],
    [
      'that are stacked, and whose API servers nobody would move',
      hosts('etcd_former: { hosts: { b: { ansible_host: 10.0.0.2, etcd_manifest: /m/etcd.yaml } } }'),
      ['b', 'has a stacked etcd, and is not in kube_control_plane: its API server would lose its etcd'],
      { line: 7 },
    ],
    [
      'that have the address of a member',
      hosts('etcd_former: { hosts: { b: { ansible_host: 10.0.0.1 } } }'),
      ['b', 'has the address 10.0.0.1, which a has too'],
      { line: 7 },
    ],
    [
      'that have the name of a member',
      hosts('etcd_former: { hosts: { b: { ansible_host: 10.0.0.2, etcd_member_name: a } } }'),
      ['etcd_member_name', "'a' is the name of both a and b"],
      { line: 7 },
    ],
  ])('%s are refused, with their place', async (_, text, [subject = '', words = ''], at) => {
    const inventory = await loadFiles({ 'hosts.yaml': text });
    expect(() => describeCluster(inventory)).toThrow(
      expect.objectContaining({
        problems: expect.arrayContaining([
          expect.objectContaining({
            subject,
            at: expect.objectContaining(at),
            message: expect.stringContaining(words),
          }),
        ]),
      }),
    );
  });

  test.each(['etcd_formers', 'etcd-former', 'former_etcd'])(
    'the group %s is reported to mean nothing',
    async (group) => {
      const warnings = clusterWarnings(await loadFiles({ 'hosts.yaml': hosts(B.replace('etcd_former', group)) }));
      expect(warnings.map(formatProblem)).toContainEqual(expect.stringMatching(/did you mean etcd_former\?/));
    },
  );
});
