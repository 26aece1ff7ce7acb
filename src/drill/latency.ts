import type { World } from '../engine/world.js';
import { pathExists } from '../facts/path-exists.js';
import { proxyJournal } from '../gates/vip-answers.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { RemoteError } from '../model/errors.js';
import type { Latency, LatencyFigures, WayLatency } from '../model/latency.js';
import type { Probe } from '../model/remote.js';
import { serviceNamed, type VirtualService } from '../model/virtual-service.js';
import { CURL_PATH, measureLatency } from '../shell/measure-latency.js';
import { holderOf } from './look-before.js';
import { findObserver, observerCandidates, type Observer } from './observer.js';

/** Why nothing was measured, and the next command to type. */
export interface NotMeasured {
  readonly problem: string;
  readonly next: string;
}

/**
 * How fast etcd answers a client of its own, through the virtual IP and by way of each member; one way after the other, so that
 * none is slower because of another. A control plane measures where one can, for those are the clients; else a load balancer.
 */
export async function etcdLatency(cluster: Cluster, world: World): Promise<Latency | NotMeasured> {
  const service = serviceNamed(cluster, 'etcd');
  if (cluster.external !== undefined)
    return { problem: 'others run the load balancer of etcd', next: 'ask those who run it for its figures' };
  if (service === undefined) return { problem: 'etcd has no virtual IP', next: 'set etcd_lb_ip in the inventory' };
  const observer = await observerWithCurl(service, world);
  if ('problem' in observer) return observer;
  const { ip, port } = service.endpoint;
  const targets = [
    { way: 'virtual IP', url: httpsUrl(ip, port) },
    ...cluster.members.map(({ name, address, clientPort }) => ({ way: name, url: httpsUrl(address, clientPort) })),
  ];
  const ways: WayLatency[] = [];
  for (const target of targets) ways.push(await measureWay(target, observer, world));
  return { host: observer.host, ways };
}

/** Its clocks are the only ones on a host that know when a connection is made. */
async function observerWithCurl(service: VirtualService, world: World): Promise<Observer | NotMeasured> {
  const look = world.newLook();
  const probe = (host: string): Probe => look.probe(host);
  // Whoever can't be asked holds it no longer, or can't measure either.
  const holder = await unlessLost(() => holderOf(service, look));
  const candidates = observerCandidates(service, holder ?? '');
  const able = await Promise.all(
    candidates.map(({ host }) => unlessLost(() => probe(host).ask(pathExists, CURL_PATH))),
  );
  const found = candidates.filter((_, index) => able[index] === true);
  const host = (found[0] ?? candidates[0])?.host ?? '';
  if (found.length === 0)
    return {
      problem: `curl is on none of ${candidates.map((each) => each.host).join(', ')}, which may ask etcd`,
      next: `ssh ${host} sudo apt-get install curl`,
    };
  const unanswered = {
    problem: `etcd does not answer ${host} through the virtual IP`,
    next: proxyJournal(service, host),
  };
  return (await findObserver(found, service, probe)) ?? unanswered;
}

async function unlessLost<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
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
