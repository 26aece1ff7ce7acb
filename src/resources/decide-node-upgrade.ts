import { aptUpgrade, UPGRADE, type AptUpgrade } from '../facts/apt-upgrade.js';
import type { ClusterNode } from '../facts/cluster-nodes.js';
import { pathExists } from '../facts/path-exists.js';
import { pendingReboot, REBOOT } from '../facts/pending-reboot.js';
import { ProvisionError } from '../model/errors.js';
import type { KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { askControlPlanes, type NodesSeen } from './ask-control-planes.js';
import { kubernetesState, type KubernetesState } from './kubernetes-host.js';
import { KUBERNETES_PACKAGES } from './kubernetes-packages.js';

/** Older lists are read again before anything is decided by them: apt's own timer does so once a day. */
const FRESH_S = 24 * 60 * 60;

/** A host to be upgraded, and the control planes that are asked for its node. */
export interface UpgradedNode {
  readonly node: KubernetesNode;
  readonly controlPlanes: readonly KubernetesNode[];
  /** Whether the inventory has a member of etcd there. */
  readonly isMember: boolean;
}

/** What is known of a host that is to be upgraded. */
export interface NodeUpgradeLook {
  readonly state: KubernetesState;
  readonly apt: AptUpgrade;
  /** Why it needs a reboot. */
  readonly reboot: string | undefined;
  /** `unknown`: kubeadm runs a member of etcd there, and the inventory has none: who else is a quorum is not known. */
  readonly etcd: 'known' | 'unknown';
  readonly cluster: NodesSeen;
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
  { node, controlPlanes, isMember }: UpgradedNode,
  probe: Probe,
): Promise<NodeUpgradeLook> {
  const others = controlPlanes.toSorted((a, b) => Number(a.host === node.host) - Number(b.host === node.host));
  const [state, apt, reboot, hasStackedEtcd] = await Promise.all([
    kubernetesState(probe),
    probe.ask(aptUpgrade, UPGRADE),
    probe.ask(pendingReboot, REBOOT),
    probe.ask(pathExists, '/etc/kubernetes/manifests/etcd.yaml'),
  ]);
  const cluster = state !== 'joined' ? NOT_YET : await askControlPlanes(node.address ?? '', others, probe);
  return { state, apt, reboot, etcd: hasStackedEtcd && !isMember ? 'unknown' : 'known', cluster };
}

/**
 * Decides what is left to do. A node that others have cordoned stays cordoned; one that this program has cordoned takes pods again.
 * @returns why it can't be decided yet
 * @throws ProvisionError `apt-broken`, `etcd-of-others`, `upgrade-of-others`
 */
export function decideNodeUpgrade(host: string, look: NodeUpgradeLook): NodeUpgrade | string {
  const { apt, reboot: because, cluster } = look;
  // The same run may have it join before, or go on where another one was killed.
  if (look.state !== 'joined') return 'what is upgraded is known once it has joined the cluster (playbook kubernetes)';
  if (look.etcd === 'unknown') throw unknownEtcd(host);
  if (isStale(apt)) return `which packages are upgraded is known once apt has read its lists again (${ageOf(apt)})`;
  if (apt.halfInstalled.length > 0) throw halfInstalled(host, apt.halfInstalled);
  if (apt.problem !== undefined) throw broken(host, apt.problem);
  refuseOthersWork(host, apt);
  const packages = apt.isCutOff ? 'unclear' : apt.upgrades.length > 0;
  const hasWork = packages !== false || because !== undefined;
  const reboot = because !== undefined ? { because } : hasWork ? 'unclear' : undefined;
  const work = { finished: apt.isCutOff, packages, reboot } as const;
  if (!('through' in cluster)) return `no control plane says whether it takes pods (${cluster.silent})`;
  const [node, ...more] = cluster.nodes;
  if (node === undefined || more.length > 0)
    return `${cluster.through} lists ${more.length === 0 ? 'no node' : 'several nodes'} at its address`;
  const isBusy = node.takesPods || node.evicted.length > 0;
  return {
    through: cluster.through,
    drained: hasWork && isBusy ? node : undefined,
    ...work,
    uncordoned: node.isMarked || (hasWork && node.takesPods) ? node : undefined,
  };
}

/** Whether apt's lists are too old to decide by. */
export function isStale({ listsAgeS }: Pick<AptUpgrade, 'listsAgeS'>): boolean {
  return listsAgeS === undefined || listsAgeS > FRESH_S;
}

/** How old apt's lists are, in words. */
export function ageOf({ listsAgeS }: Pick<AptUpgrade, 'listsAgeS'>): string {
  if (listsAgeS === undefined) return 'nothing says when it has last done so';
  const hours = Math.floor(listsAgeS / 3600);
  return `they are ${hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`} old`;
}

function unknownEtcd(host: string): ProvisionError {
  return new ProvisionError({
    code: 'etcd-of-others',
    message: `${host} is to be upgraded, and kubeadm runs a member of etcd there that the inventory does not have: whether the others are a quorum while it reboots is not known`,
    hint: 'have the inventory describe that etcd: provision adopt INVENTORY; or upgrade the host by hand',
  });
}

/** kubelet and kubeadm go with the API servers, and etcd one minor version at a time: neither is apt's to decide. */
function refuseOthersWork(host: string, { upgrades }: AptUpgrade): void {
  const nodes = upgrades.filter(({ name }) => KUBERNETES_PACKAGES.some((each) => each === name));
  const etcd = upgrades.filter(({ name, from, to }) => name === 'etcd-server' && minorOf(from) !== minorOf(to));
  const [first] = [...nodes, ...etcd];
  if (first === undefined) return;
  const list = [...nodes, ...etcd].map(({ name, from = '-', to }) => `${name} ${from} → ${to}`).join(', ');
  const names = [...nodes, ...etcd].map(({ name }) => quote(name)).join(' ');
  throw new ProvisionError({
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
