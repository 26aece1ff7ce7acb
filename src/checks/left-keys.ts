import { ETCD, etcdOnHost } from '../facts/etcd-process.js';
import { askText } from '../facts/file-content.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import type { Check } from './check.js';

const DIRECTORY = '/etc/kubernetes/pki/etcd';

const MANIFESTS = '/etc/kubernetes/manifests';

/** Who has the first one is the authority of etcd; who has one of the others may use it. */
const KEYS = ['ca.key', 'server.key', 'peer.key', 'healthcheck-client.key'].map((name) => `${DIRECTORY}/${name}`);

/**
 * Keys that a stacked member of kubeadm has left on its host, once no stacked member is left to go back to. They are reported, and not
 * removed: a member may be run with them in another way, and the authority's own may be the only one there is.
 */
export const checkLeftKeys: Check = async ({ cluster, probe }) => {
  const seen = await Promise.all(hostsOf(cluster).map(async (host) => unlessLost(lookAt(probe(host), cluster))));
  const heard = seen.flatMap((each) => (each instanceof RemoteError ? [] : [each]));
  // Until the last one has gone there is a way back, which needs them. Who is silent may be that one.
  if (heard.length < seen.length || heard.some(({ hasMember }) => hasMember)) return [];
  return heard.flatMap(({ host, keys }) =>
    keys.length === 0
      ? []
      : [
          {
            ...({ check: 'etcd-keys-left', host, subject: DIRECTORY, verdict: 'warn' } as const),
            evidence: `no member of etcd runs there any more, and its keys are left: ${keys.map((key) => key.slice(DIRECTORY.length + 1)).join(', ')}`,
            next: `move them aside, then to where you keep keys (docs/runbooks/stacked-to-external.md): ssh ${host} ${quote(`sudo install -d -m 0700 ${ASIDE} && sudo mv -t ${ASIDE} ${keys.join(' ')}`)}`,
          },
        ],
  );
};

/** Who is a member by the inventory may be run with these very files. */
function hostsOf({ controlPlanes, formerMembers, members, kubernetes }: Cluster): readonly string[] {
  const had = [...controlPlanes, ...formerMembers, ...kubernetes.formerNodes].map(({ host }) => host);
  return [...new Set(had)].filter((host) => !members.some((member) => member.host === host));
}

/** On the host, where no other program looks for keys. */
const ASIDE = '/root/etcd-keys';

async function lookAt(
  probe: Probe,
  { formerMembers }: Pick<Cluster, 'formerMembers'>,
): Promise<{ readonly host: string; readonly hasMember: boolean; readonly keys: readonly string[] }> {
  const own = formerMembers.flatMap(({ host, manifest }) =>
    host === probe.host && manifest !== undefined ? [manifest] : [],
  );
  const manifests = [...new Set([`${MANIFESTS}/etcd.yaml`, ...own])];
  const [{ processes }, apiserver, ...isThere] = await Promise.all([
    probe.ask(etcdOnHost, ETCD),
    askText(probe, `${MANIFESTS}/kube-apiserver.yaml`),
    ...[...manifests, ...KEYS].map(async (path) => probe.ask(pathExists, path)),
  ]);
  return {
    host: probe.host,
    hasMember: processes.length > 0 || isThere.slice(0, manifests.length).includes(true),
    // An API server may be given one of them as its own.
    keys: KEYS.filter((key, index) => isThere[manifests.length + index] === true && apiserver?.includes(key) !== true),
  };
}
