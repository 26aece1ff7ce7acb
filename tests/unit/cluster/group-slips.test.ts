import { describe, expect, test } from '@jest/globals';
import { clusterWarnings } from '../../../src/cluster/describe-cluster.js';
import { formatProblem } from '../../../src/model/errors.js';
import { inventoryFixtures, loadFixture } from '../../support/inventories.js';
import { loadFiles } from '../../support/write-inventory.js';

const MEMBERS = `all:
  vars: { etcd_lb_ip: 10.0.1.100 }
  children:
    etcd:
      hosts:
        etcd-1: { ansible_host: 10.0.1.10 }
        etcd-2: { ansible_host: 10.0.1.11 }
        etcd-3: { ansible_host: 10.0.1.12 }
`;

const INI = `[all:vars]
etcd_lb_ip=10.0.1.100
[etcd]
etcd-1 ansible_host=10.0.1.10
etcd-2 ansible_host=10.0.1.11
etcd-3 ansible_host=10.0.1.12
`;

/** What is said of an inventory, without the directory that its files are in. */
async function said(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const warnings = clusterWarnings(await loadFiles(files)).map(formatProblem);
  return warnings.map((warning) => warning.replaceAll(/^\S*\/provision-test-[\w-]+\//g, ''));
}

describe('a group that looks like one of ours', () => {
  test.each([
    ['kube_control_plan', 'kube_control_plane'],
    ['kube-control-plane', 'kube_control_plane'],
    ['Kube_Control_Planes', 'kube_control_plane'],
    ['etcd_lbs', 'etcd_lb'],
    ['etcd_bl', 'etcd_lb'],
    ['etcd-lb', 'etcd_lb'],
    ['kube_apiservers_lb', 'kube_apiserver_lb'],
    ['kube_nodes', 'kube_node'],
  ])('%s is reported once, with its line, its hosts, and what was meant', async (name, meant) => {
    const hosts = `    ${name}:\n      hosts:\n        x-1: { ansible_host: 10.0.1.20 }\n        x-2: { ansible_host: 10.0.1.21 }\n`;
    expect(await said({ 'hosts.yaml': MEMBERS + hosts })).toEqual([
      `hosts.yaml:9:5: warning: group ${name}: this program knows no such group, and does nothing on its hosts (x-1, x-2); did you mean ${meant}?`,
    ]);
    const ini = await said({ 'hosts.ini': `${INI}[${name}]\nx-1 ansible_host=10.0.1.20\n` });
    expect(ini).toEqual([expect.stringMatching(/^hosts\.ini:7:1: warning: group .* \(x-1\); did you mean /)]);
  });

  test('is another name where ours is there, too', async () => {
    const both = ['kube_control_plane', 'kube_control_planes'].map(
      (name, index) => `    ${name}:\n      hosts:\n        x-${index}: { ansible_host: 10.0.1.2${index} }\n`,
    );
    expect(await said({ 'hosts.yaml': MEMBERS + both.join('') })).toEqual([]);
  });

  test.each(
    (
      'k8s_cluster k8s-cluster kube_node kube-node calico_rr bastion broken_etcd etcd_db etcd_01 etcd_events ' +
      'webservers dbservers lb loadbalancers nodes workers etcd_clients monitoring kube_proxy'
    ).split(' '),
  )('%s is the name of another tool', async (name) => {
    const hosts = `    ${name}:\n      hosts:\n        x-1: { ansible_host: 10.0.1.20 }\n`;
    expect(await said({ 'hosts.yaml': MEMBERS + hosts })).toEqual([]);
  });
});

test("kubespray's inventory has nothing of it", async () => {
  const [kubespray] = inventoryFixtures().filter(({ name }) => name.startsWith('kubespray/'));
  if (kubespray === undefined) throw new Error('no such fixture');
  const warnings = clusterWarnings(await loadFixture(kubespray)).map(
    ({ subject, message }) => `${subject}: ${message}`,
  );
  expect(warnings.filter((warning) => /group|no effect/.test(warning))).toEqual([]);
});

test('hosts in no group are reported, all at once; this machine is none of them', async () => {
  const alone = Array.from({ length: 7 }, (_, index) => `x-${index} ansible_host=10.0.1.3${index}\n`).join('');
  const [warning, ...more] = await said({ 'hosts.ini': `localhost ansible_connection=local\n${alone}${INI}` });
  expect(more).toEqual([]);
  expect(warning).toBe(
    'hosts.ini:2:1: warning: x-0, x-1, x-2, x-3, x-4 and 2 more: 7 hosts in no group: no play of this program touches them',
  );
});

describe('variables that nobody has', () => {
  test('are reported with what was meant', async () => {
    const files = { 'hosts.yaml': MEMBERS, 'group_vars/etcdd.yaml': 'a: 1\n', 'host_vars/edct-1.yml': 'a: 1\n' };
    expect(await said(files)).toEqual([
      'group_vars/etcdd.yaml:1:1: warning: etcdd.yaml: no group etcdd is in the inventory, so these variables have no effect; did you mean etcd?',
      'host_vars/edct-1.yml:1:1: warning: edct-1.yml: no host edct-1 is in the inventory, so these variables have no effect; did you mean etcd-1?',
    ]);
  });

  test('of one of our groups that is missing are reported, and others in one line', async () => {
    const vars = [
      'etcd_lb.yaml',
      'webservers/a.yml',
      'dbservers',
      'kube_node.yml',
      'all.yml',
      'README.md',
      '.x',
      'etcd.yml~',
    ];
    const files = Object.fromEntries(vars.map((name) => [`group_vars/${name}`, 'a: 1\n']));
    expect(await said({ 'hosts.yaml': MEMBERS, ...files })).toEqual([
      'group_vars/dbservers:1:1: warning: dbservers: no group dbservers is in the inventory, so these variables have no effect (the same of etcd_lb.yaml, webservers)',
    ]);
  });

  test('in a second file of one name are reported: Ansible reads only the first', async () => {
    const files = { 'hosts.yaml': MEMBERS, 'group_vars/etcd/a.yml': 'a: 1\n', 'group_vars/etcd.yaml': 'a: 2\n' };
    expect(await said(files)).toEqual([
      expect.stringMatching(
        /^group_vars\/etcd\.yaml:1:1: warning: etcd\.yaml: is not read: .*group_vars\/etcd comes first$/,
      ),
    ]);
  });

  test('of hosts that are numbered like others are no slips of theirs', async () => {
    expect(await said({ 'hosts.yaml': MEMBERS, 'host_vars/etcd-4.yml': 'a: 1\n' })).toEqual([
      expect.stringMatching(/no host etcd-4 is in the inventory, so these variables have no effect$/),
    ]);
  });
});
