import { describe, expect, test } from '@jest/globals';
import { etcdLatency, percentile, readLatency } from '../../../src/drill/latency.js';
import type { World } from '../../../src/engine/world.js';
import { httpsKey } from '../../../src/facts/https-answer.js';
import { vipRequest } from '../../../src/gates/vip-answers.js';
import { ETCD_HEALTH_PATH } from '../../../src/model/cluster.js';
import { RemoteError } from '../../../src/model/errors.js';
import { outputOf, type Command, type Output, type Probe } from '../../../src/model/remote.js';
import { healthFiles } from '../../../src/model/virtual-service.js';
import { CURL_PATH } from '../../../src/shell/measure-latency.js';
import { fakeProbe, UNREACHABLE } from '../../support/fake-probe.js';
import { fakeHosts, fakeWorld } from '../../support/fake-world.js';
import { noDownload } from '../../support/local-transport.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE, withService } from '../../support/sample-cluster.js';

const HOSTS = ['etcd-1', 'etcd-2', 'etcd-3'];
const CLUSTER = { ...withService({ observers: [] }), controlPlanes: [] };
/** Through the virtual IP, and through a load balancer of others, with each member's own files. */
const QUESTIONS = [
  httpsKey(vipRequest(SAMPLE_SERVICE, healthFiles(SAMPLE_SERVICE.health))),
  ...SAMPLE_CLUSTER.members.map(({ client }) =>
    httpsKey({ url: `https://etcd.example.com:2379${ETCD_HEALTH_PATH}`, ...client }),
  ),
];

/** Three reads and two connections, of 1 ms and more. */
const MEASURED = `reads
L 200 1 0.020000 0.030000
L 200 0 0.000000 0.003000
L 200 0 0.000000 0.001000
L 200 0 0.000000 0.002000
connections
L 200 1 0.004000 0.005000
L 200 1 0.006000 0.009000
`;

interface Stage {
  /** Hosts that have curl; etcd-1 holds the address. */
  readonly curl: readonly string[];
  readonly lost?: string;
  /** What etcd says through the virtual IP. */
  readonly status?: number;
  readonly run?: (command: Command) => Promise<Output>;
  readonly ran?: string[];
}

function worldOf({ curl, lost, status = 200, run, ran }: Stage): World {
  const probe = (host: string): Probe =>
    fakeProbe(
      host === lost
        ? UNREACHABLE
        : {
            'host-addresses': {
              all: [{ interface: 'eth0', address: host === 'etcd-1' ? '10.0.0.100' : '10.0.0.9', prefixLength: 32 }],
            },
            paths: { [CURL_PATH]: curl.includes(host) },
            'https-answers': Object.fromEntries(QUESTIONS.map((each) => [each, { kind: 'answer', status, body: '' }])),
          },
      {},
      host,
    );
  return {
    ...fakeWorld(fakeHosts(HOSTS)),
    newLook: () => ({ probe, lost: () => new Map() }),
    connector: {
      connect: (host) =>
        Promise.resolve({
          host,
          run: (command) => {
            ran?.push(`${host}: ${command.summary}`);
            return run?.(command) ?? Promise.resolve(outputOf(0, MEASURED));
          },
          download: noDownload,
          close: () => Promise.resolve(),
        }),
      close: () => Promise.resolve(),
    },
  };
}

describe('how fast etcd answers', () => {
  test('is measured on one host, one way after the other, the virtual IP first', async () => {
    const ran: string[] = [];
    const found = await etcdLatency(CLUSTER, worldOf({ curl: HOSTS, ran }));
    expect(ran).toEqual(
      ['10.0.0.100', '10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
        (address) => `etcd-3: measure how fast https://${address}:2379 answers`,
      ),
    );
    expect(found).toMatchObject({
      host: 'etcd-3',
      ways: [
        {
          way: 'virtual IP',
          reads: { count: 3, p50Ms: 2, p99Ms: 3 },
          connections: { count: 2, p50Ms: 4, p99Ms: 6 },
        },
        ...['m1', 'm2', 'm3'].map((way) => ({ way })),
      ],
    });
  });

  test.each([
    ['who has no curl', { curl: ['etcd-2'] }],
    ['who can’t be asked', { curl: HOSTS, lost: 'etcd-3' }],
  ] satisfies [string, Stage][])('passes over %s', async (_, on) => {
    expect(await etcdLatency(CLUSTER, worldOf(on))).toMatchObject({ host: 'etcd-2' });
  });

  test.each([
    [{ curl: [] }, /curl is on none of etcd-\d, etcd-\d/, /^ssh etcd-3 sudo apt-get install curl$/],
    [{ curl: HOSTS, status: 503 }, /etcd does not answer etcd-3 through the virtual IP/, /^ssh etcd-3 .*journalctl/],
  ] satisfies [Stage, RegExp, RegExp][])('is not measured where nobody can: %#', async (on, problem, next) => {
    expect(await etcdLatency(CLUSTER, worldOf(on))).toEqual({
      problem: expect.stringMatching(problem) as unknown,
      next: expect.stringMatching(next) as unknown,
    });
  });

  test('is not measured without a virtual IP', async () => {
    expect(await etcdLatency({ ...CLUSTER, services: [] }, worldOf({ curl: HOSTS }))).toMatchObject({
      problem: 'etcd has no virtual IP',
    });
  });

  test('is measured through a load balancer that others run', async () => {
    const { places } = SAMPLE_SERVICE;
    const former = { proxy: 'haproxy', formerBalancers: [], backends: [], keepalived: [], places } as const;
    const external = { ip: undefined, name: 'etcd.example.com', port: 2379, former };
    const cluster = { ...CLUSTER, services: [], external };
    const found = await etcdLatency(cluster, worldOf({ curl: HOSTS }));
    expect('ways' in found ? found.ways[0] : found).toMatchObject({
      way: 'load balancer',
      url: 'https://etcd.example.com:2379',
    });
    expect(await etcdLatency(cluster, worldOf({ curl: HOSTS, status: 503 }))).toEqual({
      problem: 'etcd does not answer etcd-1 through the load balancer',
      next: expect.stringContaining('external-load-balancer') as unknown,
    });
  });

  test('of one way that can’t be asked is a problem of that way', async () => {
    const lost = new RemoteError({ code: 'command-failed', host: 'etcd-3', message: 'etcd-3: no end in 30 s' });
    const run = ({ summary }: Command): Promise<Output> =>
      summary.includes('10.0.0.2') ? Promise.reject(lost) : Promise.resolve(outputOf(0, MEASURED));
    const found = await etcdLatency(CLUSTER, worldOf({ curl: HOSTS, run }));
    const problems = 'ways' in found ? found.ways.map(({ problem }) => problem) : [];
    expect(problems).toEqual([undefined, undefined, 'etcd-3: no end in 30 s', undefined]);
  });
});

describe('what curl prints', () => {
  const REFUSED = "curl: (7) Failed to connect to 10.0.0.1 port 2379: Couldn't connect\nL 000 0 0.000000 0.000100\n";

  test.each([
    ['nothing at all', '', 'no answer came back in time'],
    ['nothing in time', 'reads\nconnections\n', 'no answer came back in time'],
    ['a refusal', `reads\n${REFUSED}connections\n${REFUSED}`, /^Failed to connect/],
    ['etcd’s refusal', 'reads\nL 403 1 0.010000 0.020000\nconnections\nL 200 1 0.010000 0.020000\n', 'answers 403'],
    ['a gateway that is off', 'reads\nL 404 1 0.010000 0.020000\nconnections\n', 'answers 404'],
  ])('%s is a problem, and no figure', (_, stdout, expected) => {
    const { reads, problem } = readLatency(stdout);
    expect(reads).toBeUndefined();
    expect(problem).toMatch(expected);
  });

  test('what came before a failure counts, and the failure is reported', () => {
    expect(readLatency(MEASURED.replace('connections', `${REFUSED}connections`))).toMatchObject({
      reads: { count: 3 },
      connections: { count: 2 },
      problem: expect.stringContaining('Failed to connect'),
    });
  });

  test('a server that ends each connection has no reads on one', () => {
    expect(readLatency(MEASURED.replaceAll('200 0', '200 1')).reads).toBeUndefined();
  });
});

test.each([
  [[1, 2, 3, 4], 50, 2],
  [[7], 99, 7],
  [Array.from({ length: 100 }, (_, index) => index + 1), 99, 99],
  [[], 50, undefined],
])('of %j, %i percent take no longer than %j', (sorted, percent, expected) => {
  expect(percentile(sorted, percent)).toBe(expected);
});
