import type { BaseAgent, OpenSSHAgent, ParsedKey, SignCallback, SigningRequestOptions } from 'ssh2';
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
function listKeys(agent: OpenSSHAgent): Promise<readonly ParsedKey[]> {
  const error = (): Error => new Error(`no answer within ${AGENT_TIMEOUT_MS / 1000} s`);
  return inTime<readonly ParsedKey[]>({ ms: AGENT_TIMEOUT_MS, error }, (done) => {
    agent.getIdentities((failed, found = []) => {
      done(
        failed,
        found.filter((key) => 'getPublicSSH' in key),
      );
    });
  });
}

/**
 * Asks an agent for its keys. Done before connecting, because ssh2 reports a dead agent as an error of the connection,
 * although other credentials could still be tried.
 * @param socket path of its Unix socket
 * @throws Error when nothing answers there
 */
export async function openAgent(socket: string): Promise<Agent> {
  const library = await loadLibrary();
  const agent = new library.OpenSSHAgent(socket);

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

  return { keys: await listKeys(agent), offering: (keys) => new SelectedKeys(keys) };
}
