import type { InventoryAnswers } from '../../src/wizard/inventory-answers.js';

const MEMBERS = [1, 2, 3].map((number) => ({ name: `etcd-${number}`, address: `10.0.0.${number}` }));

/** What the wizard writes an inventory from, with as little answered as can be. */
export const LEAST_ANSWERS: InventoryAnswers = {
  members: MEMBERS,
  leaving: [],
  balancer: undefined,
  controlPlanes: [],
  sshUser: 'root',
  privateKeyFile: undefined,
  repoint: undefined,
  apiserverIp: undefined,
  apiserverRouterId: undefined,
  extras: [],
  next: 'plan',
};

/** A load balancer on a host of its own. */
export const OWN_BALANCER: NonNullable<InventoryAnswers['balancer']> = {
  ip: '10.0.0.100',
  way: 'haproxy',
  name: 'etcd.example.com',
  port: 2379,
  network: '10.0.0.0/24',
  routerId: undefined,
  hosts: [{ name: 'lb-1', address: '10.0.0.21' }],
};

/** With a load balancer, control planes, and another user. */
export const USUAL_ANSWERS: InventoryAnswers = {
  ...LEAST_ANSWERS,
  balancer: OWN_BALANCER,
  controlPlanes: [{ name: 'cp-1', address: '10.0.0.11' }],
  sshUser: 'debian',
  privateKeyFile: '~/.ssh/id_ed25519',
};
