import { kubeadmOutline } from '../facts/kubeadm-outline.js';
import { KUBELET } from '../facts/kubelet-processes.js';
import { unitState } from '../facts/unit-state.js';
import { nodeProblem } from '../gates/kubelet-ready.js';
import { journalByHand } from '../shell/by-hand.js';
import { askHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** The nodes of a cluster that this playbook sets up: their kubelets run, their nodes are Ready, and all have one version. */
export const checkNodes: Check = async ({ cluster, probe, resources }) => {
  const isSetUp = (host: string): boolean =>
    (resources.get(host) ?? []).some(({ address }) => address.startsWith('kubernetes:'));
  const hosts = cluster.nodes.filter(isSetUp);
  const { imageRepository } = cluster.kubernetes.settings;
  const { heard, unreachable } = await askHosts(hosts, async (host) => {
    const there = probe(host);
    const [unit, kubeadm, problem] = await Promise.all([
      there.ask(unitState, KUBELET),
      there.ask(kubeadmOutline, imageRepository),
      nodeProblem(there),
    ]);
    return { version: kubeadm?.version ?? 'no kubeadm', isEnabled: unit.enabled, problem };
  });
  const [first] = [...heard.values()];
  const items = [...heard].flatMap(([host, { version, isEnabled, problem }]): readonly CheckItem[] => [
    problem === undefined
      ? { check: 'node', host, verdict: 'ok', evidence: 'Ready' }
      : { check: 'node', host, verdict: 'fail', evidence: problem, next: journalByHand(host, KUBELET) },
    isEnabled
      ? { check: 'node', host, subject: KUBELET, verdict: 'ok', evidence: 'enabled at boot' }
      : {
          ...{ check: 'node', host, subject: KUBELET, verdict: 'fail', evidence: 'not enabled at boot' },
          next: `ssh ${host} sudo systemctl enable ${KUBELET}`,
        },
    version === first?.version
      ? { check: 'node', host, subject: 'version', verdict: 'ok', evidence: version }
      : {
          ...{ check: 'node', host, subject: 'version', verdict: 'warn', next: `ssh ${host} kubeadm version -o short` },
          evidence: `${version}, where others have ${first?.version ?? ''}`,
        },
  ]);
  return [...unreachable, ...items];
};
