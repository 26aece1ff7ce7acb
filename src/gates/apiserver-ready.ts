import { isIP } from 'node:net';
import { APISERVER, apiserverProcesses, type ApiserverProcess } from '../facts/apiserver-processes.js';
import { flagValue, readFlags } from '../facts/command-flags.js';
import { fileState } from '../facts/file-state.js';
import { programStarts } from '../facts/program-starts.js';
import { httpsAnswer, httpsKey, type HttpsQuestion } from '../facts/https-answer.js';
import type { Cluster } from '../model/cluster.js';
import { httpsUrl } from '../model/endpoint.js';
import type { Gate, GateAnswer } from '../model/gate.js';
import type { JsonObject } from '../model/json.js';
import type { Probe } from '../model/remote.js';
import { containersByHand, restartByHand } from '../shell/by-hand.js';
import { gateHosts } from './gate-hosts.js';

/**
 * The *new* kube-apiserver of each host is ready: only processes with the wanted arguments run, `/readyz` is ok, and
 * they are connected to etcd where their `--etcd-servers` says. The old process would answer as well: so first its
 * arguments, then its health (the way of kubeadm's upgrade/staticpods.go, which waits for the pod's hash).
 */
export function apiserverReady(cluster: Cluster): Gate {
  return {
    name: 'apiserver-ready',
    deadlineMs: Math.max(0, ...cluster.controlPlanes.map((controlPlane) => controlPlane.readyTimeoutMs)),
    async check({ batch, probe: on, arguments: given }) {
      const [wanted, files] = [wordsOf(given.arguments), wordsOf(given.runsWith)];
      const problems = await Promise.all(
        gateHosts(batch, cluster.controlPlanes).map(async (host) => {
          const probe = on(host);
          const [processes, old] = await Promise.all([
            probe.ask(apiserverProcesses, APISERVER),
            startedBefore(files, probe),
          ]);
          const early = judgeProcesses(processes, wanted) ?? old;
          if (early !== undefined) return [{ host, ...early }];
          const [process] = processes;
          const problem = await readinessProblem(probe, process?.argv ?? []);
          return problem === undefined ? [] : [{ host, problem, patienceMs: 0 }];
        }),
      );
      return verdict(problems.flat());
    },
  };
}

/** The grace period of a static pod: the kubelet lets the old process end beside the new one (`terminationGracePeriodSeconds`). */
export const GRACE_MS = 30_000;

/** The kubelet's longest pause between two starts of what crashes (pkg/kubelet/kubelet.go, `MaxContainerBackOff`). */
const BACK_OFF_MS = 300_000;

/** Why a process is not the wanted one yet. */
export interface NotYet {
  readonly problem: string;
  /** How long the kubelet itself may leave it so. */
  readonly patienceMs: number;
}

/** Of problems, each on its host. @param look what a person types there */
export function verdict(
  problems: readonly (NotYet & { readonly host: string })[],
  look: (host: string) => string = (host) => containersByHand(host, 'kube-apiserver'),
): GateAnswer {
  const [first] = problems;
  if (first === undefined) return { open: true };
  const reason = problems.map(({ host, problem }) => `${host}: ${problem}`).join('; ');
  const patienceMs = Math.max(...problems.map((each) => each.patienceMs));
  // A restart of the kubelet ends its pause; static pods that run go on.
  const next = first.patienceMs === BACK_OFF_MS ? restartByHand(first.host, 'kubelet') : look(first.host);
  return { open: false, reason, next, patienceMs };
}

function wordsOf(given: JsonObject[string] | undefined): readonly string[] {
  return Array.isArray(given) ? given.map(String) : [];
}

/** Why a process has not read these files as they are now: it was started before they were changed. */
async function startedBefore(files: readonly string[], probe: Probe): Promise<NotYet | undefined> {
  if (files.length === 0) return undefined;
  const [starts, states] = await Promise.all([
    probe.ask(programStarts, APISERVER),
    Promise.all(files.map((path) => probe.ask(fileState, path))),
  ]);
  const changedAt = Math.max(0, ...states.map((state) => (state.kind === 'absent' ? 0 : state.changedAt)));
  const [old] = starts.filter(({ startedAt }) => startedAt < changedAt);
  if (old === undefined) return undefined;
  const problem = `kube-apiserver (pid ${old.pid}) was started before ${files.join(', ')} was changed, and is to end`;
  return { problem, patienceMs: GRACE_MS };
}

/** Why these processes cannot be the wanted ones yet. */
function judgeProcesses(processes: readonly ApiserverProcess[], wanted: readonly string[]): NotYet | undefined {
  const named = (some: readonly ApiserverProcess[]): string =>
    `kube-apiserver (pid ${some.map(({ pid }) => pid).join(', ')})`;
  if (processes.length === 0) return noneRuns(wanted);
  const stale = processes.filter(({ argv }) =>
    readFlags(wanted).some(({ name, value }) => flagValue(argv, name) !== value),
  );
  if (stale.length === processes.length)
    return { problem: `${named(stale)} still runs with the old arguments`, patienceMs: 0 };
  if (stale.length > 0) {
    const problem = `the old ${named(stale)} is ending beside the new one: the kubelet gives it ${GRACE_MS / 1000} s`;
    return { problem, patienceMs: GRACE_MS };
  }
  const loose = processes.filter((process) => !isConnected(process));
  if (loose.length > 0) return { problem: `${named(loose)} has no connection to its etcd`, patienceMs: 0 };
  return undefined;
}

/**
 * After a change of the manifest the kubelet starts its pauses again, and a kube-apiserver that can't start there is not
 * worth waiting for. One whose manifest was right and whose certificate came late may be in the longest.
 */
function noneRuns(wanted: readonly string[]): NotYet {
  const pauses = `after crashes the kubelet waits 10 s to ${BACK_OFF_MS / 60_000} min before the next start`;
  return { problem: `no kube-apiserver runs; ${pauses}`, patienceMs: wanted.length === 0 ? BACK_OFF_MS : 0 };
}

/** Connected to an `--etcd-servers` address; a server given by name is not judged. */
export function isConnected({ argv, connections }: ApiserverProcess): boolean {
  const servers = (flagValue(argv, 'etcd-servers') ?? '').split(',').filter((url) => URL.canParse(url));
  const ends = servers.map((url) => new URL(url)).map(({ hostname, port }) => ({ hostname, port: Number(port) }));
  return ends.some(({ hostname, port }) => {
    const address = hostname.replace(/^\[|\]$/g, '');
    return isIP(address) === 0 || connections.some((end) => end.address === address && end.port === port);
  });
}

/** Why the process with these arguments is not ready; `undefined` when it is. */
export async function readinessProblem(probe: Probe, argv: readonly string[]): Promise<string | undefined> {
  const question = ownQuestion(argv, '/readyz');
  const known = await probe.ask(httpsAnswer, httpsKey(question));
  // A client certificate that has ended is no fault of the API server: whoever is let in as nobody may ask.
  const isRefused = known.kind === 'answer' && known.status === 401 && question.certificate !== undefined;
  const answer = isRefused ? await probe.ask(httpsAnswer, httpsKey({ url: question.url })) : known;
  if (answer.kind === 'failure') return `/readyz fails: ${answer.reason}`;
  return answer.status === 200 ? undefined : `/readyz answers ${answer.status}: ${failedChecks(answer.body)}`;
}

/**
 * A question to an apiserver on its own host, asked as the kubelet's probes ask: where the process listens, without
 * verifying its serving certificate.
 * @param argv of the process
 */
function ownQuestion(argv: readonly string[], path: string): HttpsQuestion {
  const bind = flagValue(argv, 'bind-address');
  const isAny = bind === undefined || bind === '0.0.0.0' || bind === '::';
  const url = `${httpsUrl(isAny ? '127.0.0.1' : bind, Number(flagValue(argv, 'secure-port') ?? 6443))}${path}`;
  const certificate = flagValue(argv, 'kubelet-client-certificate');
  const key = flagValue(argv, 'kubelet-client-key');
  // Where anonymous requests are off, the apiserver's own client certificate for kubelets is known to it.
  return { url, certificate, key };
}

/** The lines of /readyz that name a failed check: `[-]etcd failed: reason withheld`. */
function failedChecks(body: string): string {
  const failed = body.split('\n').filter((line) => line.startsWith('[-]'));
  return (failed.length === 0 ? body : failed.join(', ')).slice(0, 200);
}
