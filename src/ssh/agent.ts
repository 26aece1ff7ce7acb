import type { Duplex } from 'node:stream';
import type { BaseAgent, GetStreamCallback, OpenSSHAgent, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
import { inTime } from './deadline.js';
import { loadLibrary } from './library.js';

/** An ssh agent and the keys that it holds. */
export interface Agent {
  readonly keys: readonly ParsedKey[];
  /** The same agent, offering only these keys. */
  offering(keys: readonly ParsedKey[]): BaseAgent<ParsedKey>;
}

/** How long an agent may take to list its keys: one that nobody serves any more accepts, and never answers. */
const AGENT_TIMEOUT_MS = 5_000;

/** Kinds of keys that ssh2 does not know (certificates, sk-) are not listed. */
function listKeys(agent: OpenSSHAgent, streams: readonly Duplex[], ms: number): Promise<readonly ParsedKey[]> {
  const error = (): Error => new Error(`no answer within ${ms / 1000} s`);
  // Left open, it would keep this process from ending.
  const hangUp = (failure: unknown): never => {
    streams.forEach((stream) => stream.destroy());
    throw failure;
  };
  const asked = inTime<readonly ParsedKey[]>({ ms, error }, (done) => {
    agent.getIdentities((failed, found = []) => {
      done(
        failed,
        found.filter((key) => 'getPublicSSH' in key),
      );
    });
  });
  return asked.catch(hangUp);
}

/**
 * Asks an agent for its keys. Done before connecting, because ssh2 reports a dead agent as an error of the connection,
 * although other credentials could still be tried.
 * @param socket path of its Unix socket
 * @param timeoutMs how long it may take to list its keys
 * @throws Error when nothing answers there
 */
export async function openAgent(socket: string, timeoutMs = AGENT_TIMEOUT_MS): Promise<Agent> {
  const library = await loadLibrary();
  const streams: Duplex[] = [];
  class WatchedAgent extends library.OpenSSHAgent {
    override getStream(callback: GetStreamCallback): void {
      super.getStream((error, stream) => {
        if (stream) streams.push(stream);
        callback(error, stream);
      });
    }
  }
  const agent = new WatchedAgent(socket);

  class SelectedKeys extends library.BaseAgent<ParsedKey> {
    readonly #keys: readonly ParsedKey[];

    constructor(keys: readonly ParsedKey[]) {
      super();
      this.#keys = keys;
    }

    override getIdentities(callback: Parameters<BaseAgent<ParsedKey>['getIdentities']>[0]): void {
      callback(undefined, [...this.#keys]);
    }

    override sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      callback?: SignCallback,
    ): void {
      if (typeof options === 'function') agent.sign(key, data, {}, options);
      else agent.sign(key, data, options, callback);
    }
  }

  return { keys: await listKeys(agent, streams, timeoutMs), offering: (keys) => new SelectedKeys(keys) };
}
