import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate, GateAnswer, GateInput } from '../model/gate.js';
import { containersByHand } from '../shell/by-hand.js';
import { isConnected, readinessProblem } from './apiserver-ready.js';

/** One that was just restarted answers within seconds. */
const DEADLINE_MS = 60_000;

/**
 * Another API server is ready while those of the batch restart. Open where there is no other: that one is away for a moment is then
 * what was agreed to; and where none of the batch serves: there is nothing to lose.
 */
export function apiserverCanSpareBatch({ controlPlanes }: Cluster): Gate {
  return {
    name: 'apiserver-can-spare-batch',
    deadlineMs: DEADLINE_MS,
    check: async (input) => spare(controlPlanes, input),
  };
}

/**
 * For a restart of seconds: every other API server that can be asked is ready, so that none is replaced while another one is on its way up,
 * as a run leaves it that was killed after it had changed its manifest. A host without a manifest has none; one that can't be asked was left
 * out on demand. Open where none of the batch serves: there is nothing to lose.
 */
export function apiserverCanSpareBatchButForLost({ controlPlanes }: Cluster): Gate {
  return {
    name: 'apiserver-can-spare-batch-but-for-lost',
    deadlineMs: Math.max(DEADLINE_MS, ...controlPlanes.map(({ readyTimeoutMs }) => readyTimeoutMs)),
    async check({ batch, probe }) {
      const seen = await Promise.all(
        controlPlanes.map(async ({ host, manifest }) => {
          const hasOne = await unlessLost(probe(host).ask(pathExists, manifest));
          const isLost = hasOne instanceof RemoteError;
          const isThere = batch.includes(host) || hasOne === true;
          return { host, isLost, problem: isThere && !isLost ? await problemOn(host, probe) : undefined, isThere };
        }),
      );
      if (!seen.some(({ host, problem, isLost }) => batch.includes(host) && !isLost && problem === undefined))
        return { open: true, note: 'no API server of the batch serves' };
      const others = seen.filter(({ host, isThere }) => isThere && !batch.includes(host));
      const bad = others.filter(({ problem }) => problem !== undefined);
      if (bad.length > 0) return notReady(bad);
      const lost = seen.flatMap(({ host, isLost }) => (isLost ? [host] : []));
      if (lost.length > 0) return { open: true, note: `not asked, for it is away: ${lost.join(', ')}` };
      return others.length === 0 ? { open: true, note: ALONE } : { open: true };
    },
  };
}

const ALONE = 'there is no other API server: it is away while it restarts';

function notReady(bad: readonly { readonly host: string; readonly problem: string | undefined }[]): GateAnswer {
  const problems = bad.map(({ host, problem = '' }) => `${host}: ${problem}`).join('; ');
  return {
    open: false,
    reason: `another API server is not ready: ${problems}`,
    next: containersByHand(bad[0]?.host ?? '', 'kube-apiserver'),
  };
}

async function spare(
  controlPlanes: Cluster['controlPlanes'],
  { batch, probe }: Pick<GateInput, 'batch' | 'probe'>,
): Promise<GateAnswer> {
  const others = controlPlanes.filter(({ host }) => !batch.includes(host));
  if (others.length === 0) return { open: true, note: ALONE };
  const seen = await Promise.all(
    controlPlanes.map(async ({ host }) => ({ host, problem: await problemOn(host, probe) })),
  );
  const isReady = (host: string): boolean => seen.some((each) => each.host === host && each.problem === undefined);
  if (others.some(({ host }) => isReady(host))) return { open: true };
  if (!controlPlanes.some(({ host }) => batch.includes(host) && isReady(host)))
    return { open: true, note: 'no API server serves' };
  const bad = seen.filter(({ host }) => others.some((each) => each.host === host));
  return {
    open: false,
    reason: `no other API server is ready: ${bad.map(({ host, problem = '' }) => `${host}: ${problem}`).join('; ')}`,
    next: containersByHand(bad[0]?.host ?? '', 'kube-apiserver'),
  };
}

async function problemOn(host: string, probe: GateInput['probe']): Promise<string | undefined> {
  const asked = await unlessLost(problemOf(host, probe));
  return asked instanceof RemoteError ? asked.message : asked;
}

async function problemOf(host: string, probe: GateInput['probe']): Promise<string | undefined> {
  const there = probe(host);
  const [process] = await there.ask(apiserverProcesses, APISERVER);
  if (process === undefined) return 'no kube-apiserver runs';
  return isConnected(process) ? readinessProblem(there, process.argv) : 'it has no connection to its etcd';
}
