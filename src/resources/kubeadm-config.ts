import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../facts/kubeadm-config.js';
import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { askText } from '../facts/file-content.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { namesStackedEtcd } from '../model/kubeadm.js';
import type { Await } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Probe } from '../model/remote.js';
import type { Endpoint } from '../model/virtual-service.js';
import { replaceConfigMapKey, restoreConfigMapKey } from '../shell/config-map.js';
import {
  externalEndpoints,
  withCertSans,
  withControlPlaneEndpoint,
  withExternalEndpoint,
  withExternalEtcd,
} from './cluster-configuration.js';
import { unifiedDiff } from './unified-diff.js';

/** What diffs and summaries call it. */
const NAME = 'kube-system/kubeadm-config';

/**
 * kubeadm's own idea of where etcd is, which its next upgrade writes into manifests. What it says of a stacked etcd is replaced:
 * with that, the upgrade would lead API servers back to members beside them, and a control plane that joins would become one.
 * Where there is none, nothing is to be done here, nor where nobody on the host may read it, which the plan says.
 * @param url the one endpoint
 * @param manifest of the API server on the host, which names the files for it
 */
export function kubeadmConfigResource(url: string, manifest: string): Resource {
  const address = `config-map:${NAME}`;
  const endpoints = resource(address, {
    field: 'etcd.external.endpoints',
    why: WHY,
    edit(before) {
      const found = externalEndpoints(before);
      return found === undefined || found.join() === url ? undefined : withExternalEndpoint(before, url);
    },
  });
  return {
    ...endpoints,
    async plan(probe) {
      const found = await probe.ask(kubeadmConfig, KUBEADM_CONFIG);
      if (found.kind !== 'found' || !namesStackedEtcd(found.configuration)) return endpoints.plan(probe);
      const text = await askText(probe, manifest);
      const files =
        text === undefined ? USUAL_CLIENT_FILES : clientFilesOf(readStaticPodManifest(manifest, text, CONTAINER));
      return decide(found, {
        field: 'etcd.external',
        why: WHY,
        edit: (before) => withExternalEtcd(before, { url, files }),
      });
    },
  };
}

const WHY = 'which the next kubeadm upgrade writes into manifests';

/**
 * kubeadm's own idea of the names in certificates of API servers, for control planes that join. Where there is none, or
 * where nobody on the host may read it, nothing is to be done here.
 */
export function kubeadmCertSans(names: readonly string[]): Resource {
  return resource(`config-map:${NAME} apiServer.certSANs`, {
    field: 'apiServer.certSANs',
    why: 'which kubeadm issues certificates of API servers with',
    isNamedWhereMissing: true,
    edit: (before) => withCertSans(before, names),
  });
}

/**
 * kubeadm's own idea of where clients find the API servers: what it writes into kubeconfigs of hosts that join, and into
 * certificates. Where there is none, or where nobody on the host may read it, nothing is to be done here.
 * @param before what must hold before it is changed
 */
export function kubeadmControlPlaneEndpoint(endpoint: Endpoint, before: Await): Resource {
  const names = [endpoint.ip, endpoint.name].filter((name) => name !== undefined);
  return resource(`config-map:${NAME} controlPlaneEndpoint`, {
    field: 'controlPlaneEndpoint',
    why: 'which kubeadm writes into the kubeconfigs of hosts that join',
    isNamedWhereMissing: true,
    awaited: [before],
    edit(text) {
      const withNames = withCertSans(text, names);
      return withControlPlaneEndpoint(withNames ?? text, endpoint) ?? withNames;
    },
  });
}

interface Edit {
  readonly field: string;
  /** What it is there for, for the summary. */
  readonly why: string;
  /** Of the ClusterConfiguration; `undefined` where nothing is to be changed. */
  readonly edit: (before: string) => string | undefined;
  /** What must hold before it is changed. */
  readonly awaited?: readonly Await[] | undefined;
  /** Whether a plan says that there is none, as it says that nobody may read it: whoever made the nodes must then be told otherwise. */
  readonly isNamedWhereMissing?: boolean;
}

function resource(address: string, edit: Edit): Resource {
  return {
    address,
    paths: [],
    plan: async (probe) => decide(await probe.ask(kubeadmConfig, KUBEADM_CONFIG), edit),
    doubt: async (probe: Probe) => doubt(await probe.ask(kubeadmConfig, KUBEADM_CONFIG), edit),
  };
}

function doubt(found: KubeadmConfig, { field, isNamedWhereMissing = false }: Edit): string | undefined {
  if (found.kind === 'absent' && isNamedWhereMissing)
    return `there is no ${NAME}, so ${field} is set nowhere: nodes that join later get it from whatever makes them join`;
  if (found.kind === 'refused') return `${NAME} may not be read (${found.status}): its ${field} is left as it is`;
  return undefined;
}

function decide(found: KubeadmConfig, { field, why, edit, awaited = [] }: Edit): Outcome {
  if (found.kind === 'silent') return { kind: 'unknown', because: `${NAME} can't be read yet: ${found.reason}` };
  if (found.kind !== 'found') return UNCHANGED;
  const before = found.configuration;
  const after = edit(before);
  if (after === undefined) return UNCHANGED;
  const at = { namespace: 'kube-system', name: 'kubeadm-config', key: 'ClusterConfiguration' };
  const change = { at, before, after };
  return changed({
    summary: `set ${field} of ${NAME}, ${why}`,
    diff: unifiedDiff(`${NAME} ClusterConfiguration`, before, after),
    actions: [
      ...awaited,
      {
        kind: 'run',
        command: replaceConfigMapKey(`set ${field} of ${NAME}`, change),
        undo: restoreConfigMapKey(`restore ${field} of ${NAME}`, change),
      },
    ],
    effect: 'change',
    disruptive: false,
  });
}
