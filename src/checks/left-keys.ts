import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { Check } from './check.js';

const DIRECTORY = '/etc/kubernetes/pki/etcd';

/** kubeadm's manifest of a stacked member. */
const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';

/** Who has the first one is the authority of etcd; who has one of the others may use it. */
const KEYS = ['ca.key', 'server.key', 'peer.key', 'healthcheck-client.key'].map((name) => `${DIRECTORY}/${name}`);

/**
 * Keys that a stacked member of kubeadm has left on its host, once no stacked member is left to go back to. They are reported, and not
 * removed: a member may be run with them in another way, and the authority's own may be the only one there is.
 */
export const checkLeftKeys: Check = async ({ cluster, probe }) => {
  const seen = await Promise.all(hostsOf(cluster).map(async (host) => unlessLost(lookAt(probe(host)))));
  const heard = seen.flatMap((each) => (each instanceof RemoteError ? [] : [each]));
  // Until the last one has gone there is a way back, which needs them. Who is silent may be that one.
  if (heard.length < seen.length || heard.some(({ hasMember }) => hasMember)) return [];
  return heard.flatMap(({ host, keys }) =>
    keys.length === 0
      ? []
      : [
          {
            ...({ check: 'etcd-keys-left', host, subject: DIRECTORY, verdict: 'warn' } as const),
            evidence: `no member of kubeadm runs there any more, and its keys are left: ${keys.map((key) => key.slice(DIRECTORY.length + 1)).join(', ')}`,
            next: `keep what you need elsewhere (docs/runbooks/stacked-to-external.md), then: ssh ${host} sudo rm ${keys.join(' ')}`,
          },
        ],
  );
};

/** Who is a member by the inventory may be run with these very files. */
function hostsOf({ controlPlanes, formerMembers, members, kubernetes }: Cluster): readonly string[] {
  const had = [...controlPlanes, ...formerMembers, ...kubernetes.formerNodes].map(({ host }) => host);
  return [...new Set(had)].filter((host) => !members.some((member) => member.host === host));
}

async function lookAt(probe: Probe): Promise<{
  readonly host: string;
  readonly hasMember: boolean;
  readonly keys: readonly string[];
}> {
  const [hasMember, ...isThere] = await Promise.all(
    [MANIFEST, ...KEYS].map(async (path) => probe.ask(pathExists, path)),
  );
  return { host: probe.host, hasMember: hasMember === true, keys: KEYS.filter((_, index) => isThere[index] === true) };
}
