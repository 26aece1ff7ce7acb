import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { inControlNamespace } from '../../src/lab/network.js';
import { waitUntil } from '../../src/lab/process.js';
import type { Way } from './cluster-client.js';
import type { HandMadeCluster } from './hand-made-cluster.js';
import type { TestLab } from './lab.js';
import { vipOf } from './main-job.js';
import type { Line, Task } from './write-on.js';

/** What one writer did. Times in milliseconds. */
export interface Written {
  readonly way: string;
  /** What was acknowledged, in order. */
  readonly acknowledged: readonly { readonly id: string; readonly at: number; readonly tries: number }[];
  /** Writes that were not acknowledged within 5 s of retries, or what the way says, and why. */
  readonly failed: readonly string[];
}

/** Writers at work. */
export interface Writers {
  /** How many writes have been acknowledged on a way. */
  count(way: string): number;
  /** Lets each finish the write in progress. */
  stop(): Promise<readonly Written[]>;
}

const program = (mode: 'write' | 'read'): readonly string[] => [
  process.execPath,
  '--import',
  'tsx',
  'tests/support/write-on.ts',
  mode,
];

function written(way: string, lines: readonly Line[]): Written {
  return {
    way,
    acknowledged: lines.flatMap((line) => (line.type === 'acknowledged' && line.way === way ? [line] : [])),
    failed: lines.flatMap((line) => (line.type === 'failed' && line.way === way ? [`${line.id}: ${line.reason}`] : [])),
  };
}

/**
 * Begins to write on each way in, without a pause until told to stop, and waits until all that begin at once have begun.
 * @param run tells these writes from those of another run; lower case
 * @param paceMs how long each rests between two writes: a gap shorter than that is not seen
 */
export async function startWriters(lab: TestLab, run: string, ways: readonly Way[], paceMs = 30): Promise<Writers> {
  const [first = '', ...args] = inControlNamespace(lab.name, program('write'));
  const child = spawn(first, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  child.stdin.write(`${JSON.stringify({ run, ways, paceMs } satisfies Task)}\n`);
  const count = (way: string): number => written(way, lines).acknowledged.length;
  const now = ways.filter(({ begins }) => begins === 'at-once');
  const haveBegun = await waitUntil(async () => Promise.resolve(now.every(({ name }) => count(name) > 0)), 120_000, 50);
  if (!haveBegun) throw new Error(`writers have not begun: ${JSON.stringify(lines.slice(-3))}`);
  return {
    count,
    stop: async () => {
      child.stdin.end();
      await ended;
      return ways.map(({ name }) => written(name, lines));
    },
  };
}

/** The times between two successes of a writer, in milliseconds. */
export function gapsMs({ acknowledged }: Written): readonly number[] {
  return acknowledged.slice(1).map(({ at }, index) => at - (acknowledged[index]?.at ?? at));
}

/** The longest of {@link gapsMs}. */
export function longestGapMs(done: Written): number {
  return Math.max(0, ...gapsMs(done));
}

/** Writes that were acknowledged and are not there, and where they are missing: `id is not at endpoint`. */
export async function lostWrites(
  lab: TestLab,
  run: string,
  ways: readonly Way[],
  done: readonly Written[],
): Promise<readonly string[]> {
  const read = await lab.onControlSide(program('read'), `${JSON.stringify({ run, ways, paceMs: 0 } satisfies Task)}\n`);
  if (read.status !== 0) throw new Error(read.stderr);
  const lines = read.stdout.trim().split('\n');
  const present = lines.map((line) => JSON.parse(line) as Line & { readonly type: 'present' });
  return done.flatMap(({ way, acknowledged }) => {
    const sources = present.filter((source) => source.way === way);
    if (sources.length === 0) throw new Error(`nobody was asked for what ${way} wrote`);
    return sources.flatMap(({ from, ids }) => {
      const there = new Set(ids);
      return acknowledged.filter(({ id }) => !there.has(id)).map(({ id }) => `${id} is not at ${from}`);
    });
  });
}

/** One line about what a writer saw. */
export function tell(done: Written): string {
  const retried = done.acknowledged.filter(({ tries }) => tries > 1).length;
  const gap = longestGapMs(done).toFixed(0);
  return `${done.way}: ${done.acknowledged.length} writes acknowledged (${retried} tried again), ${done.failed.length} failed, longest gap ${gap} ms`;
}

/** The way in through the API of control planes; the parts of an admin.conf are put into files for it. */
export async function apiWay(lab: TestLab, name: string, controlPlanes: readonly string[]): Promise<Way> {
  const { hosts } = (await lab.host(controlPlanes[0] ?? '')).lab;
  const config = (await lab.ssh(controlPlanes[0] ?? '', 'cat /etc/kubernetes/admin.conf')).stdout;
  const part = async (field: string): Promise<string> => {
    const found = new RegExp(`${field}-data: (\\S+)`).exec(config)?.[1];
    if (found === undefined) throw new Error(`admin.conf has no ${field}`);
    const file = join(lab.files.inventory, '..', `admin-${field}.pem`);
    await writeFile(file, Buffer.from(found, 'base64'), { mode: 0o600 });
    return file;
  };
  return {
    name,
    kind: 'api',
    endpoints: hosts
      .filter((host) => controlPlanes.includes(host.name))
      .map(({ address }) => `https://${address}:6443`),
    ca: await part('certificate-authority'),
    certificate: await part('client-certificate'),
    key: await part('client-key'),
    begins: 'at-once',
  };
}

/**
 * The three ways into an existing cluster: its members directly, the virtual IP (once it serves a certificate that
 * verifies), and the API servers.
 */
export async function waysInto(
  lab: TestLab,
  made: HandMadeCluster,
  controlPlanes: readonly string[],
): Promise<readonly Way[]> {
  const client = {
    ca: made.caCertificate,
    certificate: join(made.directory, 'apiserver-etcd-client_cert.pem'),
    key: join(made.directory, 'apiserver-etcd-client_key.pem'),
  };
  return [
    { name: 'members', kind: 'etcd', endpoints: made.endpoints, ...client, begins: 'at-once' },
    { name: 'vip', kind: 'etcd', endpoints: [`https://${await vipOf(lab)}:2379`], ...client, begins: 'when-verified' },
    await apiWay(lab, 'api', controlPlanes),
  ];
}

/**
 * The ways into a cluster that this program made, with etcd's own client certificate: the members that a way names, in turn;
 * the virtual IP; and the API servers, where control planes are given.
 * @param direct members of the way `members`, by the last part of their addresses: 11 is etcd-1's
 */
export async function ownWays(
  lab: TestLab,
  direct: readonly number[],
  controlPlanes: readonly string[],
): Promise<readonly Way[]> {
  const vip = await vipOf(lab);
  const copy = async (name: string): Promise<string> => {
    const file = join(dirname(lab.files.inventory), name);
    await writeFile(file, (await lab.ssh('etcd-1', `cat /etc/etcd/pki/${name}`)).stdout, { mode: 0o600 });
    return file;
  };
  const client = { ca: await copy('ca.crt'), certificate: await copy('client.crt'), key: await copy('client.key') };
  const endpoints = direct.map((number) => `https://${vip.replace(/\d+$/, String(number))}:2379`);
  return [
    { name: 'members', kind: 'etcd', endpoints, ...client, begins: 'at-once' },
    { name: 'vip', kind: 'etcd', endpoints: [`https://${vip}:2379`], ...client, begins: 'at-once' },
    ...(controlPlanes.length > 0 ? [await apiWay(lab, 'api', controlPlanes)] : []),
  ];
}
