import { etcdData, etcdDataKey } from '../facts/etcd-data.js';
import { etcdRegistry, etcdRegistryKey } from '../facts/etcd-registry.js';
import { unlessLost } from '../facts/unless-lost.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { Command, Probe } from '../model/remote.js';
import { beginKubernetes, finishKubernetes } from '../shell/kubeadm.js';
import { initConfiguration } from './kubeadm-configuration.js';
import { isServing, kubeadmView, kubernetesState, type KubernetesSite } from './kubernetes-host.js';

const LASTING = { lasting: 'what kubeadm has set up stays: the next apply goes on from there' };

/**
 * The first control plane, up to its API server. Only where no other control plane serves, and where etcd holds no Kubernetes: a second
 * cluster in the same etcd would overwrite the first.
 */
export function kubernetesBegun(site: KubernetesSite, members: readonly Member[]): Resource {
  return {
    address: 'kubernetes:control-plane',
    paths: [],
    async plan(probe) {
      const [state, isMade] = await Promise.all([kubernetesState(probe), isMadeElsewhere(site, probe)]);
      if (state === 'joined' || state === 'serving') return UNCHANGED;
      if (known(isMade)) return UNCHANGED;
      const registry = state === 'begun' ? 'empty' : await registryOf(members, probe);
      if (registry === 'silent')
        return {
          kind: 'unknown',
          because: 'no member of etcd answers yet: whether it holds a Kubernetes already is not known',
        };
      if (registry === 'used') throw otherKubernetes(probe.host);
      const { endpoints, caFile: ca, certFile: certificate, keyFile: key } = site.cluster.etcd;
      const command = beginKubernetes({ url: endpoints[0] ?? '', ca, certificate, key });
      return init(site, probe, { command, summary: 'set up the first control plane (kubeadm init)' });
    },
  };
}

/** The objects of the cluster that `kubeadm init` makes, once its API server is reached where clients will find it. */
export function kubernetesFinished(site: KubernetesSite): Resource {
  return {
    address: 'kubernetes:cluster',
    paths: [],
    async plan(probe) {
      const [state, isMade] = await Promise.all([kubernetesState(probe), isMadeElsewhere(site, probe)]);
      // Its own API server serves the cluster by then, whoever has joined through it since: what is there is made once more.
      if (state === 'joined' || (state !== 'serving' && known(isMade))) return UNCHANGED;
      const summary = `make the objects of the cluster, which clients find at ${site.cluster.endpoint} (kubeadm init)`;
      return init(site, probe, { command: finishKubernetes(), summary });
    },
  };
}

async function init(
  site: KubernetesSite,
  probe: Probe,
  { command, summary }: { readonly command: Command; readonly summary: string },
): Promise<Outcome> {
  const { node, cluster } = await kubeadmView(site, probe);
  const configuration = initConfiguration(node, cluster, { joining: node.name, withKey: 'nothing' });
  return changed({
    summary,
    diff: [`Kubernetes ${cluster.version}`, ...configuration.split('\n').map((line) => `+ ${line}`)],
    actions: [{ kind: 'run', command: { ...command, stdin: configuration }, undo: LASTING }],
    effect: 'create',
    disruptive: false,
  });
}

/** Whether another control plane serves: then this one joins it. One that can't be asked is an error where nothing else is known. */
async function isMadeElsewhere({ node, controlPlanes }: KubernetesSite, probe: Probe): Promise<boolean | RemoteError> {
  const others = controlPlanes.filter(({ host }) => host !== node.host);
  const found = await Promise.all(others.map(async ({ host }) => unlessLost(isServing(probe.on(host)))));
  return found.includes(true) || (found.find((each) => each instanceof RemoteError) ?? false);
}

/** @throws RemoteError */
function known(isMade: boolean | RemoteError): boolean {
  if (isMade instanceof RemoteError) throw isMade;
  return isMade;
}

/** Members that have no data hold nothing; of those that have some, one that answers is enough. */
async function registryOf(members: readonly Member[], probe: Probe): Promise<'empty' | 'used' | 'silent'> {
  const found = await Promise.all(
    members.map(async (member) => {
      const there = probe.on(member.host);
      const [data, registry] = await Promise.all([
        unlessLost(there.ask(etcdData, etcdDataKey(member))),
        unlessLost(there.ask(etcdRegistry, etcdRegistryKey(member))),
      ]);
      if (data instanceof RemoteError || registry instanceof RemoteError) return 'silent';
      return data.hasData ? registry : 'no-data';
    }),
  );
  if (found.includes('used')) return 'used';
  return found.includes('empty') || found.every((each) => each === 'no-data') ? 'empty' : 'silent';
}

function otherKubernetes(host: string): ProvisionError {
  return new ProvisionError({
    code: 'kubernetes-in-etcd',
    message: `${host} has no Kubernetes, and etcd holds one (/registry/): a new one would overwrite it`,
    hint: 'name a control plane of it in the group kube_control_plane, which the others can join; or use an etcd of its own',
  });
}
