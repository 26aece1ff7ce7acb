// The whole of what is said of an inventory that is wrong or doubtful: each line of it, with its place. After a change of
// the wording, look at the difference of: UPDATE_GOLDEN=1 npm run -s jest -- --selectProjects unit -- cluster/refusals
import { test } from '@jest/globals';
import { clusterWarnings, describeCluster } from '../../../src/cluster/describe-cluster.js';
import { formatProblem, InputError } from '../../../src/model/errors.js';
import { expectGolden } from '../../support/golden.js';
import { loadFiles } from '../../support/write-inventory.js';

const MEMBERS = '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\nc ip=192.0.2.3\n';
const OF_ALL = `${MEMBERS}[all:vars]\n`;
const VIP = `${OF_ALL}etcd_lb_ip=192.0.2.9\n`;

/** Warnings, then errors, then what to type next; places are lines and columns of the one file. */
async function said(hosts: string): Promise<readonly string[]> {
  const inventory = await loadFiles({ hosts });
  const lines = clusterWarnings(inventory).map(formatProblem);
  try {
    describeCluster(inventory);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    lines.push(...error.problems.map(formatProblem), ...(error.hint === undefined ? [] : [`→ ${error.hint}`]));
  }
  return lines.map((line) => line.replace(/^\S*\/hosts:/, ''));
}

const INVENTORIES: readonly (readonly [what: string, hosts: string])[] = [
  ['nothing', MEMBERS],
  ['nothing, at the bounds', `${OF_ALL}etcd_election_timeout=500\netcd_cert_days=31\n`],
  ['one member', '[etcd]\na ip=192.0.2.1\n'],
  ['two members', '[etcd]\na ip=192.0.2.1\nb ip=192.0.2.2\n'],
  ['four members', `${MEMBERS}d ip=192.0.2.4\n`],
  ['no member', '[etcd]\n[kube_control_plane]\ncp ip=192.0.2.1\n'],
  ['no group', '[etdc]\na ip=192.0.2.1\n'],
  ['only balancers', '[etcd_lb]\na ip=192.0.2.1\n'],
  ['another name of the control planes', `${MEMBERS}[control-plane]\ncp ip=192.0.2.5\n`],
  ['no address', '[etcd]\na\nb ansible_host=b.example\nc ip=c.example\nd ansible_host=192.0.2.4\ne access_ip=e\n'],
  ['one address twice', `${MEMBERS}d ansible_host=192.0.2.1\ne access_ip=192.0.2.2\n`],
  ['one name twice', MEMBERS.replace(/^[bc] /gm, '$&etcd_member_name=x ')],
  ['an election that is too short', `${OF_ALL}etcd_election_timeout=499\n`],
  ['a heartbeat that is too long', `${OF_ALL}etcd_heartbeat_interval=201\n`],
  ['one port twice', `${OF_ALL}etcd_client_port=2380\n`],
  ['a renewal that is too early', `${OF_ALL}etcd_cert_days=30\n`],
  ['certificates that end before they are renewed', `${OF_ALL}etcd_cert_renew_before_days=365\n`],
  [
    'variables that have a name of their own',
    `${OF_ALL}etcd_extra_env={"ETCD_DATA_DIR": "/x", "ETCD_PEER_KEY_FILE": "/y", "ETCD_INITIAL_CLUSTER": "z", "ETCD_PRE_VOTE": "1"}\n`,
  ],
  [
    'variables of no etcd',
    `${OF_ALL}etcd_extra_env={"PATH": "/x", "ETCD_a": "/y", "ETCD_X": [1], "ETCD_Y": "a\\nb"}\n`,
  ],
  [
    'releases that differ',
    MEMBERS.replace('b ', `b etcd_install=release etcd_version=3.5.16 etcd_release_sha256=${'a'.repeat(64)} `),
  ],
  ['a release without its version and digest', `${OF_ALL}etcd_install=release\n`],
  [
    'a release that hosts cannot fetch',
    `${OF_ALL}etcd_install=release\netcd_version=3.5.16\netcd_release_sha256=${'a'.repeat(64)}\netcd_release_url=files/etcd.tar.gz\netcd_release_fetch=host\n`,
  ],
  [
    'a release whose query hosts would show',
    `${OF_ALL}etcd_install=release\netcd_version=3.5.16\netcd_release_sha256=${'a'.repeat(64)}\netcd_release_url=https://a.example/b?c\netcd_release_fetch=host\n`,
  ],
  ['a template that fails on each host', `${OF_ALL}etcd_data_dir="{{ nothing }}"\n`],
  ['a release of others', `${OF_ALL}etcd_version=3.5.16\n`],
  [
    'an adopted etcd of which too little is known',
    `${OF_ALL}etcd_managed=false\netcd_install=release\netcd_trusted_ca_file=/ca\netcd_firewall=true\n`,
  ],
  [
    'slips, and variables of others',
    `${OF_ALL}etcd_dta_dir=1\netcd_clientport=1\netcd_user=1\netcd_snapshot_cunt_max=1\netcd_extra_vars=1\n`,
  ],
  [
    'snapshots within the data',
    `${OF_ALL}etcd_snapshot_schedule=daily\netcd_snapshot_directory=/var/lib/etcd/default/x\n`,
  ],
  ['snapshots around the data', `${OF_ALL}etcd_snapshot_schedule=daily\netcd_snapshot_directory=/var/lib/etcd\n`],
  ['snapshots in a directory of others', `${OF_ALL}etcd_snapshot_schedule=daily\netcd_snapshot_directory=/srv\n`],
  ['a schedule that is none', `${OF_ALL}etcd_snapshot_schedule=dayly\n`],
  ['snapshots without a time', `${OF_ALL}etcd_snapshot_keep=3\n`],
  ['a virtual IP outside its network', `${VIP}keepalived_network=198.51.100.0/24\n`],
  ['a virtual IP of another kind than its network', `${VIP}keepalived_network=2001:db8::/64\n`],
  [
    'a virtual IP of another kind than its hosts',
    `${OF_ALL}etcd_lb_ip=2001:db8::9\nkeepalived_network=2001:db8::/64\n`,
  ],
  ['a load balancer without an address', `${OF_ALL}etcd_lb_enabled=true\n`],
  ['a load balancer that cannot end TLS', `${VIP}etcd_lb_mode=terminate\netcd_lb_proxy=nginx\n`],
  ['one load balancer, with equal priorities', `${VIP}keepalived_priority=7\n[etcd_lb]\nd ip=192.0.2.4\n`],
  ['equal priorities', `${VIP}keepalived_priority=7\n[etcd_lb]\na\nb\n`],
  ['a page that others see', `${VIP}haproxy_stats_port=8404\nhaproxy_stats_address=0.0.0.0\n`],
  ['a page with a user alone', `${VIP}haproxy_stats_port=8404\nhaproxy_stats_user=eve\n`],
  [
    'a page with a wrong password',
    `${VIP}haproxy_stats_port=8404\nhaproxy_stats_user=eve\nhaproxy_stats_password=short\n`,
  ],
  [
    'ports that programs share',
    `${VIP}etcd_lb_port=2379\nhaproxy_stats_port=2379\nhaproxy_metrics_port=2380\netcd_metrics_port=2379\netcd_host_metrics_port=2380\n`,
  ],
  [
    'a port of a balancer of API servers',
    `${OF_ALL}kube_apiserver_lb_ip=192.0.2.200\nkube_apiserver_lb_port=6443\n[kube_control_plane]\ncp ip=192.0.2.5\n`,
  ],
  ['others who balance nothing', `${OF_ALL}etcd_lb_provider=external\n`],
  ['others who balance at no address', `${OF_ALL}etcd_lb_provider=external\netcd_lb_ip=here\n`],
  [
    'others, and hosts of ours',
    `${OF_ALL}etcd_lb_provider=external\netcd_lb_host=etcd.example\netcd_lb_mode=terminate\netcd_firewall=true\n[etcd_lb]\nd ip=192.0.2.4\n`,
  ],
  ['values that differ between hosts', MEMBERS.replace('a ', 'a etcd_ca_days=10 ').replace('c ', 'c etcd_ca_days=20 ')],
  [
    'hosts that stay and leave',
    `${VIP}[etcd_former]\na\n[etcd_lb_former]\nb\n[kube_control_plane]\ncp ip=192.0.2.5\n[kube_node_former]\ncp\nd ip=192.0.2.5\ne\n`,
  ],
];

test('the whole of what is said of inventories that are wrong or doubtful', async () => {
  const parts = await Promise.all(
    INVENTORIES.map(async ([what, hosts]) => [`# ${what}`, ...(await said(hosts)), ''].join('\n')),
  );
  expectGolden('fixtures/described/said.txt', parts.join('\n'));
});
