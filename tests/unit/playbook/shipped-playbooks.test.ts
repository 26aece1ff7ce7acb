import { readdir } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { orderTable } from '../../../src/gates/orders.js';
import { gateTable } from '../../../src/gates/table.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { loadFiles } from '../../support/write-inventory.js';

/** What a play does to whom, and how carefully; without its name, which is for people. */
interface Shape {
  readonly hosts: string;
  readonly roles: readonly string[];
  readonly become?: true;
  readonly serial?: number;
  readonly order?: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly when?: string | readonly string[];
}

const AUTHORITY: Shape = { hosts: 'etcd', roles: ['pki'] };
const RELEASE: Shape = {
  hosts: 'etcd',
  become: true,
  when: 'etcd_install is defined and etcd_install is not none',
  roles: ['etcd-release'],
};
const MEMBERS: Shape = {
  hosts: 'etcd',
  become: true,
  serial: 1,
  order: 'leader-last',
  before: ['etcd-can-spare-batch'],
  after: ['etcd-healthy'],
  roles: ['etcd'],
};
const SETTLED: Shape = { hosts: 'etcd', become: true, before: ['etcd-healthy'], roles: ['etcd-settled'] };
const JOINING: readonly Shape[] = [
  {
    hosts: 'etcd',
    become: true,
    serial: 1,
    order: 'learner-first',
    before: ['etcd-serves-without-batch'],
    after: ['etcd-healthy'],
    roles: ['etcd-joining'],
  },
  { ...MEMBERS, roles: ['etcd-joined'] },
];
const LEAVING: readonly Shape[] = [
  {
    hosts: 'etcd',
    become: true,
    when: "groups['etcd_former'] is defined",
    serial: 1,
    before: ['former-members-may-leave', 'etcd-healthy'],
    after: ['etcd-healthy'],
    roles: ['etcd-lost-leaving'],
  },
  {
    hosts: 'etcd_former',
    become: true,
    serial: 1,
    order: 'leader-last',
    before: ['former-members-may-leave', 'etcd-serves-without-batch'],
    after: ['etcd-healthy'],
    roles: ['etcd-leaving'],
  },
];
const NODES_LEAVING: readonly Shape[] = [
  {
    hosts: 'kube_control_plane',
    become: true,
    when: "groups['kube_node_former'] is defined",
    before: ['former-nodes-may-leave'],
    roles: ['kubernetes-lost-leaving'],
  },
  {
    hosts: 'kube_node_former',
    become: true,
    serial: 1,
    before: ['former-nodes-may-leave', 'etcd-healthy'],
    after: ['apiserver-ready', 'etcd-healthy'],
    roles: ['kubernetes-leaving'],
  },
];
const LISTS: Shape = { hosts: 'kube_node:kube_control_plane', become: true, roles: ['package-lists'] };
const UPGRADED: readonly Shape[] = [
  LISTS,
  {
    hosts: 'kube_node:kube_control_plane',
    become: true,
    serial: 1,
    before: [
      ...['apiserver-can-spare-batch', 'etcd-keeps-quorum-without-batch'],
      ...['vip-can-spare-batch: etcd', 'vip-can-spare-batch: kube-apiserver'],
    ],
    after: [
      ...['apiserver-ready', 'kubelet-ready', 'etcd-healthy', 'backends-up: etcd', 'keepalived-one-holder: etcd'],
      ...['backends-up: kube-apiserver', 'keepalived-one-holder: kube-apiserver'],
    ],
    roles: ['node-upgrade'],
  },
];
const OWN = "etcd_lb_provider | default('own', true) == 'own'";
const BALANCERS: Shape = {
  hosts: 'etcd_lb',
  become: true,
  when: OWN,
  serial: 1,
  order: 'vip-holder-last: etcd',
  after: ['backends-up: etcd'],
  roles: ['etcd-nonlocal-bind', 'etcd-proxy'],
};
const VIRTUAL_IP: Shape = {
  hosts: 'etcd_lb',
  become: true,
  when: OWN,
  serial: 1,
  order: 'vip-holder-last: etcd',
  before: ['former-balancers-freed: etcd'],
  after: ['keepalived-one-holder: etcd', 'vip-answers: etcd'],
  roles: ['etcd-virtual-ip'],
};
const API_SERVERS: Pick<Shape, 'hosts' | 'become'> = { hosts: 'kube_control_plane', become: true };
const READY_LAST = { ...API_SERVERS, serial: 1, order: 'apiserver-ready-last' };
/** API servers restart one at a time, while every other one is ready. */
const SPARED = { ...READY_LAST, before: ['apiserver-can-spare-batch-but-for-lost'], after: ['apiserver-ready'] };
const OFF_OLD_ADDRESS: Shape = { ...SPARED, roles: ['kube-apiserver-off-old-address'] };
const FREE_FORMER: readonly Shape[] = [
  { ...SPARED, roles: ['kube-apiserver-off-former-balancers'] },
  { hosts: 'etcd_lb_former', become: true, roles: ['etcd-former-balancer'] },
];
const OF_OTHERS: Shape = {
  hosts: 'etcd',
  become: true,
  when: "etcd_lb_provider | default('own', true) == 'external'",
  roles: ['etcd-external-balancer'],
};
const REPOINT: readonly Shape[] = [
  { ...READY_LAST, after: ['vip-answers-control-planes: etcd'], roles: ['kube-apiserver-files'] },
  {
    ...READY_LAST,
    before: ['vip-answers-control-planes: etcd', 'apiserver-can-spare-batch-but-for-lost'],
    after: ['apiserver-ready'],
    roles: ['kube-apiserver'],
  },
  { ...API_SERVERS, before: ['apiserver-ready'], roles: ['kubeadm-config'] },
];

const GUARDED = 'etcd:etcd_former:etcd_lb:etcd_lb_former:kube_apiserver_lb:kube_apiserver_lb_former';
const LETS_IN: Shape = {
  hosts: GUARDED,
  become: true,
  serial: 1,
  roles: ['etcd-firewall-lets-in'],
};
const METRICS: Shape = {
  hosts: 'etcd:etcd_former:etcd_lb:etcd_lb_former',
  become: true,
  roles: ['etcd-host-metrics'],
};
const FIREWALL: Shape = {
  hosts: GUARDED,
  become: true,
  serial: 1,
  after: ['etcd-healthy-but-for-stopped'],
  roles: ['etcd-firewall'],
};

const APISERVER_LB: readonly Shape[] = [
  LETS_IN,
  {
    hosts: 'kube_apiserver_lb',
    become: true,
    serial: 1,
    order: 'vip-holder-last: kube-apiserver',
    after: ['backends-up: kube-apiserver'],
    roles: ['kube-apiserver-nonlocal-bind', 'kube-apiserver-proxy'],
  },
  { hosts: 'kube_apiserver_lb_former', become: true, roles: ['kube-apiserver-former-balancer'] },
  {
    hosts: 'kube_apiserver_lb',
    become: true,
    serial: 1,
    order: 'vip-holder-last: kube-apiserver',
    before: ['former-balancers-freed: kube-apiserver'],
    after: ['keepalived-one-holder: kube-apiserver', 'vip-forwards: kube-apiserver'],
    roles: ['kube-apiserver-virtual-ip'],
  },
];
const IF_WANTED = APISERVER_LB.map((shape) => ({
  ...shape,
  when: ['kube_apiserver_lb_address is defined', shape.when ?? []].flat(),
}));

const PREPARED: Shape = {
  hosts: 'kube_node:kube_control_plane',
  become: true,
  roles: ['node-prepare', 'kubernetes-packages'],
};
const CONTAINERD: Shape = {
  hosts: 'kube_node:kube_control_plane',
  become: true,
  serial: 1,
  order: 'joined-last',
  after: ['runtime-ready'],
  roles: ['containerd'],
};

/** From the authority to a virtual IP that serves. */
const TO_THE_SERVICE = [
  OFF_OLD_ADDRESS,
  LETS_IN,
  AUTHORITY,
  RELEASE,
  MEMBERS,
  SETTLED,
  ...JOINING,
  OFF_OLD_ADDRESS,
  LETS_IN,
  BALANCERS,
  ...FREE_FORMER,
  OF_OTHERS,
  VIRTUAL_IP,
];

/** From the authority to API servers that use the virtual IP. */
const TO_THE_ADDRESS = [...TO_THE_SERVICE, ...REPOINT];

/** They may stay as they are. */
const WITH_THE_REST =
  "(kube_apiserver_repoint | default(true) | string | lower) not in ['false', 'no', 'off', '0', '0.0']";
const REPOINT_UNLESS_LATER = REPOINT.map((shape) => ({ ...shape, when: [WITH_THE_REST] }));

/** All that a shipped playbook says: one gate, one order or one `serial` less is an outage on someone's cluster. */
const SHIPPED: Readonly<Record<string, readonly Shape[]>> = {
  'leave-old-address.yaml': [OFF_OLD_ADDRESS],
  'firewall-lets-in.yaml': [LETS_IN],
  'firewall.yaml': [FIREWALL],
  'metrics.yaml': [METRICS],
  'members.yaml': [OFF_OLD_ADDRESS, LETS_IN, AUTHORITY, RELEASE, MEMBERS, SETTLED, ...JOINING],
  'former-members.yaml': LEAVING,
  'former-nodes.yaml': NODES_LEAVING,
  'etcd.yaml': [OFF_OLD_ADDRESS, LETS_IN, AUTHORITY, RELEASE, MEMBERS, SETTLED, ...JOINING, ...LEAVING],
  'free-former-balancers.yaml': FREE_FORMER,
  'etcd-lb.yaml': [OFF_OLD_ADDRESS, LETS_IN, BALANCERS, ...FREE_FORMER, OF_OTHERS, VIRTUAL_IP],
  'repoint.yaml': REPOINT,
  'site.yaml': [...TO_THE_SERVICE, ...REPOINT_UNLESS_LATER, ...IF_WANTED, ...LEAVING, METRICS, FIREWALL],
  'unstack.yaml': [...TO_THE_ADDRESS, ...LEAVING],
  'apiserver-lb.yaml': APISERVER_LB,
  'apiserver-names.yaml': [
    {
      ...API_SERVERS,
      serial: 1,
      before: ['vip-forwards: kube-apiserver'],
      after: ['apiserver-ready', 'backends-named: kube-apiserver'],
      roles: ['kube-apiserver-names'],
    },
  ],
  'apiserver-clients.yaml': [
    {
      hosts: 'kube_node:kube_control_plane',
      become: true,
      serial: 1,
      before: ['vip-answers-kubeconfigs: kube-apiserver'],
      after: ['kubelet-ready'],
      roles: ['kube-clients'],
    },
    { ...API_SERVERS, before: ['apiserver-ready'], roles: ['kube-clients-configuration'] },
  ],
  'migrate.yaml': [
    OFF_OLD_ADDRESS,
    AUTHORITY,
    BALANCERS,
    ...FREE_FORMER,
    OF_OTHERS,
    { ...VIRTUAL_IP, after: ['keepalived-one-holder: etcd', 'vip-forwards: etcd'] },
    MEMBERS,
    ...REPOINT_UNLESS_LATER,
    ...IF_WANTED,
  ],
  'larger-quota.yaml': [
    {
      ...MEMBERS,
      before: ['etcd-healthy-but-for-space'],
      after: ['etcd-healthy-but-for-space'],
      roles: ['etcd-quota'],
    },
  ],
  'recover.yaml': [
    {
      hosts: 'etcd',
      become: true,
      serial: 1,
      before: ['etcd-serves-without-batch'],
      after: ['etcd-healthy'],
      roles: ['etcd-recovery'],
    },
    {
      hosts: 'etcd',
      become: true,
      serial: 1,
      before: ['etcd-can-spare-batch'],
      after: ['etcd-healthy'],
      roles: ['etcd-joined'],
    },
  ],
  'replace-member.yaml': [
    LETS_IN,
    {
      hosts: 'etcd',
      become: true,
      serial: 1,
      before: ['etcd-serves-without-batch'],
      after: ['etcd-healthy'],
      roles: ['etcd-replacement'],
    },
    ...[OFF_OLD_ADDRESS, LETS_IN, BALANCERS, ...FREE_FORMER, OF_OTHERS, VIRTUAL_IP].map((shape) => ({
      ...shape,
      when: ['etcd_lb_address is defined', shape.when ?? []].flat(),
    })),
    ...IF_WANTED,
    { ...METRICS, when: ['etcd_host_metrics_port is defined and etcd_host_metrics_port is not none'] },
    { ...FIREWALL, when: ['etcd_firewall is defined and etcd_firewall is not none'] },
  ],
  'package-lists.yaml': [LISTS],
  'upgrade-nodes.yaml': UPGRADED,
  'node-prepare.yaml': [PREPARED],
  'containerd.yaml': [CONTAINERD],
  'kubernetes.yaml': [
    PREPARED,
    CONTAINERD,
    ...TO_THE_SERVICE,
    { ...READY_LAST, after: ['vip-answers-control-planes: etcd'], roles: ['kube-apiserver-files'] },
    { ...API_SERVERS, after: ['apiserver-ready'], roles: ['kubernetes-begin'] },
    ...IF_WANTED,
    { ...API_SERVERS, after: ['kubelet-ready'], roles: ['kubernetes-finish', 'kubernetes-network'] },
    { ...API_SERVERS, serial: 1, after: ['apiserver-ready', 'kubelet-ready'], roles: ['kubernetes-join'] },
    { hosts: 'kube_node', become: true, after: ['kubelet-ready'], roles: ['kubernetes-join'] },
    ...NODES_LEAVING,
    ...UPGRADED.map((shape) => ({
      ...shape,
      when: ["(node_upgrade | default(false) | string | lower) in ['true', 'yes', 'on', '1', '1.0']"],
    })),
  ],
  'bypass.yaml': [{ ...SPARED, roles: ['kube-apiserver-direct'] }],
};

test('all of them are here', async () => {
  const files = (await readdir('playbooks')).filter((name) => name.endsWith('.yaml'));
  expect(Object.keys(SHIPPED).sort()).toEqual(files.sort());
});

test.each(Object.entries(SHIPPED))('%s: its plays, their hosts, order, gates and roles', async (file, shapes) => {
  const { plays } = await readPlaybook(`playbooks/${file}`);
  expect(
    plays.map(({ play: { name, gates, ...rest } }) => {
      expect(name).toMatch(/\w/);
      return { before: undefined, after: undefined, ...rest, ...gates };
    }),
  ).toEqual(
    shapes.map(({ roles, before, after, ...rest }) => ({
      ...rest,
      before,
      after,
      roles: roles.map((role) => ({ role })),
    })),
  );
});

/** `recover` is not among them: its members come back to the addresses that they had. */
const ADDING = ['etcd-joining', 'etcd-replacement'];

test.each(Object.entries(SHIPPED))('%s: before a member is added, firewalls let it in', (_, shapes) => {
  const roles = shapes.flatMap((shape) => shape.roles);
  for (const role of ADDING)
    if (roles.includes(role)) expect(roles.slice(0, roles.indexOf(role))).toContain('etcd-firewall-lets-in');
});

test('all gates and orders that they name are there, under just that name', () => {
  const shapes = Object.values(SHIPPED).flat();
  const gates = gateTable(SAMPLE_CLUSTER, () => new Date(0));
  for (const name of shapes.flatMap(({ before = [], after = [] }) => [...before, ...after]))
    expect([name, gates.get(name)?.name]).toEqual([name, name]);
  const orders = orderTable(SAMPLE_CLUSTER);
  for (const { order = 'inventory' } of shapes) expect([...orders.keys()]).toContain(order);
});

const INI = (value: string): string =>
  `[etcd]\na ansible_host=192.0.2.1\n[kube_control_plane]\ncp-1 ansible_host=192.0.2.2\n${value}`;
const YAML = (value: string): string =>
  `all: { vars: { ${value} } }\netcd: { hosts: { a: { ansible_host: 192.0.2.1 } } }\nkube_control_plane: { hosts: { cp-1: { ansible_host: 192.0.2.2 } } }\n`;

// A text is true for Jinja2, whatever it says.
test.each([
  ['nothing', INI(''), true],
  ['INI', INI('[all:vars]\nkube_apiserver_repoint=false\n'), false],
  ['INI', INI('[all:vars]\nkube_apiserver_repoint=no\n'), false],
  ['INI', INI('[all:vars]\nkube_apiserver_repoint=yes\n'), true],
  ['YAML', YAML('kube_apiserver_repoint: false'), false],
  ['YAML', YAML('kube_apiserver_repoint: "no"'), false],
  ['YAML', YAML('kube_apiserver_repoint: "Off"'), false],
  ['YAML', YAML('kube_apiserver_repoint: 0'), false],
  ['YAML', YAML('kube_apiserver_repoint: "TRUE"'), true],
  ['YAML', YAML('kube_apiserver_repoint: 1'), true],
  ['YAML', YAML('kube_apiserver_repoint: null'), true],
  ['YAML', YAML('kube_apiserver_repoint:'), true],
])('plays and checks read whether API servers move alike: %s', async (_, hosts, isWanted) => {
  const inventory = await loadFiles({ hosts });
  const [controlPlane] = describeCluster(inventory).controlPlanes;
  expect([inventory.test('cp-1', WITH_THE_REST), controlPlane?.repoint === 'with-the-rest']).toEqual([
    isWanted,
    isWanted,
  ]);
});
