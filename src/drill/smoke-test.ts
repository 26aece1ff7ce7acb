import type { World } from '../engine/world.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { RemoteError } from '../model/errors.js';
import type { Command } from '../model/remote.js';
import { ADMIN } from '../shell/kubeadm.js';
import {
  askSmokeTest,
  awaitSmokeTest,
  beginSmokeTest,
  endSmokeTest,
  startSmokeTest,
  type SmokePods,
} from '../shell/smoke-test.js';
import {
  isAll,
  placeOf,
  readAnswers,
  readLeft,
  readNodes,
  readStarted,
  WANTED,
  type Started,
} from './smoke-answers.js';

const ADMIN_KUBECTL = `sudo kubectl --kubeconfig ${ADMIN}`;

/** One thing that the test found. */
export interface SmokeFinding {
  readonly host?: string | undefined;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly evidence: string;
  /** The next command to type; of what is not ok. */
  readonly next?: string | undefined;
}

/** One test, which has a namespace of its own. */
interface SmokeRun {
  readonly run: string;
  /** The control plane that is asked for it. */
  readonly host: string;
  readonly placement: Pick<SmokePods, 'count' | 'tolerated'>;
  readonly cluster: Cluster;
  readonly world: World;
}

/**
 * Two pods on two nodes and a service in front of them, in a namespace of their own: every node of the inventory asks the service
 * and each pod. All of it is removed again, also where a stop is asked for; and what earlier tests have left that were killed.
 */
export async function smokeTest(cluster: Cluster, world: World, stop: AbortSignal): Promise<readonly SmokeFinding[]> {
  const host = await administrator(cluster, world);
  if (typeof host !== 'string') return [host];
  const begun = await notLost(host, async () => run(host, beginSmokeTest(), world));
  if (typeof begun !== 'string') return [begun];
  const placement = placeOf(readNodes(begun));
  if (placement.count === 0) return [failed(host, 'no node takes pods', `ssh ${host} ${ADMIN_KUBECTL} describe nodes`)];
  if (stop.aborted) return [failed(host, 'stopped on request: nothing was started', AGAIN)];
  return tested({ run: world.randomHex(4), host, placement, cluster, world }, stop);
}

const AGAIN = 'provision verify INVENTORY --smoke-test';

async function tested(test: SmokeRun, stop: AbortSignal): Promise<readonly SmokeFinding[]> {
  const { host, world, placement } = test;
  const pods = { ...test.cluster.kubernetes.settings.smokeTest, ...placement };
  const found: SmokeFinding[] = [];
  try {
    // Before anything is removed it is known to be there, or not to come any more: this is never cut short.
    const made = await notLost(host, async () => run(host, startSmokeTest(test.run, pods), world));
    const stopped = failed(host, 'stopped on request: what was started is removed', AGAIN);
    if (typeof made === 'string') found.push(...leftItems(host, made));
    found.push(...(typeof made !== 'string' ? [made] : await unlessStopped(stop, [stopped], async () => asked(test))));
  } finally {
    // What was begun is removed, however it ended.
    const ended = await notLost(host, async () => run(host, endSmokeTest(test.run), world));
    if (typeof ended !== 'string') found.push(ended);
  }
  return found;
}

/** What earlier tests have left is no reason for this one to fail. */
function leftItems(host: string, stdout: string): readonly SmokeFinding[] {
  const { removed, stuck } = readLeft(stdout);
  return [
    ...removed.map((evidence): SmokeFinding => ({ host, verdict: 'ok', evidence })),
    ...stuck.map((name): SmokeFinding => ({
      ...{ host, verdict: 'warn', evidence: `${name}, which an earlier test has left, does not go` },
      next: `see what holds it: ssh ${host} ${ADMIN_KUBECTL} get namespace ${name} -o yaml`,
    })),
  ];
}

/** What work comes to; or, once a stop is asked for, something else: nobody waits for the work any more. */
async function unlessStopped<T>(stop: AbortSignal, otherwise: T, work: () => Promise<T>): Promise<T> {
  if (stop.aborted) return otherwise;
  const stopped = new Promise<T>((resolve) => {
    stop.addEventListener(
      'abort',
      () => {
        resolve(otherwise);
      },
      { once: true },
    );
  });
  return Promise.race([stopped, work()]);
}

/** The first control plane that answers and has an administrator's kubeconfig; or why there is none. */
async function administrator({ controlPlanes }: Cluster, world: World): Promise<string | SmokeFinding> {
  const look = world.newLook();
  const able = await Promise.all(
    controlPlanes.map(async ({ host }) => unlessLost(look.probe(host).ask(pathExists, ADMIN))),
  );
  const found = controlPlanes.find((_, index) => able[index] === true)?.host;
  if (found !== undefined) return found;
  const lost = able.find((each) => each instanceof RemoteError);
  if (lost !== undefined) return failed(lost.host, lost.message, `ssh ${lost.host} true`);
  return failed(
    controlPlanes[0]?.host,
    `no control plane has ${ADMIN}`,
    'set up Kubernetes first: provision apply FILE --playbook kubernetes',
  );
}

async function asked({ run: name, host, placement, cluster, world }: SmokeRun): Promise<readonly SmokeFinding[]> {
  const started = await notLost(host, async () => readStarted(await run(host, awaitSmokeTest(name), world)));
  if ('verdict' in started) return [started];
  const askers = cluster.kubernetes.nodes.map((node) => node.host);
  const answers = await Promise.all(askers.map(async (asker) => askFrom(asker, started, world)));
  return [spreadItem(started, placement), ...answers];
}

/** What work with a control plane gives, or how that failed. */
async function notLost<T>(host: string, work: () => Promise<T>): Promise<T | SmokeFinding> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return failed(host, error.message, `ssh ${host} ${ADMIN_KUBECTL} get pods -A -o wide`);
  }
}

/** @throws RemoteError */
async function run(host: string, command: Command, { connector }: World): Promise<string> {
  const { status, stdout, stderr } = await (await connector.connect(host)).run(command);
  if (status === 0) return stdout;
  const said = stderr.trim().split('\n').slice(-4).join('; ');
  throw new RemoteError({
    ...{ code: 'command-failed', host, command: command.summary, status, output: stderr },
    message: `${command.summary}: ${said || `status ${status}`}`,
  });
}

function spreadItem({ pods }: Started, { count }: Pick<SmokePods, 'count'>): SmokeFinding {
  const nodes = [...new Set(pods.map(({ node }) => node))];
  const evidence = `${counted(pods.length, 'pod')} became ready, on ${nodes.join(' and ')}`;
  return count < WANTED
    ? {
        ...{ verdict: 'warn', evidence: `${evidence}: no other node takes pods` },
        next: 'add a host to the group kube_node',
      }
    : { verdict: 'ok', evidence };
}

async function askFrom(host: string, { service, pods }: Started, world: World): Promise<SmokeFinding> {
  const addresses = [...(service === undefined ? [] : [service]), ...pods.map(({ ip }) => ip)];
  try {
    const answers = readAnswers(await run(host, askSmokeTest(addresses), world));
    const missing = addresses.filter((address) => !isAll(answers.get(address)));
    if (service !== undefined && missing.length === 0)
      return { host, verdict: 'ok', evidence: `the service ${service} and each pod answer` };
    const why = missing.map((address) => {
      const { answered = 0, asked = 0 } = answers.get(address) ?? {};
      const what =
        address === service ? 'the service' : `the pod on ${pods.find(({ ip }) => ip === address)?.node ?? ''}`;
      return `${what} (${address}) answered ${answered} of ${asked} requests`;
    });
    return failed(host, why.join('; ') || 'the service has no address', nextOf(host));
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    return failed(host, error.message, nextOf(host));
  }
}

function nextOf(host: string): string {
  return `ssh ${host} sudo crictl logs --tail 20 "$(ssh ${host} sudo crictl ps -q --name kube-proxy)"`;
}

function failed(host: string | undefined, evidence: string, next: string): SmokeFinding {
  return { host, verdict: 'fail', evidence, next };
}
