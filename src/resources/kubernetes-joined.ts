import { hasContent } from '../facts/has-content.js';
import { kubeadmOutline, type KubeadmOutline } from '../facts/kubeadm-outline.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { RUNTIME_SOCKET } from '../model/kubeadm.js';
import type { JoinSeen, KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { endJoinOfHost, finishJoinOfHost, MADE_BEFORE_KUBELET } from '../shell/finish-join.js';
import { inviteHost, joinHost, RESET, revokeInvitation } from '../shell/kubeadm.js';
import {
  initConfiguration,
  joinConfiguration,
  lastPhasesConfiguration,
  runtimeSocket,
  type KubeadmNode,
} from './kubeadm-configuration.js';
import { isServing, kubeadmView, kubernetesState, type KubernetesSite } from './kubernetes-host.js';

/**
 * A host that has joined the cluster. One on which a join of this program was killed before the API server had its node is reset, and joins
 * again: what kubeadm had done by then is not told by its files alone. One whose node is there is finished; one whose join came to its end
 * is never reset, nor one of which the API server says nothing.
 * @throws ProvisionError `node-join-unclear`
 */
export function kubernetesJoined(site: KubernetesSite): Resource {
  return {
    address: 'kubernetes:joined',
    paths: [],
    async plan(probe) {
      const [state, through] = await Promise.all([kubernetesState(probe), inviterOf(site, probe)]);
      const seen = state === 'joining' ? await howFar(site, probe) : 'unfinished';
      if (seen === 'finished') return finished(site, probe, through);
      if (seen === 'registered') return finishing(site, probe, through);
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

/**
 * How far the join came whose mark is left. What a power cut has left empty of a control plane is made again from the beginning.
 * @throws ProvisionError `node-join-unclear`
 */
async function howFar({ node, joinSeen }: KubernetesSite, probe: Probe): Promise<Exclude<JoinSeen, object>> {
  const seen = await joinSeen(probe, node);
  if (seen === 'registered' && node.kind === 'control-plane' && !(await isWhole(probe))) return 'unfinished';
  if (typeof seen === 'string') return seen;
  const { host } = node;
  throw new ProvisionError({
    code: 'node-join-unclear',
    message: `${host}: a run was killed while it joined the cluster, and whether its join was finished can't be asked: ${seen.unclear}`,
    hint: `have the API server answer, and run this again; or where nothing of the node is needed: ssh ${host} sudo ${RESET}`,
  });
}

async function isWhole(probe: Probe): Promise<boolean> {
  const found = await Promise.all(MADE_BEFORE_KUBELET.map(async (path) => probe.ask(hasContent, path)));
  return found.every(Boolean);
}

/** Its pods run, and clients may use them: what is missing is done, and nothing is reset. */
async function finishing(site: KubernetesSite, probe: Probe, through: KubernetesNode | undefined): Promise<Outcome> {
  const { node, cluster } = await kubeadmView(site, probe);
  const { kind } = site.node;
  const socket = runtimeSocket(cluster.version);
  const command = finishJoinOfHost({ name: node.name, kind }, socket);
  return changed({
    summary: 'finish the join of the host: its node is there, and the run that began it was killed before the end',
    diff: [
      `+ annotation ${RUNTIME_SOCKET}: ${socket}`,
      ...(kind === 'worker' ? [] : ['+ labels and taint of a control plane (kubeadm join phase control-plane-join)']),
      ...forgotten(through),
    ],
    actions: [
      ...forgetting(site, node, through),
      {
        kind: 'run',
        command: kind === 'worker' ? command : { ...command, stdin: lastPhasesConfiguration(node, cluster.version) },
        undo: { lasting: 'the join stays finished' },
      },
    ],
    effect: 'change',
    disruptive: false,
  });
}

async function finished(site: KubernetesSite, probe: Probe, through: KubernetesNode | undefined): Promise<Outcome> {
  const { node } = await kubeadmView(site, probe);
  const { host, address, kind } = site.node;
  return changed({
    summary: 'note that its join is finished: the run that began it was killed at the end',
    diff: [
      `the API server has ${host} at ${address ?? ''}${kind === 'worker' ? '' : ', as a control plane'}`,
      ...forgotten(through),
    ],
    actions: [
      ...forgetting(site, node, through),
      { kind: 'run', command: endJoinOfHost(), undo: { lasting: 'the join stays finished' } },
    ],
    effect: 'change',
    disruptive: false,
  });
}

function forgotten(through: KubernetesNode | undefined): readonly string[] {
  return through === undefined ? [] : [`- what the killed run made to let it in, through ${through.host}`];
}

/** The token of a killed run, and the certificates on their way: first, for the mark is what leads to them. */
function forgetting(
  { node: { kind } }: KubernetesSite,
  { name, address }: KubeadmNode,
  through: KubernetesNode | undefined,
): readonly Action[] {
  if (through === undefined) return [];
  const command = revokeInvitation({ name, address, kind, isHalfJoined: true });
  return [{ kind: 'run-on', on: through.host, command, lasting: 'they stay deleted: the next join makes others' }];
}

/** Another control plane that serves; else the first of the inventory, which will. `undefined` where that is the host itself. */
async function inviterOf({ node, controlPlanes }: KubernetesSite, probe: Probe): Promise<KubernetesNode | undefined> {
  const others = controlPlanes.filter(({ host }) => host !== node.host);
  const serving = await Promise.all(others.map(async ({ host }) => unlessLost(isServing(probe.on(host)))));
  const found = others.find((_, index) => serving[index] === true);
  const [first] = controlPlanes;
  return found ?? (first?.host === node.host ? undefined : first);
}
