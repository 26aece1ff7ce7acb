/**
 * Writes to a cluster on several ways in at once, each with an ordinary client's retries, or reads back all that is
 * there. A program of its own, run where the cluster can be reached: `node --import tsx write-on.ts write|read`, its
 * {@link Task} as one line on standard input; it writes until standard input ends. One process with kept-alive
 * connections, because a process for each write would cost more than what it measures.
 */
import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { putRequest, rangeRequest, readRangeResponse } from './etcd-messages.js';

/** One way into the cluster. */
export interface Way {
  readonly name: string;
  /** etcd's gRPC API, or the API of Kubernetes. */
  readonly kind: 'etcd' | 'api';
  /** Tried in turn; a client stays with the one that answered last. */
  readonly endpoints: readonly string[];
  /** Files in PEM form. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** `when-verified`: after several new connections in a row that all verify; nothing before that counts. */
  readonly begins: 'at-once' | 'when-verified';
}

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
/** How long one try may take. */
const TRY_MS = 1_000;
/** A list of thousands of names takes longer than a write. */
const READ_MS = 20_000;
/** Between two rounds of tries. */
const BETWEEN_ROUNDS_MS = 30;
/** New connections through a balancer go to one server after the other: so many verify only when all servers do. */
const VERIFIED_IN_A_ROW = 6;

const print = (line: Line): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

interface Call {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

interface Answer {
  /** Of HTTP. */
  readonly status: number;
  /** Of gRPC, where it is gRPC: 0 is success. */
  readonly grpcStatus: string | undefined;
  readonly body: Buffer;
}

class Client {
  readonly #way: Way;
  readonly #tls: { ca: Buffer; cert: Buffer; key: Buffer };
  readonly #sessions = new Map<string, ClientHttp2Session>();
  #current = 0;

  constructor(way: Way) {
    this.#way = way;
    this.#tls = { ca: readFileSync(way.ca), cert: readFileSync(way.certificate), key: readFileSync(way.key) };
  }

  #sessionTo(endpoint: string): ClientHttp2Session {
    const open = this.#sessions.get(endpoint);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const session = connect(endpoint, this.#tls);
    // What goes wrong is told to the streams.
    session.on('error', () => undefined);
    this.#sessions.set(endpoint, session);
    return session;
  }

  async ask(endpoint: string, call: Call, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const session = this.#sessionTo(endpoint);
      session.once('error', reject);
      const stream = session.request(call.headers, { endStream: false, signal: AbortSignal.timeout(timeoutMs) });
      let [status, grpcStatus]: [number, string | undefined] = [0, undefined];
      const chunks: Buffer[] = [];
      stream.on('response', (headers) => {
        status = headers[':status'] ?? 0;
        grpcStatus = headers['grpc-status']?.toString();
      });
      stream.on('trailers', (headers: IncomingHttpHeaders) => (grpcStatus = headers['grpc-status']?.toString()));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        session.off('error', reject);
        // gRPC's status comes last: an answer without it was cut off.
        const isWhole = status !== 0 && (grpcStatus !== undefined || call.headers['te'] !== 'trailers');
        if (!isWhole) reject(new Error('the connection was closed'));
        else resolve({ status, grpcStatus, body: Buffer.concat(chunks) });
      });
      stream.end(call.body);
    });
  }

  /** One new connection, as far as the server's certificate. */
  async verify(endpoint: string): Promise<void> {
    this.hangUp();
    await new Promise((resolve, reject) => {
      const session = this.#sessionTo(endpoint);
      session.once('connect', resolve).once('error', reject).once('close', reject);
      session.setTimeout(TRY_MS, () => {
        session.destroy();
      });
    });
  }

  /** Drops all connections: the next question makes a new one. */
  hangUp(): void {
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }

  /** Asks the current endpoint; after a failure the next one is current. */
  async askCurrent(call: Call): Promise<Answer> {
    const { endpoints } = this.#way;
    const endpoint = endpoints[this.#current % endpoints.length] ?? '';
    try {
      const answer = await this.ask(endpoint, call, TRY_MS);
      if (answer.status < 500 && answer.status !== 429 && (answer.grpcStatus ?? '0') === '0') return answer;
      throw new Error(`${answer.status} ${answer.grpcStatus ?? ''} ${answer.body.toString('utf8')}`);
    } catch (error) {
      this.#sessions.get(endpoint)?.destroy();
      this.#sessions.delete(endpoint);
      this.#current += 1;
      if (this.#current % endpoints.length === 0) await pause(BETWEEN_ROUNDS_MS);
      throw new Error(`${endpoint}: ${String(error)}`, { cause: error });
    }
  }
}

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
  for (let tries = 1; Date.now() - begun < PATIENCE_MS; tries += 1) {
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
    readEtcdAnswer(client.ask(endpoint, grpcCall('Range', request), READ_MS));
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
    const answer = await client.ask(endpoint, call, READ_MS);
    const { items } = JSON.parse(answer.body.toString('utf8')) as { items: { metadata: { name: string } }[] };
    const ids = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`${run}-${way.name}-`));
    print({ type: 'present', from: endpoint, way: way.name, ids });
  }
  client.hangUp();
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
