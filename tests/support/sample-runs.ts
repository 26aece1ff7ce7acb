import type { Event } from '../../src/model/events.js';
import { BARE_HOSTS, ROLLING_RESTART } from './sample-plans.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const INVENTORY = 'inventory/hosts.yml';
const GATE = 'etcd-healthy';

function looks(hosts: readonly string[]): Event[] {
  return [
    ...hosts.map((host): Event => ({ type: 'host-looking', host })),
    ...hosts.map((host): Event => ({ type: 'host-looked', host })),
  ];
}

function changeOf(host: string, address: string, summary: string, elapsedMs: number): Event[] {
  const at = { play: 'etcd', host, address, summary };
  return [
    { type: 'change-started', ...at },
    { type: 'change-done', ...at, elapsedMs },
  ];
}

/** `apply` of a rolling restart: one host after another, with gates. */
export const ROLLING_RUN: readonly Event[] = [
  { type: 'run-started', command: 'apply', inventory: INVENTORY, hosts: HOSTS },
  ...looks(HOSTS),
  { type: 'planned', plan: ROLLING_RESTART },
  { type: 'notice', message: 'journal: /var/tmp/provision.log' },
  { type: 'play-started', play: 'etcd', hosts: HOSTS },
  ...['etcd-2', 'etcd-3', 'etcd-1'].flatMap((host): Event[] => [
    { type: 'batch-started', play: 'etcd', hosts: [host] },
    { type: 'gate-opened', gate: GATE, hosts: [host], waitedMs: 12, note: 'leader etcd-1' },
    ...changeOf(host, 'file:/etc/default/etcd', 'change /etc/default/etcd', 210),
    ...changeOf(host, 'service:etcd', 'restart etcd: /etc/default/etcd changes', 1840),
    { type: 'gate-waiting', gate: GATE, hosts: [host], reason: `${host} has no leader` },
    { type: 'gate-waiting', gate: GATE, hosts: [host], reason: `${host} has no leader` },
    { type: 'gate-waiting', gate: GATE, hosts: [host], reason: `${host} is 120 entries behind` },
    { type: 'gate-opened', gate: GATE, hosts: [host], waitedMs: 3100 },
  ]),
  { type: 'run-finished', result: { changed: 6, unchanged: 33, failed: 0, elapsedMs: 24_300 } },
];

/** `apply` in which one of three hosts fails midway; what it printed would paint the terminal. */
export const FAILING_RUN: readonly Event[] = [
  { type: 'run-started', command: 'apply', inventory: INVENTORY, hosts: HOSTS },
  { type: 'play-started', play: 'etcd', hosts: HOSTS },
  { type: 'batch-started', play: 'etcd', hosts: HOSTS },
  { type: 'change-started', play: 'etcd', host: 'etcd-3', address: 'package:etcd', summary: 'install etcd-server' },
  ...changeOf('etcd-1', 'package:etcd', 'install etcd-server', 8123),
  ...changeOf('etcd-2', 'file:/etc/default/etcd', 'create /etc/default/etcd', 180),
  { type: 'notice', host: 'etcd-1', message: 'waited 12 s for the dpkg lock, held by unattended-upgrades' },
  { type: 'change-started', play: 'etcd', host: 'etcd-2', address: 'service:etcd', summary: 'restart etcd' },
  {
    type: 'change-failed',
    ...{ play: 'etcd', host: 'etcd-2', address: 'service:etcd', summary: 'restart etcd' },
    message: 'etcd-2: restart etcd: ended with status 1',
  },
  {
    type: 'rolled-back',
    ...{ play: 'etcd', host: 'etcd-2', address: '', summary: 'put /etc/default/etcd back' },
  },
  {
    type: 'run-failed',
    kind: 'failed',
    message: 'play etcd stopped; no later host was touched',
    failures: [
      {
        host: 'etcd-2',
        message:
          'etcd-2: restart etcd: ended with status 1\nJob for etcd.service failed.\n\u001b[31mlisten tcp 192.0.2.12:2379: bind: address already in use\u001b[0m\u001b]0;owned\u0007\r\n',
      },
    ],
    hint: 'fix the host, then run the same command again',
  },
];

/** `plan` of three hosts. */
export const PLANNING_RUN: readonly Event[] = [
  { type: 'run-started', command: 'plan', inventory: INVENTORY, hosts: HOSTS },
  ...looks(HOSTS),
  { type: 'planned', plan: BARE_HOSTS },
  { type: 'run-finished', result: { changed: 0, unchanged: 3, failed: 0, elapsedMs: 640 } },
];

/** `plan` that can't reach a host. */
export const UNREACHABLE_RUN: readonly Event[] = [
  { type: 'run-started', command: 'plan', inventory: INVENTORY, hosts: HOSTS },
  ...HOSTS.map((host): Event => ({ type: 'host-looking', host })),
  { type: 'host-looked', host: 'etcd-1' },
  { type: 'host-looked', host: 'etcd-3' },
  {
    type: 'run-failed',
    kind: 'failed',
    message: 'planning failed: nothing was changed',
    failures: [
      { host: 'etcd-2', code: 'unreachable', message: 'etcd-2: 192.0.2.12:22 does not answer (connection timed out)' },
    ],
  },
];

const GAP = { stepMs: 70, isOver: true, attempts: 74 };

/** `drill` that is stopped after its first failure. */
export const DRILL_RUN: readonly Event[] = [
  { type: 'run-started', command: 'drill', inventory: INVENTORY, hosts: HOSTS },
  { type: 'notice', message: 'clients of 192.0.2.100 are interrupted twice' },
  { type: 'play-started', play: 'failover drill', hosts: HOSTS },
  { type: 'batch-started', play: 'failover drill', hosts: ['etcd-1'] },
  ...changeOf('etcd-1', 'service:haproxy', 'stop haproxy, and start it again', 7700).flatMap((event): Event[] =>
    event.type === 'change-started'
      ? [
          event,
          {
            type: 'gate-waiting',
            gate: 'virtual-ip-moved',
            hosts: ['etcd-1'],
            reason: 'etcd-1 still holds 192.0.2.100',
          },
          { type: 'gate-opened', gate: 'virtual-ip-moved', hosts: ['etcd-1'], waitedMs: 3200, note: 'etcd-2 holds it' },
          {
            type: 'drill-measured',
            ...{ service: 'haproxy', host: 'etcd-1', holder: 'etcd-2', observer: 'etcd-3', recoveredMs: 2110 },
            address: { ...GAP, longestMs: 700, failed: 10 },
            client: { ...GAP, longestMs: 3310, failed: 47 },
          },
        ]
      : [event],
  ),
  {
    type: 'run-failed',
    kind: 'failed',
    message: 'stopped',
    failures: [{ message: 'stopped on request, before keepalived was stopped: everything runs' }],
    hint: 'provision verify inventory/hosts.yml',
  },
];

/** `apply` of one change on each of many hosts at once. */
export function manyHostsRun(count: number): readonly Event[] {
  const hosts = Array.from({ length: count }, (_, index) => `node-${String(index + 1).padStart(2, '0')}`);
  const at = (host: string) => ({ play: 'lb', host, address: 'service:haproxy', summary: 'reload haproxy' });
  return [
    { type: 'run-started', command: 'apply', inventory: INVENTORY, hosts },
    ...looks(hosts),
    { type: 'play-started', play: 'lb', hosts },
    { type: 'batch-started', play: 'lb', hosts },
    ...hosts.map((host): Event => ({ type: 'change-started', ...at(host) })),
    ...hosts.map((host): Event => ({ type: 'change-done', ...at(host), elapsedMs: 400 })),
    { type: 'run-finished', result: { changed: count, unchanged: 0, failed: 0, elapsedMs: 900 } },
  ];
}
