import { askText } from '../facts/file-content.js';
import { fileState } from '../facts/file-state.js';
import { httpsAnswer, httpsKey } from '../facts/https-answer.js';
import { programStarts } from '../facts/program-starts.js';
import { argumentOf, readStaticPodManifest } from '../facts/static-pod-manifest.js';
import type { Cluster, ControlPlane } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import { ProvisionError } from '../model/errors.js';
import type { Gate, GateInput } from '../model/gate.js';
import { KUBEADM_CERTIFICATES, manifestOf, processName } from '../model/kubeadm-certificate.js';
import type { Probe } from '../model/remote.js';
import { containersByHand } from '../shell/by-hand.js';
import { GRACE_MS, type NotYet, verdict } from './apiserver-ready.js';
import { gateHosts } from './gate-hosts.js';
import { exchangeProblem } from './vip-answers.js';

/** The kubelet looks at its manifests every 20 s at the latest (`fileCheckFrequency`), and then a program starts in seconds. */
const DEADLINE_MS = 120_000;

/** Where it answers on its own host (kubeadm's manifests; k8s.io/kubernetes, cmd/kube-scheduler and cmd/kube-controller-manager). */
const PORTS = { 'kube-controller-manager': 10257, 'kube-scheduler': 10259 } as const;

type Controller = keyof typeof PORTS;

const CONTROLLERS = KUBEADM_CERTIFICATES.flatMap(({ path, readBy }) =>
  readBy === 'kube-controller-manager' || readBy === 'kube-scheduler' ? [{ program: readBy, kubeconfig: path }] : [],
);

/**
 * The controller-manager and the scheduler of each host run and are healthy, as far as the kubelet runs them there. A change that
 * restarts one names its kubeconfig, and then that one alone is asked: its process must have been started since the file was changed.
 */
export function controllersReady(cluster: Cluster): Gate {
  return {
    name: 'controllers-ready',
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe, arguments: given }: GateInput) {
      const named = Array.isArray(given.runsWith) ? given.runsWith.map(String) : undefined;
      const asked = CONTROLLERS.filter(({ kubeconfig }) => named?.includes(kubeconfig) ?? true);
      const hosts = gateHosts(batch, cluster.controlPlanes);
      const problems = await Promise.all(
        cluster.controlPlanes
          .filter(({ host }) => hosts.includes(host))
          .flatMap((controlPlane) =>
            asked.map(async ({ program, kubeconfig }) => {
              const file = named === undefined ? undefined : kubeconfig;
              const problem = await problemOf(program, file, controlPlane, probe(controlPlane.host));
              return problem === undefined ? [] : [{ host: controlPlane.host, program, ...problem }];
            }),
          ),
      );
      const [first] = problems.flat();
      return verdict(problems.flat(), (host) => containersByHand(host, first?.program ?? ''));
    },
  };
}

async function problemOf(
  program: Controller,
  kubeconfig: string | undefined,
  { manifest }: ControlPlane,
  probe: Probe,
): Promise<NotYet | undefined> {
  const path = manifestOf(program, manifest);
  const [text, starts, state] = await Promise.all([
    askText(probe, path),
    probe.ask(programStarts, processName(program)),
    kubeconfig === undefined ? undefined : probe.ask(fileState, kubeconfig),
  ]);
  if (text === undefined) return undefined;
  if (starts.length === 0) return { problem: `no ${program} runs`, patienceMs: 0 };
  const changedAt = state === undefined || state.kind === 'absent' ? 0 : state.changedAt;
  const old = starts.find(({ startedAt }) => startedAt < changedAt);
  if (old !== undefined)
    return {
      problem: `${program} (pid ${old.pid}) was started before ${kubeconfig ?? ''} was changed, and is to end`,
      patienceMs: GRACE_MS,
    };
  const url = healthUrl(program, path, text);
  const problem = exchangeProblem(await probe.ask(httpsAnswer, httpsKey({ url })));
  return problem === undefined ? undefined : { problem: `${program}: ${url} ${problem}`, patienceMs: 0 };
}

/** As the kubelet's own probes ask: anyone may. */
function healthUrl(program: Controller, path: string, text: string): string {
  try {
    const manifest = readStaticPodManifest(path, text, program);
    const bind = argumentOf(manifest, 'bind-address') ?? '0.0.0.0';
    const address = bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind;
    return `${httpsUrl(address, Number(argumentOf(manifest, 'secure-port') ?? PORTS[program]))}/healthz`;
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return `${httpsUrl('127.0.0.1', PORTS[program])}/healthz`;
  }
}
