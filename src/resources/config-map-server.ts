import { apiserverObject } from '../facts/apiserver-object.js';
import { textAt } from '../facts/kubeadm-config.js';
import { readKubeconfig } from '../facts/kubeconfig.js';
import { KUBE_PROXY, kubeProxyProcesses } from '../facts/kube-proxy-processes.js';
import type { ProgramProcess } from '../facts/program-processes.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Await } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Endpoint } from '../model/virtual-service.js';
import {
  configMapPath,
  daemonSetPath,
  replaceConfigMapKey,
  restartDaemonSet,
  restoreConfigMapKey,
  type ConfigMapKey,
} from '../shell/config-map.js';
import { usesEndpoint, wantedServer, withServer } from './with-server.js';

/** A kubeconfig in a ConfigMap that should use a virtual IP. */
export interface ConfigMapServerOptions {
  readonly at: ConfigMapKey;
  /** Who reads it, for the summary. */
  readonly why: string;
  readonly endpoint: Endpoint;
  /** What must hold before it is changed. */
  readonly before: Await;
  /** The pods that read it at their start, where there are such. */
  readonly readers?: Readers | undefined;
}

/** Pods of a DaemonSet, on every node, that read a ConfigMap at their start only. */
export interface Readers {
  readonly namespace: string;
  readonly name: string;
  /** Hosts on which they are looked for. */
  readonly nodes: readonly string[];
  /** Whether all of them run, asked before they are restarted and after. */
  readonly settled: Await;
}

/**
 * A kubeconfig in a ConfigMap, changed by test and replace. Where there is none, none is made. Its readers are restarted where it
 * changes, or where one of them is connected elsewhere.
 */
export function configMapServer(options: ConfigMapServerOptions): Resource {
  const name = `${options.at.namespace}/${options.at.name}`;
  return {
    address: `config-map:${name} ${options.at.key}`,
    paths: [],
    async plan(probe) {
      const [found, stale, readers] = await Promise.all([
        probe.ask(apiserverObject, configMapPath(options.at)),
        staleReaders(options, probe),
        readersThere(options, probe),
      ]);
      if (found.kind === 'silent') return { kind: 'unknown', because: `${name} can't be read yet: ${found.reason}` };
      const text = found.kind === 'found' ? textAt(found.object, options.at.key) : undefined;
      return text === undefined ? UNCHANGED : decide({ ...options, readers }, text, stale);
    },
    async doubt(probe) {
      const found = await probe.ask(apiserverObject, configMapPath(options.at));
      if (found.kind === 'refused') return `${name} may not be read (${found.status}): it is left as it is`;
      if (found.kind === 'absent') return `there is no ${name}: nothing to change`;
      const hasKey = found.kind === 'silent' || textAt(found.object, options.at.key) !== undefined;
      return hasKey ? undefined : `${name} has no ${options.at.key}: nothing to change`;
    },
  };
}

/** Readers that a DaemonSet runs; others are restarted by whoever runs them. */
async function readersThere({ readers }: ConfigMapServerOptions, probe: Probe): Promise<Readers | undefined> {
  if (readers === undefined) return undefined;
  const found = await probe.ask(apiserverObject, daemonSetPath(readers));
  return found.kind === 'absent' ? undefined : readers;
}

/** The nodes whose reader has connections, and none to the virtual IP. Who can't be asked says nothing. */
async function staleReaders({ readers, endpoint }: ConfigMapServerOptions, probe: Probe): Promise<readonly string[]> {
  const asked = await Promise.all(
    (readers?.nodes ?? []).map(async (host) => {
      const seen = await unlessLost(probe.on(host).ask(kubeProxyProcesses, KUBE_PROXY));
      return !(seen instanceof RemoteError) && seen.some((each) => isElsewhere(each, endpoint)) ? [host] : [];
    }),
  );
  return asked.flat();
}

/** Whether a process has connections, and none to the virtual IP. */
function isElsewhere({ connections }: ProgramProcess, { ip, port }: Pick<Endpoint, 'ip' | 'port'>): boolean {
  return connections.length > 0 && !connections.some((end) => end.address === ip && end.port === port);
}

function decide(options: ConfigMapServerOptions, text: string, stale: readonly string[]): Outcome {
  const { at, why, endpoint, before: way, readers } = options;
  const kubeconfig = readKubeconfig(`${at.namespace}/${at.name} ${at.key}`, text);
  const url = wantedServer(endpoint);
  const settled = readers === undefined ? [] : [readers.settled];
  if (usesEndpoint(kubeconfig, endpoint)) {
    if (readers === undefined || stale.length === 0) return UNCHANGED;
    return changed({
      summary: `restart the pods of ${readers.namespace}/${readers.name}, one after the other: they do not use ${url} yet`,
      diff: [`because those of ${stale.join(', ')} have no connection to ${url}`],
      actions: [
        ...[way, ...settled],
        { kind: 'run', command: restartDaemonSet(readers), undo: { lasting: 'restarted pods stay restarted' } },
        ...settled,
      ],
      effect: 'restart',
      disruptive: false,
    });
  }
  const edit = { at, before: text, after: withServer(kubeconfig, url), restarts: readers };
  const restarts = readers === undefined ? '' : ', and restart its pods, one after the other';
  return changed({
    summary: `set the server of ${at.namespace}/${at.name}, ${why}, to ${url}${restarts}`,
    // No other line: a kubeconfig may hold secrets.
    diff: [`- server: ${kubeconfig.serverNode.value}`, `+ server: ${url}`, '  all else stays, byte by byte'],
    actions: [
      ...[way, ...settled],
      {
        kind: 'run',
        command: replaceConfigMapKey(`set the server of ${at.namespace}/${at.name}`, edit),
        undo: restoreConfigMapKey(`restore the server of ${at.namespace}/${at.name}`, edit),
      },
      ...settled,
    ],
    effect: readers === undefined ? 'change' : 'restart',
    disruptive: false,
  });
}
