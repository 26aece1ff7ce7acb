import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { Gate, GateInput } from '../model/gate.js';
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
    async check({ batch, probe }) {
      const others = controlPlanes.filter(({ host }) => !batch.includes(host));
      if (others.length === 0)
        return { open: true, note: 'there is no other API server: it is away while it restarts' };
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
    },
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
