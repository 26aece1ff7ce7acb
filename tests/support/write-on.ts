/**
 * Writes to a cluster on several ways in at once, each with an ordinary client's retries, or reads back all that is
 * there. A program of its own, run where the cluster can be reached: `node --import tsx write-on.ts write|read`, its
 * {@link Task} as one line on standard input; it writes until standard input ends. One process with kept-alive
 * connections, because a process for each write would cost more than what it measures.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type Answer, type Call, type Way } from './cluster-client.js';
import { putRequest, rangeRequest, readRangeResponse } from './etcd-messages.js';

/** What to do, as one line of JSON. */
export interface Task {
  readonly run: string;
  readonly ways: readonly Way[];
  /** How long a writer rests between two writes. */
  readonly paceMs: number;
}

/** One line of what is printed. Times in milliseconds since 1970. */
export type Line =
  | {
      readonly type: 'acknowledged';
      readonly way: string;
      readonly id: string;
      readonly at: number;
      readonly tries: number;
    }
  | { readonly type: 'failed'; readonly way: string; readonly id: string; readonly at: number; readonly reason: string }
  | { readonly type: 'present'; readonly from: string; readonly way: string; readonly ids: readonly string[] };

/**
 * An ordinary client tries a write that means the same when it is done twice again, at the next endpoint, until it is
 * acknowledged. Within this time that is no error.
 */
const PATIENCE_MS = 5_000;
/** A list of thousands of names takes longer than a write. */
const READ_MS = 20_000;
/** What is there is asked for when all is done: a server that was just restarted may need a while. */
const READ_PATIENCE_MS = 120_000;
/** New connections through a balancer go to one server after the other: so many verify only when all servers do. */
const VERIFIED_IN_A_ROW = 6;

const print = (line: Line): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

function grpcCall(method: string, body: Buffer): Call {
  const headers = { 'content-type': 'application/grpc', te: 'trailers' };
  return { headers: { ':method': 'POST', ':path': `/etcdserverpb.KV/${method}`, ...headers }, body };
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

function writeCall({ kind }: Way, id: string): Call {
  if (kind === 'etcd') return grpcCall('Put', putRequest(id, id));
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: id }, data: { id } };
  const headers = { ':method': 'POST', ':path': CONFIG_MAPS, 'content-type': 'application/json' };
  return { headers, body: Buffer.from(JSON.stringify(configMap)) };
}

function isAcknowledged({ kind }: Way, { status, grpcStatus }: Answer, tries: number): boolean {
  if (kind === 'etcd') return status === 200 && grpcStatus === '0';
  // A name is used once: that it exists already says that an earlier try was done, and its answer lost.
  return status === 201 || (status === 409 && tries > 1);
}

async function write(way: Way, client: Client, id: string): Promise<void> {
  const begun = Date.now();
  let reason = '';
  for (let tries = 1; Date.now() - begun < (way.patienceMs ?? PATIENCE_MS); tries += 1) {
    try {
      const answer = await client.askCurrent(writeCall(way, id));
      if (isAcknowledged(way, answer, tries)) {
        print({ type: 'acknowledged', way: way.name, id, at: Date.now(), tries });
        return;
      }
      reason = `${answer.status} ${answer.body.toString('utf8')}`;
      break;
    } catch (error) {
      reason = String(error);
    }
  }
  print({ type: 'failed', way: way.name, id, at: Date.now(), reason });
}

async function untilVerified(way: Way, client: Client, isOver: () => boolean): Promise<void> {
  for (let inARow = 0; inARow < VERIFIED_IN_A_ROW && !isOver();) {
    try {
      await client.verify(way.endpoints[0] ?? '');
      inARow += 1;
    } catch {
      inARow = 0;
    }
    await pause(100);
  }
}

async function keepWriting(way: Way, { run, paceMs }: Task, isOver: () => boolean): Promise<void> {
  const client = new Client(way);
  if (way.begins === 'when-verified') await untilVerified(way, client, isOver);
  for (let n = 1; !isOver(); n += 1) {
    await write(way, client, `${run}-${way.name}-${n}`);
    await pause(paceMs);
  }
  client.hangUp();
}

/** Asks every endpoint of etcd for all writes of all ways, as they were at one and the same revision. */
async function readEtcd(reader: Way, { run, ways }: Task): Promise<void> {
  const client = new Client(reader);
  const range = async (endpoint: string, request: Buffer): ReturnType<typeof readEtcdAnswer> =>
    patiently(client, async () => readEtcdAnswer(client.ask(endpoint, grpcCall('Range', request), READ_MS)));
  const { revision } = await range(reader.endpoints[0] ?? '', rangeRequest(run));
  for (const endpoint of reader.endpoints) {
    for (const way of ways) {
      const prefix = `${way.kind === 'api' ? '/registry/configmaps/default/' : ''}${run}-${way.name}-`;
      // The first waits until this member has all that is committed; the second is what it has itself.
      await range(endpoint, rangeRequest(prefix));
      const { keys } = await range(endpoint, rangeRequest(prefix, revision));
      print({ type: 'present', from: endpoint, way: way.name, ids: keys.map((key) => key.replace(/^.*\//, '')) });
    }
  }
  client.hangUp();
}

async function readEtcdAnswer(asked: Promise<Answer>): Promise<ReturnType<typeof readRangeResponse>> {
  const { status, grpcStatus, body } = await asked;
  if (status !== 200 || grpcStatus !== '0') throw new Error(`${status} ${grpcStatus ?? ''} ${body.toString('utf8')}`);
  return readRangeResponse(body);
}

async function readApi(way: Way, run: string): Promise<void> {
  const client = new Client(way);
  // Names alone.
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  const call = { headers: { ':method': 'GET', ':path': CONFIG_MAPS, accept }, body: Buffer.alloc(0) };
  for (const endpoint of way.endpoints) {
    const items = await patiently(client, async () => readList(await client.ask(endpoint, call, READ_MS)));
    const ids = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`${run}-${way.name}-`));
    print({ type: 'present', from: endpoint, way: way.name, ids });
  }
  client.hangUp();
}

function readList({ status, body }: Answer): readonly { readonly metadata: { readonly name: string } }[] {
  const text = body.toString('utf8');
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (JSON.parse(text) as { items: { metadata: { name: string } }[] }).items;
}

/** Asks again, over a new connection, until it is answered. @throws what the last question met */
async function patiently<T>(client: Client, ask: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() - begun > READ_PATIENCE_MS) throw error;
      client.hangUp();
      await pause(500);
    }
  }
}

async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  let over = false;
  lines.on('close', () => (over = true));
  const task = await new Promise<Task>((resolve) => {
    lines.once('line', (line) => {
      resolve(JSON.parse(line) as Task);
    });
  });
  if (process.argv[2] === 'write') {
    await Promise.all(task.ways.map(async (way) => keepWriting(way, task, () => over)));
    return;
  }
  for (const way of task.ways) await (way.kind === 'etcd' ? readEtcd(way, task) : readApi(way, task.run));
}

await main();
