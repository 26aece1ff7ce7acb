import { KUBELET, kubeletConfOf, kubeletProcesses } from '../facts/kubelet-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { ADMINISTRATORS } from '../facts/kubeconfig.js';
import type { Cluster } from '../model/cluster.js';
import { aboutService, type Gate, type GateInput } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';
import { gateHosts } from './gate-hosts.js';
import { wayProblem } from './kubeconfig-way.js';
import { proxyJournal, VIP_DEADLINE_MS } from './vip-answers.js';

/**
 * Before the first kubeconfig is moved to the virtual IP, this cluster answers through it on every node of the play, to each
 * of its kubeconfigs. An action asks about its own file only.
 */
export function vipAnswersKubeconfigs(service: VirtualService, { nodes, controlPlanes }: Cluster): Gate {
  const isControlPlane = (host: string): boolean => controlPlanes.some((each) => each.host === host);
  return {
    name: aboutService('vip-answers-kubeconfigs', service.name),
    deadlineMs: VIP_DEADLINE_MS,
    async check(input) {
      const all = nodes.map((host) => ({ host }));
      // What is changed for every node is proved from every node.
      const isForAll = input.arguments.from === 'every-node';
      const hosts = isForAll ? nodes : gateHosts(input.when === 'before' ? input.play : input.batch, all);
      const problems = await Promise.all(
        hosts.map(async (host) => {
          const probe = input.probe(host);
          const paths = await pathsOn(probe, input, isControlPlane(host));
          return Promise.all(paths.map(async (path) => wayProblem(probe, path, service)));
        }),
      );
      const found = problems.flat().filter((problem) => problem !== undefined);
      if (found.length > 0) return { open: false, reason: found.join('; '), next: proxyJournal(service, '') };
      return { open: true, note: `asked from ${hosts.join(', ')}` };
    },
  };
}

async function pathsOn(
  probe: Probe,
  { arguments: given }: GateInput,
  isControlPlane: boolean,
): Promise<readonly string[]> {
  if (typeof given.path === 'string') return [given.path];
  const persons = isControlPlane ? ADMINISTRATORS : [];
  const [processes, ...present] = await Promise.all([
    probe.ask(kubeletProcesses, KUBELET),
    ...persons.map(async (path) => ({ path, isThere: await probe.ask(pathExists, path) })),
  ]);
  return [kubeletConfOf(processes), ...present.filter(({ isThere }) => isThere).map(({ path }) => path)];
}
