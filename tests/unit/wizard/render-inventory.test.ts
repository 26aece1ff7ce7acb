import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { renderInventory } from '../../../src/wizard/render-inventory.js';
import { LEAST_ANSWERS, OWN_BALANCER, USUAL_ANSWERS } from '../../support/wizard-answers.js';

test('everything that can be answered, with its comments', () => {
  const text = renderInventory({
    ...USUAL_ANSWERS,
    balancer: { ...OWN_BALANCER, way: 'nginx' },
    apiserverIp: '10.0.0.101',
    extras: ['firewall', 'snapshots', 'fastFailover'],
  });
  expect(text).toBe(`# Written by \`provision init\`. This is an Ansible inventory: edit it as one.
# Every variable and its default: docs/reference/variables.md

all:
  vars:
    ansible_user: debian
    ansible_ssh_private_key_file: ~/.ssh/id_ed25519
    # sudo; when it asks for a password, run with -K
    ansible_become: true
    # What clients reach etcd by
    etcd_lb_ip: 10.0.0.100
    etcd_lb_host: etcd.example.com
    etcd_lb_port: 2379
    # It finds a dead member by a failed connection; HAProxy asks each one
    etcd_lb_proxy: nginx
    keepalived_network: 10.0.0.0/24
    # The virtual IP of the API servers; their clients move to it later: docs/runbooks/apiserver-virtual-ip.md
    kube_apiserver_lb_ip: 10.0.0.101
    # Only this cluster reaches etcd; others that should: etcd_firewall_allow
    etcd_firewall: true
    # On each member host, in /var/backups/etcd
    etcd_snapshot_schedule: daily
    etcd_snapshot_keep: 7
    # Adverts below a second: a host that is gone is missed after one, not after 3.6
    keepalived_vrrp_version: 3
    keepalived_advert_int: 0.3
  children:
    # The members, in the order in which they are restarted
    etcd:
      hosts:
        etcd-1:
          ansible_host: 10.0.0.1
        etcd-2:
          ansible_host: 10.0.0.2
        etcd-3:
          ansible_host: 10.0.0.3
    # The proxy and keepalived, on hosts of their own
    etcd_lb:
      hosts:
        lb-1:
          ansible_host: 10.0.0.21
    # Hosts whose kube-apiserver uses this etcd
    kube_control_plane:
      hosts:
        cp-1:
          ansible_host: 10.0.0.11
`);
});

test('the least that can be answered', () => {
  const text = renderInventory(LEAST_ANSWERS);
  expect(parse(text)).toEqual({
    all: {
      vars: { ansible_user: 'root' },
      children: {
        etcd: {
          hosts: {
            'etcd-1': { ansible_host: '10.0.0.1' },
            'etcd-2': { ansible_host: '10.0.0.2' },
            'etcd-3': { ansible_host: '10.0.0.3' },
          },
        },
      },
    },
  });
});

test('names that Ansible would read as something else stay names, in their order', () => {
  const members = [
    { name: 'no', address: '2001:db8::1' },
    { name: '123', address: '2001:db8::2' },
  ];
  const text = renderInventory({ ...LEAST_ANSWERS, members });
  expect(text).toMatch(/"no":\n +ansible_host: 2001:db8::1\n +"123":/);
});
