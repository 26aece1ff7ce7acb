import { listeners, type Listener } from '../facts/listeners.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { hostPort } from '../model/endpoint.js';
import { ProvisionError } from '../model/errors.js';

/** An address and port that one program is to have for itself. */
export interface ListenAddressOptions {
  readonly address: string;
  readonly port: number;
  /** What sets the port, for the way out. */
  readonly portVariable: string;
  /** Names of the processes that may listen there already; the first is the one that will. */
  readonly processes: readonly [string, ...string[]];
  /** Who leaves the address earlier in the same run: an etcd that listens everywhere until its environment file is replaced. */
  readonly leaving: Leaving;
}

/** A process that a change of the run moves away. */
export interface Leaving {
  readonly process: string;
  /** The change of any of these moves it; none: it stays. */
  readonly by: readonly Resource[];
}

/**
 * No one else listens there. It changes nothing: a stranger's listener is refused while planning, for the bind would
 * fail after everything else was done.
 */
export function listenAddress(options: ListenAddressOptions): Resource {
  const { address, port } = options;
  return {
    address: `listen:${hostPort(address, port)}`,
    paths: [],
    async plan(probe) {
      const [found, ...freeing] = await Promise.all([
        probe.ask(listeners, String(port)),
        ...options.leaving.by.map((resource) => resource.plan(probe)),
      ]);
      const leaves = freeing.some((outcome) => outcome.kind === 'change') ? [options.leaving.process] : [];
      const strangers = found.filter((listener) => clashes(listener, options) && !leaves.includes(listener.process));
      if (strangers.length === 0) return UNCHANGED;
      throw taken(options, strangers);
    },
  };
}

function clashes(listener: Listener, { address, processes }: ListenAddressOptions): boolean {
  const isEverywhere = ['0.0.0.0', '*', '::'].includes(listener.address);
  return !processes.includes(listener.process) && (isEverywhere || listener.address === address);
}

function taken(
  { address, port, portVariable, processes: [process] }: ListenAddressOptions,
  strangers: readonly Listener[],
): ProvisionError {
  const who = strangers.map((stranger) => `${stranger.process || 'a process'} on ${hostPort(stranger.address, port)}`);
  return new ProvisionError({
    code: 'address-taken',
    message: `${process} cannot listen on ${hostPort(address, port)}: ${who.join(', ')} listens there already`,
    hint: `make it listen on the node's own address only, or give the load balancer another port: ${portVariable}`,
  });
}
