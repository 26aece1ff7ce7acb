import { kernelModules } from '../facts/kernel-modules.js';
import { listeners } from '../facts/listeners.js';
import { NODE, nodeOutline, type NodeOutline } from '../facts/node-outline.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import { USUAL_KUBELET_CONF } from '../facts/kubelet-processes.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import { isNodeName, type KubernetesNode } from '../model/kubernetes.js';
import type { Probe } from '../model/remote.js';

/** What a node needs at least (kubeadm, app/constants: ControlPlaneNumCPU, ControlPlaneMem). */
const CONTROL_PLANE_CPUS = 2;
const CONTROL_PLANE_MIB = 1700;

/** What the parts of Kubernetes listen on: of a control plane kube-apiserver, scheduler and controller-manager, of all the kubelet. */
const PORTS: Readonly<Record<KubernetesNode['kind'], readonly string[]>> = {
  'control-plane': ['6443', '10250', '10257', '10259'],
  worker: ['10250'],
};

/** Of these a port is no news on a node that is half set up. */
const OWN = /^(?:kubelet|kube-apiserver|kube-controller|kube-scheduler)/;

/**
 * What kubeadm would refuse later, and what nobody would: two hosts with one name become one node. All of it is reported by the plan,
 * before anything is changed. Nothing is ever to do here.
 * @param nodes all of the cluster
 * @param modules what the kernel must have, or have a file of
 */
export function nodePreflight(
  node: KubernetesNode,
  nodes: readonly KubernetesNode[],
  modules: readonly string[],
): Resource {
  return {
    address: 'node-preflight',
    paths: [],
    async plan(probe) {
      const [outline, isJoined, twins, states, taken] = await Promise.all([
        probe.ask(nodeOutline, NODE),
        probe.ask(pathExists, USUAL_KUBELET_CONF),
        twinsOf(node, nodes, probe),
        Promise.all(modules.map(async (name) => ({ name, state: await probe.ask(kernelModules, name) }))),
        Promise.all(PORTS[node.kind].map(async (port) => (await probe.ask(listeners, port)).map(takenBy(node, port)))),
      ]);
      const problems = [
        ...nameProblems(node, outline, twins),
        ...states.flatMap(({ name, state }) => (state === 'missing' ? [moduleProblem(node, name)] : [])),
        ...(isJoined ? [] : [...sizeProblems(node, outline), ...taken.flat().flat()]),
      ];
      if (problems.length > 0) throw unfit(node.host, problems);
      return UNCHANGED;
    },
    async doubt(probe) {
      const { isContainer, timeServices } = await probe.ask(nodeOutline, NODE);
      if (isContainer || timeServices.length > 0) return undefined;
      return 'no service keeps its clock right: certificates and leases need that; install chrony, or enable systemd-timesyncd';
    },
  };
}

/** One thing that is wrong, and what to do about it. */
interface NodeProblem {
  readonly what: string;
  readonly next: string;
}

/** Other hosts that call themselves the same. Who can't be asked is asked before its own turn. */
async function twinsOf(
  node: KubernetesNode,
  nodes: readonly KubernetesNode[],
  probe: Probe,
): Promise<readonly string[]> {
  const { name } = await probe.ask(nodeOutline, NODE);
  const others = nodes.filter(({ host }) => host !== node.host);
  const found = await Promise.all(
    others.map(async ({ host }) => ({ host, outline: await unlessLost(probe.on(host).ask(nodeOutline, NODE)) })),
  );
  return found.flatMap(({ host, outline }) =>
    !(outline instanceof RemoteError) && outline.name.toLowerCase() === name.toLowerCase() ? [host] : [],
  );
}

function nameProblems(
  { host }: KubernetesNode,
  { name }: NodeOutline,
  twins: readonly string[],
): readonly NodeProblem[] {
  const set = `ssh ${host} sudo hostnamectl set-hostname NAME`;
  if (twins.length > 0)
    return [{ what: `calls itself ${name}, and so does ${twins.join(', ')}: they would be one node`, next: set }];
  return isNodeName(name.toLowerCase())
    ? []
    : [{ what: `calls itself ${name}, which is no name for a node (letters, digits, - and .)`, next: set }];
}

function moduleProblem({ host }: KubernetesNode, name: string): NodeProblem {
  return {
    what: `has no module ${name} for its kernel, which Kubernetes needs`,
    next: `look whether the modules are those of the running kernel; after its upgrade, reboot the host: ssh ${host} 'uname -r; ls /lib/modules'`,
  };
}

/** As kubeadm: of control planes only, and passed over by its names. */
function sizeProblems(
  { kind, ignoredChecks }: KubernetesNode,
  { cpus, memoryMib }: NodeOutline,
): readonly NodeProblem[] {
  if (kind !== 'control-plane') return [];
  const passOver = (check: string): string => `a larger machine, or: kube_cluster_ignore_preflight_errors: [${check}]`;
  const checks = [
    {
      check: 'NumCPU',
      isWrong: cpus < CONTROL_PLANE_CPUS,
      what: `has ${cpus} processor; a control plane needs ${CONTROL_PLANE_CPUS}`,
    },
    {
      check: 'Mem',
      isWrong: memoryMib < CONTROL_PLANE_MIB,
      what: `has ${memoryMib} MiB of memory; a control plane needs ${CONTROL_PLANE_MIB}`,
    },
  ];
  return checks
    .filter(({ check, isWrong }) => isWrong && !ignoredChecks.includes(check))
    .map(({ check, what }) => ({ what, next: passOver(check) }));
}

function takenBy(
  { host }: KubernetesNode,
  port: string,
): (found: { readonly process: string }) => readonly NodeProblem[] {
  return ({ process }) =>
    OWN.test(process)
      ? []
      : [
          {
            what: `has ${process === '' ? 'a process' : process} on port ${port}, which Kubernetes needs`,
            next: `ssh ${host} sudo ss -Hltnp 'sport = :${port}'`,
          },
        ];
}

function unfit(host: string, problems: readonly NodeProblem[]): ProvisionError {
  return new ProvisionError({
    code: 'node-unfit',
    message: problems.map(({ what }) => `${host} ${what}`).join('\n'),
    hint: [...new Set(problems.map(({ next }) => next))].join('\n'),
  });
}
