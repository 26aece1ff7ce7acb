import type { CheckItem } from '../../src/checks/check.js';
import type { ClusterPicture } from '../../src/model/cluster-picture.js';
import type { Event, RunCommand } from '../../src/model/events.js';
import type { Latency } from '../../src/model/latency.js';
import { eventRecord } from '../../src/report/ndjson.js';
import type { RunRecord } from '../../src/report/page/run-report.js';

const BEGUN = Date.parse('2026-11-26T09:00:00.000Z');
/** From one event to the next, in milliseconds. */
const STEP_MS = 700;

/** The record of a run whose events follow one another at one pace. */
export function recordOf(command: RunCommand, events: readonly Event[], more: Partial<RunRecord> = {}): RunRecord {
  return {
    ...{ tool: '0.1.0', command, inventory: 'inventory/hosts.yml', by: 'ann@laptop' },
    begun: new Date(BEGUN).toISOString(),
    ended: new Date(BEGUN + events.length * STEP_MS).toISOString(),
    events: events.map((event, index) => eventRecord(event, new Date(BEGUN + index * STEP_MS))),
    ...more,
  };
}

/** The record of a health check. */
export function checkUpRecord(items: readonly CheckItem[], more: Partial<RunRecord> = {}): RunRecord {
  return { ...recordOf('plan', []), command: 'verify', ended: new Date(BEGUN + 1900).toISOString(), items, ...more };
}

const MEMBERS = [1, 2, 3].map((index) => ({
  host: `etcd-${index}`,
  name: `etcd-${index}`,
  address: `192.0.2.1${index}`,
}));
const VIRTUAL_IP = '192.0.2.100';

/** A cluster whose API servers are at the members themselves; it has no virtual IP yet. */
export const DIRECT: ClusterPicture = {
  members: MEMBERS.map((member, index) => ({
    ...member,
    state: index === 0 ? ('leader' as const) : ('follower' as const),
    version: '3.5.16',
  })),
  services: [],
  external: undefined,
  apiServers: ['cp-1', 'cp-2'].map((host) => ({ host, servers: MEMBERS.map(({ address }) => `${address}:2379`) })),
};

/** The same one behind a virtual IP, which etcd-2 holds; a member and an API server have faults. */
export const BEHIND_VIRTUAL_IP: ClusterPicture = {
  members: DIRECT.members.map((member, index) =>
    index === 2 ? { ...MEMBERS[2], ...member, state: 'does not answer' as const, version: undefined } : member,
  ),
  services: [
    {
      ...{ name: 'etcd', ip: VIRTUAL_IP, port: 2379, proxy: 'haproxy' },
      balancers: MEMBERS.map(({ host }, index) => ({ host, holds: index === 1 ? 'yes' : 'no' })),
    },
  ],
  external: undefined,
  apiServers: [
    { host: 'cp-1', servers: [`${VIRTUAL_IP}:2379`] },
    { host: 'cp-2', servers: [], absent: 'not running' },
  ],
};

/** What a health check finds: fine, doubtful and broken. */
export const ITEMS: readonly CheckItem[] = [
  { check: 'etcd-member', host: 'etcd-1', verdict: 'ok', evidence: 'healthy leader, etcd 3.5.16' },
  {
    ...{ check: 'etcd-member', host: 'etcd-3', verdict: 'fail', evidence: 'does not answer: connection refused' },
    next: 'ssh etcd-3 sudo journalctl -u etcd -n 30',
  },
  {
    ...{ check: 'certificate', host: 'etcd-2', subject: '/etc/etcd/pki/server.crt', verdict: 'warn' },
    ...{ evidence: 'ends in 20 days', next: 'provision certs renew inventory/hosts.yml' },
  },
  { check: 'virtual-ip', subject: VIRTUAL_IP, verdict: 'ok', evidence: 'etcd-2 holds it' },
];

/** What `verify --latency` measures. */
export const LATENCY: Latency = {
  host: 'cp-1',
  ways: [
    {
      ...{ way: 'virtual IP', url: `https://${VIRTUAL_IP}:2379` },
      ...{ reads: { count: 300, p50Ms: 0.84, p99Ms: 2.31 }, connections: { count: 300, p50Ms: 4.2, p99Ms: 9.75 } },
    },
    { way: 'etcd-3', url: 'https://192.0.2.13:2379', problem: 'connection refused' },
  ],
};

/** What a host may say to be more than text, in each format. Its mark shows whether a text is there at all. */
export const HOSTILE =
  'MARK </details><script>alert(1)</script> `````` | \\| @acme/sre [x](http://evil.example) www.evil.example <!-- ]]> &amp; "\' --> *_~ ![](x) \u001b[31m\u0007\u0000\uFFFE\uD800 \u202egpj';

/** Every place in which others' texts stand, with this one in it. */
export function recordWith(text: string): RunRecord {
  const at = { play: text, host: text, address: text, summary: text };
  const events: readonly Event[] = [
    { type: 'run-started', command: 'apply', inventory: text, by: text, hosts: [text] },
    { type: 'host-looking', host: text },
    { type: 'host-looked', host: text },
    {
      type: 'planned',
      plan: {
        ...{ tool: '0.1.0', inventoryDigest: '', playbook: text, playbookDigest: '', limit: text },
        away: [{ host: text, because: text }],
        plays: [
          {
            ...{ name: text, order: text, batchSize: undefined, leftOut: [text] },
            ...{ gatesBefore: [text], gatesAfter: [text] },
            batches: [
              {
                hosts: [
                  {
                    host: text,
                    unchanged: 0,
                    steps: [
                      {
                        ...{ address: text, task: text },
                        outcome: {
                          kind: 'change',
                          change: {
                            summary: text,
                            effect: 'change',
                            disruptive: true,
                            diff: [`+${text}`, text],
                            actions: [],
                          },
                        },
                      },
                      { address: `${text}2`, outcome: { kind: 'unknown', because: text } },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    },
    { type: 'change-started', ...at },
    { type: 'gate-waiting', gate: text, hosts: [text], reason: text },
    { type: 'gate-opened', gate: text, hosts: [text], waitedMs: 5000, note: text },
    { type: 'gate-waiting', gate: `${text}2`, hosts: [text], reason: text },
    {
      ...{ type: 'drill-measured', service: text, host: text, holder: text, observer: text, recoveredMs: 2110 },
      address: { longestMs: 700, stepMs: 70, isOver: true, failed: 10, attempts: 74 },
      client: { longestMs: 3310, stepMs: 70, isOver: false, failed: 47, attempts: 74 },
    },
    { type: 'change-failed', ...at, message: text },
    { type: 'rolled-back', ...at },
    { type: 'notice', host: text, message: text },
    {
      ...{ type: 'run-failed', kind: 'failed', message: text, hint: text },
      failures: [{ host: text, message: `${text}\n${text}` }, { message: text }],
    },
  ];
  const member = { host: text, name: text, address: text, state: 'leader', version: text } as const;
  const picture: ClusterPicture = {
    members: [member],
    services: [{ name: 'etcd', ip: text, port: 2379, proxy: 'haproxy', balancers: [{ host: text, holds: 'yes' }] }],
    external: text,
    apiServers: [{ host: text, servers: [text] }],
  };
  return {
    ...recordOf('apply', events),
    ...{ inventory: text, by: text, before: picture, after: { ...picture, services: [] } },
    items: [{ check: text, host: text, subject: text, verdict: 'fail', evidence: text, next: text }],
    latency: { host: text, ways: [{ way: text, url: text, problem: text, reads: { count: 1, p50Ms: 1, p99Ms: 2 } }] },
  };
}
