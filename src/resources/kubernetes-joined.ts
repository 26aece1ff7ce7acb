import { kubeadmOutline, type KubeadmOutline } from '../facts/kubeadm-outline.js';
import { unlessLost } from '../facts/unless-lost.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { endJoinOfHost, inviteHost, joinHost, RESET, revokeInvitation } from '../shell/kubeadm.js';
import { initConfiguration, joinConfiguration } from './kubeadm-configuration.js';
import { isServing, kubeadmView, kubernetesState, type KubernetesSite } from './kubernetes-host.js';

/**
 * A host that has joined the cluster. One on which a join of this program was killed is reset, its node deleted, and joins again: what
 * kubeadm had done by then is not told by its files alone. One whose join came to its end is never reset, nor one of which the API server says nothing.
 * @throws ProvisionError `node-join-unclear`
 */
export function kubernetesJoined(site: KubernetesSite): Resource {
  return {
    address: 'kubernetes:joined',
    paths: [],
    async plan(probe) {
      const [state, through] = await Promise.all([kubernetesState(probe), inviterOf(site, probe)]);
      if (state === 'joining' && (await isFinished(site, probe))) return finished(site.node);
      // The first control plane is what the others join: it serves before its cluster's objects are there.
      if (state === 'joined' || state === 'serving' || through === undefined) return UNCHANGED;
      const [{ node, cluster }, theirs] = await Promise.all([
        kubeadmView(site, probe),
        unlessLost(probe.on(through.host).ask(kubeadmOutline, site.cluster.settings.imageRepository)),
      ]);
      const { kind } = site.node;
      const host = { name: node.name, address: node.address, kind, isHalfJoined: state !== 'bare' };
      const withKey = kind === 'control-plane' ? 'certificate-key' : 'nothing';
      const inviter = { ...node, name: through.host, address: through.address ?? '' };
      const configuration = {
        // Read by the kubeadm of the other host, which may be older.
        invitation: initConfiguration(
          inviter,
          { ...cluster, version: versionOf(theirs) ?? cluster.version },
          { joining: node.name, withKey },
        ),
        join: joinConfiguration(node, kind, cluster),
      };
      const words = kind === 'control-plane' ? 'a control plane' : 'a worker';
      const again = host.isHalfJoined ? 'reset the host, on which a join was interrupted, and ' : '';
      return changed({
        summary: `${again}join the cluster at ${cluster.endpoint} as ${words} (kubeadm join)`,
        diff: [
          `Kubernetes ${cluster.version}, let in by ${through.host}`,
          ...(host.isHalfJoined ? [`- node ${node.name}, as far as it was made`] : []),
          ...configuration.join.split('\n').map((line) => `+ ${line}`),
        ],
        actions: [
          {
            kind: 'join-kubernetes',
            through: through.host,
            invitation: inviteHost(host),
            join: joinHost(host),
            revocation: revokeInvitation(host),
            configuration,
          },
        ],
        // Its pods end where it is reset.
        effect: 'create',
        disruptive: host.isHalfJoined,
      });
    },
  };
}

/** Of a host whose kubeadm is not there yet, nothing. */
function versionOf(seen: KubeadmOutline | RemoteError | undefined): string | undefined {
  return seen === undefined || seen instanceof RemoteError ? undefined : seen.version;
}

/** @throws ProvisionError `node-join-unclear` */
async function isFinished({ node, joinSeen }: KubernetesSite, probe: Probe): Promise<boolean> {
  const seen = await joinSeen(probe, node);
  if (typeof seen === 'string') return seen === 'finished';
  const { host } = node;
  throw new ProvisionError({
    code: 'node-join-unclear',
    message: `${host}: a run was killed while it joined the cluster, and whether its join was finished can't be asked: ${seen.unclear}`,
    hint: `have the API server answer, and run this again; or where nothing of the node is needed: ssh ${host} sudo ${RESET}`,
  });
}

function finished({ host, address, kind }: KubernetesNode): Outcome {
  return changed({
    summary: 'note that its join is finished: the run that began it was killed at the end',
    diff: [`the API server has ${host} at ${address ?? ''}${kind === 'worker' ? '' : ', as a control plane'}`],
    actions: [{ kind: 'run', command: endJoinOfHost(), undo: { lasting: 'the join stays finished' } }],
    effect: 'change',
    disruptive: false,
  });
}

/** Another control plane that serves; else the first of the inventory, which will. `undefined` where that is the host itself. */
async function inviterOf({ node, controlPlanes }: KubernetesSite, probe: Probe): Promise<KubernetesNode | undefined> {
  const others = controlPlanes.filter(({ host }) => host !== node.host);
  const serving = await Promise.all(others.map(async ({ host }) => unlessLost(isServing(probe.on(host)))));
  const found = others.find((_, index) => serving[index] === true);
  const [first] = controlPlanes;
  return found ?? (first?.host === node.host ? undefined : first);
}
