import { askText } from '../facts/file-content.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { credentialsOf, readKubeconfig, type Kubeconfig } from '../facts/kubeconfig.js';
import type { Await, WriteFile } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import type { Content } from '../model/content.js';
import type { Endpoint } from '../model/virtual-service.js';
import { refuseForeignLink } from './file.js';
import { usesEndpoint, wantedServer, withServer } from './with-server.js';

/** A kubeconfig that should use a virtual IP. */
export interface KubeconfigServerOptions {
  readonly path: string;
  readonly endpoint: Endpoint;
  /** The gate that proves the way, with the credentials of the very file. */
  readonly way: string;
}

/** A kubeconfig of a person or a program that reads it at each start: nothing is restarted. Where there is none, none is made. */
export function kubeconfigServer({ path, endpoint, way }: KubeconfigServerOptions): Resource {
  return {
    address: `kubeconfig:${path}`,
    paths: [path],
    async plan(probe) {
      const [text, state] = await Promise.all([askText(probe, path), probe.ask(fileState, path)]);
      if (text === undefined || state.kind === 'absent') return UNCHANGED;
      const kubeconfig = readKubeconfig(path, text);
      if (usesEndpoint(kubeconfig, endpoint)) return UNCHANGED;
      const { summary, diff, actions } = serverChange(kubeconfig, state, { path, endpoint, way });
      return changed({ summary, diff, actions, effect: 'change', disruptive: false });
    },
    async doubt(probe) {
      const text = await askText(probe, path);
      return text === undefined ? `there is no ${path}: nothing to change` : undefined;
    },
  };
}

/** What changes the server of a kubeconfig. */
export interface ServerChange {
  readonly summary: string;
  readonly diff: readonly string[];
  readonly actions: readonly [Await, WriteFile];
}

/**
 * The change of one file's server, after the way is proved. Nothing else of the file is shown: it may hold keys.
 * @throws ProvisionError `kubeconfig-unreadable`, `foreign-link`
 */
export function serverChange(
  kubeconfig: Kubeconfig,
  state: Exclude<FileState, { readonly kind: 'absent' }>,
  { path, endpoint, way }: KubeconfigServerOptions,
): ServerChange {
  refuseForeignLink(path, state);
  // What could not be proved is refused while planning.
  credentialsOf(kubeconfig);
  const { serverNode, placeOf } = kubeconfig;
  const url = wantedServer(endpoint);
  const after = withServer(kubeconfig, url);
  const line = placeOf(serverNode).slice(path.length + 1);
  const shown: Content = { redacted: `server: ${url}\n`, reveal: () => after };
  const { owner, group, mode } = state;
  return {
    summary: `set the server of ${path} to ${url}`,
    diff: [`@@ line ${line} @@`, `- server: ${serverNode.value}`, `+ server: ${url}`, '  all else stays, byte by byte'],
    actions: [
      { kind: 'await', gate: way, parameters: { path } },
      { kind: 'write-file', path, content: shown, owner, group, mode },
    ],
  };
}
