import { aptUpgrade, UPGRADE, type AptUpgrade } from '../facts/apt-upgrade.js';
import type { ClusterNode } from '../facts/cluster-nodes.js';
import { pathExists } from '../facts/path-exists.js';
import { pendingReboot, REBOOT } from '../facts/pending-reboot.js';
import { ProvisionError } from '../model/errors.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { ADMIN } from '../shell/kubeadm.js';
import { quote } from '../shell/quote.js';
import { askControlPlanes, type NodesSeen } from './ask-control-planes.js';
import { kubernetesState, type KubernetesState } from './kubernetes-host.js';
import { KUBERNETES_PACKAGES } from './kubernetes-packages.js';
import { nodesOfHost, ownCertificate, proofOf } from './own-node-name.js';
import { ageOf, type ListsJudge } from './package-lists.js';

/** A host to be upgraded, and the control planes that are asked for its node. */
export interface UpgradedNode {
  readonly node: KubernetesNode;
  readonly controlPlanes: readonly KubernetesNode[];
  /** Whether the inventory has a member of etcd there. */
  readonly isMember: boolean;
  readonly lists: ListsJudge;
}

/** What is known of a host that is to be upgraded. */
export interface NodeUpgradeLook {
  readonly state: KubernetesState;
  readonly apt: AptUpgrade;
  /** Whether apt's lists are too old to decide by. */
  readonly lists: 'fresh' | 'old';
  /** Why it needs a reboot. */
  readonly reboot: string | undefined;
  /** `unknown`: kubeadm runs a member of etcd there, and the inventory has none: who else is a quorum is not known. */
  readonly etcd: 'known' | 'unknown';
  readonly cluster: NodesSeen;
  /** The node that it is by its own kubelet; absent where that is not known. */
  readonly ownName: string | undefined;
}

/** What is left to do on a host; found from the hosts alone. */
export interface NodeUpgrade {
  /** The control plane that is asked. */
  readonly through: string;
  /** Its pods are to be moved elsewhere. */
  readonly drained: ClusterNode | undefined;
  /** An installation that was cut off is finished. */
  readonly finished: boolean;
  /** `unclear`: known once what was cut off is finished. */
  readonly packages: boolean | 'unclear';
  /** `unclear`: known once the packages are upgraded. */
  readonly reboot: { readonly because: string } | 'unclear' | undefined;
  /** It takes pods again at the end: this run, or a killed one, has cordoned it. */
  readonly uncordoned: ClusterNode | undefined;
}

/** Of a host that is no node yet. */
const NOT_YET: NodesSeen = { silent: 'it has not joined' };

/** Asks a host, and the control planes: itself last, for it may be about to reboot. */
export async function lookAtNodeUpgrade(
  { node, controlPlanes, isMember, lists: judge }: UpgradedNode,
  probe: Probe,
): Promise<NodeUpgradeLook> {
  const others = controlPlanes.toSorted((a, b) => Number(a.host === node.host) - Number(b.host === node.host));
  const [state, apt, reboot, hasStackedEtcd] = await Promise.all([
    kubernetesState(probe),
    probe.ask(aptUpgrade, UPGRADE),
    probe.ask(pendingReboot, REBOOT),
    probe.ask(pathExists, '/etc/kubernetes/manifests/etcd.yaml'),
  ]);
  const [cluster, certificate] =
    state !== 'joined'
      ? ([NOT_YET, undefined] as const)
      : await Promise.all([askControlPlanes(node.address ?? '', others, probe), ownCertificate(probe)]);
  const isTheirs =
    certificate !== undefined && 'through' in cluster && proofOf(certificate, cluster.authority) === 'node';
  const ownName = isTheirs ? certificate.node : undefined;
  const lists = judge.areFresh(node.host, apt) ? 'fresh' : 'old';
  return { state, apt, lists, reboot, etcd: hasStackedEtcd && !isMember ? 'unknown' : 'known', cluster, ownName };
}

/**
 * Decides what is left to do. A node that others have cordoned stays cordoned; one that this program has cordoned takes pods again.
 * @returns why it can't be decided yet
 * @throws ProvisionError `apt-broken`, `etcd-of-others`, `upgrade-of-others`, `node-name-differs`
 */
export function decideNodeUpgrade(host: string, look: NodeUpgradeLook): NodeUpgrade | string {
  const { apt, reboot: because, cluster } = look;
  // The same run may have it join before, or go on where another one was killed.
  if (look.state !== 'joined') return 'what is upgraded is known once it has joined the cluster (playbook kubernetes)';
  const refused = refusal(host, look);
  if (refused !== undefined) throw refused;
  if (look.lists === 'old')
    return `which packages are upgraded is known once apt has read its lists again (${ageOf(apt)})`;
  const packages = apt.isCutOff ? 'unclear' : apt.upgrades.length > 0;
  const hasWork = packages !== false || because !== undefined;
  const reboot = because !== undefined ? { because } : hasWork ? 'unclear' : undefined;
  const work = { finished: apt.isCutOff, packages, reboot } as const;
  if (!('through' in cluster)) return `no control plane says whether it takes pods (${cluster.silent})`;
  if (look.ownName === undefined)
    return 'its kubelet has no client certificate, signed by the cluster, that says which node it is';
  const [node] = nodesOfHost(host, look.ownName, cluster.through, cluster.nodes);
  if (node === undefined) return `${cluster.through} lists no node at its address`;
  const isBusy = node.takesPods || node.evicted.length > 0;
  return {
    through: cluster.through,
    drained: hasWork && isBusy ? node : undefined,
    ...work,
    uncordoned: node.isMarked || (hasWork && node.takesPods) ? node : undefined,
  };
}

/** Why nothing is upgraded there; and, where a killed run has cordoned the node, how it takes pods again meanwhile. */
function refusal(host: string, look: NodeUpgradeLook): ProvisionError | undefined {
  const { apt, lists, etcd, cluster, ownName } = look;
  const error = etcd === 'unknown' ? unknownEtcd(host) : lists === 'old' ? undefined : refusalOfApt(host, apt);
  const nodes = 'nodes' in cluster ? cluster.nodes.filter(({ name }) => name === ownName) : [];
  const left = nodes.find(({ isMarked, takesPods }) => isMarked && !takesPods);
  if (error === undefined || left === undefined || !('through' in cluster)) return error;
  return new ProvisionError({
    code: error.code,
    message: `${error.message}; and ${left.name} takes no pods, for a run was killed after it had cordoned it`,
    hint: `${error.hint ?? ''}\nmeanwhile: ssh ${cluster.through} sudo kubectl --kubeconfig ${ADMIN} uncordon ${left.name}`,
  });
}

function refusalOfApt(host: string, apt: AptUpgrade): ProvisionError | undefined {
  if (apt.halfInstalled.length > 0) return halfInstalled(host, apt.halfInstalled);
  if (apt.problem !== undefined) return broken(host, apt.problem);
  return othersWork(host, apt);
}

function unknownEtcd(host: string): ProvisionError {
  return new ProvisionError({
    code: 'etcd-of-others',
    message: `${host} is to be upgraded, and kubeadm runs a member of etcd there that the inventory does not have: whether the others are a quorum while it reboots is not known`,
    hint: 'have the inventory describe that etcd: provision adopt INVENTORY; or upgrade the host by hand',
  });
}

/** kubelet and kubeadm go with the API servers, and etcd one minor version at a time: neither is apt's to decide. */
function othersWork(host: string, { upgrades }: AptUpgrade): ProvisionError | undefined {
  const nodes = upgrades.filter(({ name }) => KUBERNETES_PACKAGES.some((each) => each === name));
  const etcd = upgrades.filter(({ name, from, to }) => name === 'etcd-server' && minorOf(from) !== minorOf(to));
  const [first] = [...nodes, ...etcd];
  if (first === undefined) return undefined;
  const list = [...nodes, ...etcd].map(({ name, from = '-', to }) => `${name} ${from} → ${to}`).join(', ');
  const names = [...nodes, ...etcd].map(({ name }) => quote(name)).join(' ');
  return new ProvisionError({
    code: 'upgrade-of-others',
    message: `${host}: apt would upgrade ${list}, which is not done node by node: ${nodes.length > 0 ? 'kubeadm upgrade does it' : 'etcd is upgraded one minor version at a time, with all members in view'}`,
    hint: `have apt leave them: ssh ${host} sudo apt-mark hold ${names}`,
  });
}

function minorOf(version = ''): string {
  return /^(?:\d+:)?(\d+\.\d+)/.exec(version)?.[1] ?? version;
}

/** Before the drain: what was cut off there, `dpkg --configure -a` does not finish. */
function halfInstalled(host: string, names: readonly string[]): ProvisionError {
  const [is, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return new ProvisionError({
    code: 'apt-broken',
    message: `${host}: ${names.join(', ')} ${is} half-installed: dpkg was cut off while it unpacked ${them}`,
    hint: `ssh ${host} sudo apt-get install --reinstall ${names.map(quote).join(' ')}`,
  });
}

function broken(host: string, problem: string): ProvisionError {
  return new ProvisionError({
    code: 'apt-broken',
    message: `${host}: apt can't say what it would upgrade: ${problem}`,
    hint: `ssh ${host} sudo apt-get -s upgrade`,
  });
}
