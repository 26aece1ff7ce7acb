import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';

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
  /** How long a client tries a write again before it calls that an error; absent: as write-on.ts says. */
  readonly patienceMs?: number;
}

/** How long one try may take. */
const TRY_MS = 1_000;
/** Between two rounds of tries. */
const BETWEEN_ROUNDS_MS = 30;

/** One question. */
export interface Call {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** What came back, whole. */
export interface Answer {
  /** Of HTTP. */
  readonly status: number;
  /** Of gRPC, where it is gRPC: 0 is success. */
  readonly grpcStatus: string | undefined;
  readonly body: Buffer;
}

/** A client with kept-alive connections, which stays with the endpoint that answered last. */
export class Client {
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

  /** Asks one endpoint. @throws Error when the answer is cut off, or takes longer */
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

  /** Asks the current endpoint; after a failure the next one is current. @throws Error with the endpoint and why */
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
