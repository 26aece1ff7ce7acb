import { KUBELET } from '../facts/kubelet-processes.js';
import type { Action, Await } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Endpoint } from '../model/virtual-service.js';
import { serviceCommand } from '../shell/service-command.js';
import { serverChange } from './kubeconfig-server.js';
import { LOCAL_SINCE, lookAtKubelet, staysLocal, type KubeletControlPlane, type SeenKubelet } from './seen-kubelet.js';
import { usesEndpoint, wantedServer } from './with-server.js';

/** A kubelet that should use a virtual IP. */
export interface KubeletServerOptions {
  readonly endpoint: Endpoint;
  /** The gate that proves the way, with the kubelet's own credentials. */
  readonly way: string;
  /** What must hold after its restart; else the old file is put back, and it is restarted with that. */
  readonly after: Await;
  /** Of a control plane: its node's address, and the manifest of its API server. */
  readonly controlPlane: KubeletControlPlane | undefined;
}

/**
 * A kubelet that runs with a kubeconfig which names the virtual IP. The kubelet of a control plane stays with the API server
 * of its own host where kubeadm has it so.
 */
export function kubeletServer(options: KubeletServerOptions): Resource {
  return {
    address: 'kubelet-server',
    paths: [],
    async plan(probe) {
      const seen = await look(options, probe);
      return staysLocal(options.controlPlane, seen) ? UNCHANGED : decide(options, seen);
    },
    async doubt(probe) {
      const seen = await look(options, probe);
      if (!staysLocal(options.controlPlane, seen)) return undefined;
      return `its kubelet stays with the API server of its own host (${seen.kubeconfig.server.host}), as kubeadm has it since v1.${LOCAL_SINCE}`;
    },
  };
}

async function look({ controlPlane }: KubeletServerOptions, probe: Probe): Promise<SeenKubelet> {
  const seen = await lookAtKubelet(controlPlane, probe);
  if (seen.kind === 'seen') return seen;
  throw noKubeconfig(probe.host, seen.path);
}

function decide({ endpoint, way, after }: KubeletServerOptions, seen: SeenKubelet): Outcome {
  const { host, path, kubeconfig, state, unit, processes } = seen;
  const url = wantedServer(endpoint);
  // Undone files are in place again by then: the same verb makes it run with them.
  const restart: Action = {
    kind: 'run',
    command: serviceCommand('restart', KUBELET),
    undo: serviceCommand('restart', KUBELET),
  };
  if (!usesEndpoint(kubeconfig, endpoint)) {
    if (!unit.active) throw notRunning(host, path);
    const change = serverChange(kubeconfig, state, { path, endpoint, way });
    const summary = `${change.summary}, and restart the kubelet: pods go on`;
    return changed({
      summary,
      diff: change.diff,
      actions: [...change.actions, restart, after],
      effect: 'restart',
      disruptive: true,
    });
  }
  // The kubelet itself writes the file when its node joins: being newer than the process alone says nothing.
  const isNewer = unit.startedAt !== undefined && state.changedAt > unit.startedAt;
  const isConnected = processes.some(({ connections }) =>
    connections.some(({ address, port }) => address === endpoint.ip && port === endpoint.port),
  );
  if (!isNewer || isConnected) return UNCHANGED;
  return changed({
    summary: `restart the kubelet: it does not use ${url} yet`,
    diff: [`because ${path} is newer than the running process, which has no connection to ${url}`],
    actions: [{ kind: 'await', gate: way, parameters: { path } }, restart, after],
    effect: 'restart',
    disruptive: true,
  });
}

function noKubeconfig(host: string, path: string): ProvisionError {
  return new ProvisionError({
    code: 'no-kubelet',
    message: `${host}: there is no ${path}: no kubelet of a cluster is set up on this host`,
    hint: `let the host join the cluster first (kubeadm join), or leave it out: --limit 'all:!${host}'`,
  });
}

function notRunning(host: string, path: string): ProvisionError {
  return new ProvisionError({
    code: 'no-kubelet',
    message: `${host}: its kubelet does not run, so that ${path} can't be changed and proved right`,
    hint: `start it: ssh ${host} sudo systemctl start kubelet; or leave the host out: --limit 'all:!${host}'`,
  });
}
