import type { World } from '../engine/world.js';
import type { Look } from '../facts/batched-probe.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import { proxyJournal } from '../gates/vip-answers.js';
import { ETCD_HEALTH_PATH, type Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Latency, LatencyFigures, WayLatency } from '../model/latency.js';
import { serviceNamed, type ServiceObserver } from '../model/virtual-service.js';
import { CURL_PATH, measureLatency } from '../shell/measure-latency.js';
import { holderOf } from './look-before.js';
import { findObserver, observerCandidates, type Observer, type Reached } from './observer.js';

/** Why nothing was measured, and the next command to type. */
export interface NotMeasured {
  readonly problem: string;
  readonly next: string;
}

/**
 * How fast etcd answers a client of its own, through its load balancer and by way of each member; one way after the other, so
 * that none is slower because of another. A control plane measures where one can, for those are the clients.
 */
export async function etcdLatency(cluster: Cluster, world: World): Promise<Latency | NotMeasured> {
  const look = world.newLook();
  const balanced = await balancedWay(cluster, look);
  if ('problem' in balanced) return balanced;
  const { way, reached } = balanced;
  const observer = await observerWithCurl(balanced, look);
  if ('problem' in observer) return observer;
  const { ip, port } = reached.endpoint;
  const targets = [
    { way, url: httpsUrl(ip, port) },
    ...cluster.members.map(({ name, address, clientPort }) => ({ way: name, url: httpsUrl(address, clientPort) })),
  ];
  const ways: WayLatency[] = [];
  for (const target of targets) ways.push(await measureWay(target, observer, world));
  return { host: observer.host, ways };
}

/** How clients reach etcd, other than at its members. */
interface BalancedWay {
  readonly way: string;
  readonly reached: Reached;
  /** Who could measure, the best first. */
  readonly candidates: readonly ServiceObserver[];
  /** What to look at where it does not answer a host. */
  readonly next: (host: string) => string;
}

async function balancedWay(cluster: Cluster, look: Look): Promise<BalancedWay | NotMeasured> {
  const { external, controlPlanes, members } = cluster;
  if (external !== undefined)
    return {
      way: 'load balancer',
      reached: {
        endpoint: { ip: external.ip ?? external.name ?? '', port: external.port },
        health: { path: ETCD_HEALTH_PATH, alive: [200] },
      },
      candidates: [...controlPlanes, ...members.map(({ host, client }) => ({ host, files: client }))],
      next: () => 'look at the load balancer, and at external-load-balancer above',
    };
  const service = serviceNamed(cluster, 'etcd');
  if (service === undefined) return { problem: 'etcd has no virtual IP', next: 'set etcd_lb_ip in the inventory' };
  // Whoever can't be asked holds it no longer, or can't measure either.
  const holder = await unlessLost(holderOf(service, look));
  return {
    way: 'virtual IP',
    reached: service,
    candidates: observerCandidates(service, typeof holder === 'string' ? holder : ''),
    next: (host) => proxyJournal(service, host),
  };
}

/** curl's clocks are the only ones on a host that know when a connection is made. */
async function observerWithCurl(
  { way, reached, candidates, next }: BalancedWay,
  look: Look,
): Promise<Observer | NotMeasured> {
  const able = await Promise.all(candidates.map(({ host }) => unlessLost(look.probe(host).ask(pathExists, CURL_PATH))));
  const found = candidates.filter((_, index) => able[index] === true);
  const host = (found[0] ?? candidates[0])?.host ?? '';
  if (found.length === 0)
    return {
      problem: `curl is on none of ${candidates.map((each) => each.host).join(', ')}, which may ask etcd`,
      next: `ssh ${host} sudo apt-get install curl`,
    };
  const observer = await findObserver(found, reached, (each) => look.probe(each));
  return observer ?? { problem: `etcd does not answer ${host} through the ${way}`, next: next(host) };
}

async function measureWay(
  target: Pick<WayLatency, 'way' | 'url'>,
  { host, files }: Observer,
  { connector }: World,
): Promise<WayLatency> {
  try {
    const transport = await connector.connect(host);
    const { stdout } = await transport.run(measureLatency({ url: target.url, ...files }));
    return { ...target, ...readLatency(stdout) };
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return { ...target, problem: error.message };
  }
}

/** What shell/measure-latency.ts prints. */
export function readLatency(stdout: string): Omit<WayLatency, 'way' | 'url'> {
  const [, reads = '', connections = ''] = /^reads$([^]*)^connections$([^]*)/m.exec(stdout) ?? [];
  const onOneConnection = exchanges(reads).filter(({ isGood, made }) => isGood && made === 0);
  const onNewOnes = exchanges(connections).filter(({ isGood, made }) => isGood && made === 1);
  return {
    reads: figuresOf(onOneConnection.map(({ totalMs }) => totalMs)),
    connections: figuresOf(onNewOnes.map(({ connectedMs }) => connectedMs)),
    problem: problemIn(reads) ?? problemIn(connections),
  };
}

interface Exchange {
  readonly isGood: boolean;
  readonly status: string;
  /** How many connections were made for it. */
  readonly made: number;
  readonly connectedMs: number;
  readonly totalMs: number;
}

function exchanges(block: string): readonly Exchange[] {
  return [...block.matchAll(/^L (\d{3}) (\d+) (\d+\.\d+) (\d+\.\d+)$/gm)].map(
    ([, status = '', made, connected, total]): Exchange => ({
      isGood: status === '200',
      status,
      made: Number(made),
      connectedMs: Number(connected) * 1000,
      totalMs: Number(total) * 1000,
    }),
  );
}

function problemIn(block: string): string | undefined {
  const [, said] = /^curl: \(\d+\) (.*)$/m.exec(block) ?? [];
  if (said !== undefined) return said;
  const all = exchanges(block);
  const bad = all.find(({ isGood }) => !isGood);
  if (bad !== undefined) return `answers ${bad.status}`;
  return all.length === 0 ? 'no answer came back in time' : undefined;
}

function figuresOf(values: readonly number[]): LatencyFigures | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [p50, p99] = [percentile(sorted, 50), percentile(sorted, 99)];
  return p50 === undefined || p99 === undefined ? undefined : { count: sorted.length, p50Ms: p50, p99Ms: p99 };
}

/** By nearest rank: a value that was measured, never one between two. To a microsecond. @param sorted the smallest first */
export function percentile(sorted: readonly number[], percent: number): number | undefined {
  const value = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1];
  return value === undefined ? undefined : Math.round(value * 1000) / 1000;
}
