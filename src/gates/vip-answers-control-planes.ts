import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import { askText } from '../facts/file-content.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { pathExists } from '../facts/path-exists.js';
import { readStaticPodManifest } from '../facts/static-pod-manifest.js';
import type { Cluster, ControlPlane } from '../model/cluster.js';
import { aboutService, type Gate, type GateInput } from '../model/gate.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';
import { gateHosts } from './gate-hosts.js';
import { exchangeProblem, proxyJournal, VIP_DEADLINE_MS, vipQuestion } from './vip-answers.js';

/**
 * Before the first kube-apiserver is moved to the virtual IP, etcd answers through it from every control plane, with the
 * very files that its kube-apiserver shows and verifies by. Before a batch, all hosts of the play are asked: who was left
 * out by `--limit` is not moved, and may be away. After one, its own hosts.
 */
export function vipAnswersControlPlanes(service: VirtualService, { controlPlanes }: Cluster): Gate {
  return {
    name: aboutService('vip-answers-control-planes', service.name),
    deadlineMs: VIP_DEADLINE_MS,
    async check({ when, play, batch, probe }) {
      const asked = new Set(gateHosts(when === 'before' ? play : batch, controlPlanes));
      const problems = await Promise.all(
        controlPlanes
          .filter(({ host }) => asked.has(host))
          .map(async (controlPlane) => problemOn(probe(controlPlane.host), controlPlane, { service, when })),
      );
      const found = problems.filter((problem) => problem !== undefined);
      if (found.length > 0) return { open: false, reason: found.join('; '), next: proxyJournal(service, '') };
      return { open: true, note: `asked from ${[...asked].join(', ')}` };
    },
  };
}

async function problemOn(
  probe: Probe,
  { host, manifest: path }: ControlPlane,
  { service, when }: { readonly service: VirtualService; readonly when: GateInput['when'] },
): Promise<string | undefined> {
  const text = await askText(probe, path);
  // After a host was given its files, kubeadm may be still to come; nothing is moved to the virtual IP there.
  if (text === undefined && when !== 'after') return `${host} has no ${path}`;
  const files = text === undefined ? USUAL_CLIENT_FILES : clientFilesOf(readStaticPodManifest(path, text, CONTAINER));
  const question = vipQuestion(service, files);
  const [answer, ...present] = await Promise.all([
    probe.ask(httpsAnswer, httpsKey(question)),
    ...Object.values(files).map(async (file: string) => ({ file, isThere: await probe.ask(pathExists, file) })),
  ]);
  const missing = present.filter(({ isThere }) => !isThere).map(({ file }) => file);
  if (missing.length > 0) return `${host} has no ${missing.join(', ')}, which its kube-apiserver shows or verifies by`;
  const problem = exchangeProblem(answer, service.health.alive);
  const shown = `${files.certificate}, verified by ${files.ca}`;
  return problem === undefined ? undefined : `from ${host}, ${question.url} ${problem} (shown ${shown})`;
}
