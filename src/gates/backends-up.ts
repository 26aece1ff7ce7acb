import { aboutService, type Gate, type GateInput } from '../model/gate.js';
import { ALL_ADDRESSES, hostAddresses } from '../facts/host-addresses.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { RemoteError } from '../model/errors.js';
import type { VirtualService } from '../model/virtual-service.js';
import { proxyOf } from '../proxies/table.js';
import type { BackendView } from '../proxies/proxy.js';
import { gateHosts } from './gate-hosts.js';
import { proxyJournal } from './vip-answers.js';

/** Some health checks, seconds apart, with room for a slow member. */
const DEADLINE_MS = 60_000;

/** The proxy on each host of the batch runs, and has found every backend of the service up. */
export function allBackendsUp(service: VirtualService): Gate {
  return {
    name: aboutService('backends-up', service.name),
    deadlineMs: DEADLINE_MS,
    async check({ batch, probe }) {
      const looks = await Promise.all(
        gateHosts(batch, service.balancers).map(async (host) => ({
          host,
          problems: problemsOf(await proxyOf(service).view(service, probe(host)), host, service),
        })),
      );
      const bad = looks.filter(({ problems }) => problems.length > 0);
      const [first] = bad;
      if (first === undefined) return { open: true };
      return {
        open: false,
        reason: bad.flatMap(({ problems }) => problems).join('; '),
        next: proxyJournal(service, first.host),
      };
    },
  };
}

/**
 * The same for a run: a backend on a host that can't be asked says nothing about the batch, as long as there is another
 * one. It is noted, and not held against the batch.
 */
export function backendsUp(
  service: VirtualService,
  cluster: Pick<Cluster, 'controlPlanes'> = { controlPlanes: [] },
): Gate {
  const strict = allBackendsUp(service);
  return {
    ...strict,
    async check(input) {
      const answer = await strict.check(input);
      if (answer.open) return answer;
      const [away, bare] = await Promise.all([backendsAway(service, input), backendsBare(service, cluster, input)]);
      const backends = service.backends.filter(({ host }) => !away.includes(host) && !bare.includes(host));
      if (away.length + bare.length === 0 || backends.length === 0) return answer;
      const rest = await allBackendsUp({ ...service, backends }).check(input);
      const notes = [
        ...away.map((host) => `${host} can't be asked, and is left out`),
        ...bare.map((host) => `${host} has no API server yet, and is left out`),
      ];
      return rest.open ? { open: true, note: notes.join('; ') } : rest;
    },
  };
}

/**
 * Every balancer finds the backends on the hosts of the batch up, whatever it finds of others: these may be down for what the same run
 * is about to repair.
 */
export function batchBackendsUp(service: VirtualService): Gate {
  return {
    name: aboutService('batch-backends-up', service.name),
    deadlineMs: DEADLINE_MS,
    check(input) {
      const backends = service.backends.filter(({ host }) => input.batch.includes(host));
      return allBackendsUp({ ...service, backends }).check({ ...input, batch: [] });
    },
  };
}

async function backendsAway({ backends }: VirtualService, { probe }: GateInput): Promise<readonly string[]> {
  const hosts = [...new Set(backends.map(({ host }) => host))];
  const found = await Promise.all(hosts.map(async (host) => unlessLost(probe(host).ask(hostAddresses, ALL_ADDRESSES))));
  return hosts.filter((_, index) => found[index] instanceof RemoteError);
}

/** Control planes that no kubeadm has set up: a run is on its way to them. */
async function backendsBare(
  { name }: VirtualService,
  { controlPlanes }: Pick<Cluster, 'controlPlanes'>,
  { probe }: GateInput,
): Promise<readonly string[]> {
  if (name !== 'kube-apiserver') return [];
  const found = await Promise.all(
    controlPlanes.map(async ({ host, manifest }) => unlessLost(probe(host).ask(pathExists, manifest))),
  );
  return controlPlanes.map(({ host }) => host).filter((_, index) => found[index] === false);
}

function problemsOf(view: BackendView, host: string, service: VirtualService): readonly string[] {
  const subject = `${proxyOf(service).title} on ${host}`;
  return view.kind === 'silent' ? [`${subject} does not answer`] : view.problems.map((each) => `${subject} ${each}`);
}
