import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import type { Extra } from './answers.js';
import type { BalancerAnswers, InventoryAnswers, NamedHost } from './inventory-answers.js';

const HEAD = ` Written by \`provision init\`. This is an Ansible inventory: edit it as one.
 Every variable and its default: docs/reference/variables.md`;

/**
 * The inventory as YAML, with a comment where a reader may ask why.
 * @returns the whole file
 */
export function renderInventory(answers: InventoryAnswers): string {
  const { members, leaving, balancer, controlPlanes, apiserverIp, apiserverRouterId, extras } = answers;
  const content = {
    all: {
      vars: {
        ...connectionVars(answers),
        ...(balancer === undefined ? {} : balancerVars(balancer)),
        ...(answers.repoint === 'later' ? { kube_apiserver_repoint: false } : {}),
        ...(apiserverIp === undefined ? {} : { kube_apiserver_lb_ip: apiserverIp }),
        ...(apiserverRouterId === undefined ? {} : { kube_apiserver_lb_vrid: apiserverRouterId }),
        ...(answers.pkiStore === undefined ? {} : { etcd_pki_store: answers.pkiStore }),
        ...Object.fromEntries(extras.flatMap((extra) => Object.entries(EXTRA_VARS[extra]))),
      },
      children: {
        etcd: { hosts: hostMap(members) },
        ...(leaving.length === 0 ? {} : { etcd_former: { hosts: nameMap(leaving) } }),
        ...(balancer?.hosts === undefined ? {} : { etcd_lb: { hosts: hostMap(balancer.hosts) } }),
        ...(controlPlanes.length === 0 ? {} : { kube_control_plane: { hosts: hostMap(controlPlanes) } }),
      },
    },
  };
  // Ansible reads YAML 1.1, where a bare `no` is false.
  const document = new Document(content, { version: '1.1' });
  document.commentBefore = HEAD;
  comment(document, ['all', 'vars', 'ansible_become'], ' sudo; when it asks for a password, run with -K');
  for (const [variable, text] of COMMENTS) comment(document, ['all', 'vars', variable], text);
  const isMoving = leaving.length > 0;
  const ofMembers = ' The members, in the order in which they are restarted';
  comment(
    document,
    ['all', 'children', 'etcd'],
    isMoving ? ' The new members: each joins the running cluster' : ofMembers,
  );
  const ofLeaving =
    ' The stacked members: each leaves once nobody is led to it (provision plan INVENTORY --playbook unstack)';
  comment(document, ['all', 'children', 'etcd_former'], ofLeaving);
  comment(document, ['all', 'children', 'etcd_lb'], ' The proxy and keepalived, on hosts of their own');
  comment(document, ['all', 'children', 'kube_control_plane'], ' Hosts whose kube-apiserver uses this etcd');
  return document.toString({ lineWidth: 0 });
}

function connectionVars({ sshUser, privateKeyFile }: InventoryAnswers): Readonly<Record<string, unknown>> {
  return {
    ansible_user: sshUser,
    ...(privateKeyFile === undefined ? {} : { ansible_ssh_private_key_file: privateKeyFile }),
    ...(sshUser === 'root' ? {} : { ansible_become: true }),
  };
}

/** The variables of what else was asked for. */
const EXTRA_VARS: Readonly<Record<Extra, Readonly<Record<string, unknown>>>> = {
  firewall: { etcd_firewall: true },
  snapshots: { etcd_snapshot_schedule: 'daily', etcd_snapshot_keep: 7 },
  fastFailover: { keepalived_vrrp_version: 3, keepalived_advert_int: 0.3 },
};

const WAY_VARS: Readonly<Record<BalancerAnswers['way'], Readonly<Record<string, unknown>>>> = {
  haproxy: {},
  nginx: { etcd_lb_proxy: 'nginx' },
  terminate: { etcd_lb_mode: 'terminate' },
  external: { etcd_lb_provider: 'external' },
};

/** Why some of the variables are there. */
const COMMENTS: readonly (readonly [variable: string, text: string])[] = [
  ['etcd_lb_ip', ' What clients reach etcd by'],
  ['etcd_lb_proxy', ' It finds a dead member by a failed connection; HAProxy asks each one'],
  ['etcd_lb_mode', ' HAProxy ends TLS: to etcd all clients are one'],
  ['etcd_lb_provider', ' Others run it: its way to the members is proved, and nothing there is changed'],
  [
    'keepalived_vrid',
    ' No other group of VRRP in that network may have it; by default it is the last byte of etcd_lb_ip',
  ],
  [
    'kube_apiserver_repoint',
    ' API servers stay with the etcd servers that they have; to move them, take this line out and apply again',
  ],
  [
    'kube_apiserver_lb_ip',
    ' The virtual IP of the API servers; their clients move to it later: docs/runbooks/apiserver-virtual-ip.md',
  ],
  ['etcd_pki_store', ' An authority of its own: pki/ is that of another cluster, whose inventory is in this directory'],
  ['etcd_firewall', ' Only this cluster reaches etcd; others that should: etcd_firewall_allow'],
  ['keepalived_vrrp_version', ' Adverts below a second: a host that is gone is missed after one, not after 3.6'],
  ['etcd_snapshot_schedule', ' On each member host, in /var/backups/etcd'],
];

function balancerVars({ ip, way, name, port, network, routerId }: BalancerAnswers): Readonly<Record<string, unknown>> {
  return {
    ...(ip === undefined ? {} : { etcd_lb_ip: ip }),
    ...(name === undefined ? {} : { etcd_lb_host: name }),
    etcd_lb_port: port,
    ...WAY_VARS[way],
    ...(network === undefined ? {} : { keepalived_network: network }),
    ...(routerId === undefined ? {} : { keepalived_vrid: routerId }),
  };
}

/** As nodes: an object would put names that are numbers first, and a Map would become an `!!omap`. */
function hostMap(hosts: readonly NamedHost[]): YAMLMap {
  const map = new YAMLMap();
  map.items = hosts.map((host) => new Pair(new Scalar(host.name), hostVars(host)));
  return map;
}

/** Hosts that another group describes. */
function nameMap(hosts: readonly NamedHost[]): YAMLMap {
  const map = new YAMLMap();
  map.items = hosts.map(({ name }) => new Pair(new Scalar(name), new Scalar(null)));
  return map;
}

function hostVars({ address, connection = {} }: NamedHost): Readonly<Record<string, unknown>> {
  const { address: login, port, user, privateKeyFile, sshArgs } = connection;
  return {
    ansible_host: login ?? address,
    // Logged in at another address than that by which nodes reach each other.
    ...(login === undefined ? {} : { ip: address }),
    ...(port === undefined ? {} : { ansible_port: port }),
    ...(user === undefined ? {} : { ansible_user: user, ansible_become: user !== 'root' }),
    ...(privateKeyFile === undefined ? {} : { ansible_ssh_private_key_file: privateKeyFile }),
    ...(sshArgs === undefined ? {} : { ansible_ssh_common_args: sshArgs }),
  };
}

/** Puts a comment above a key, when there is such a key. */
function comment(document: Document, path: readonly string[], text: string): void {
  const map = document.getIn(path.slice(0, -1), true) as YAMLMap<{ value: string; commentBefore?: string }> | undefined;
  const pair = map?.items.find(({ key }) => key.value === path.at(-1));
  if (pair !== undefined) pair.key.commentBefore = text;
}
