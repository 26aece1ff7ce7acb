import { isIP } from 'node:net';
import type { World } from '../engine/world.js';
import { pathExists } from '../facts/path-exists.js';
import { unlessLost } from '../facts/unless-lost.js';
import type { Cluster } from '../model/cluster.js';
import { counted } from '../model/counted.js';
import { RemoteError } from '../model/errors.js';
import { isNodeName } from '../model/kubernetes.js';
import type { Command } from '../model/remote.js';
import { ADMIN } from '../shell/kubeadm.js';
import { askSmokeTest, beginSmokeTest, endSmokeTest, startSmokeTest, type SmokePods } from '../shell/smoke-test.js';

const ADMIN_KUBECTL = `sudo kubectl --kubeconfig ${ADMIN}`;

/** What kubeadm taints control planes with; the second one until v1.24. */
const CONTROL_PLANE_TAINTS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** One thing that the test found. */
export interface SmokeFinding {
  readonly host?: string | undefined;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly evidence: string;
  /** The next command to type; of what is not ok. */
  readonly next?: string | undefined;
}

/** A node as far as pods go there. */
export interface NodeForPods {
  readonly name: string;
  /** `cordoned`, and keys of taints. */
  readonly closedBy: readonly string[];
  readonly isReady: boolean;
}

/**
 * Two pods on two nodes and a service in front of them, in a namespace of their own: every node of the inventory asks the service
 * and each pod. All of it is removed again.
 */
export async function smokeTest(cluster: Cluster, world: World): Promise<readonly SmokeFinding[]> {
  const host = await administrator(cluster, world);
  if (typeof host !== 'string') return [host];
  const placement = await notLost(host, async () => placeOf(readNodes(await run(host, beginSmokeTest(), world))));
  if ('verdict' in placement) return [placement];
  if (placement.count === 0) return [failed(host, 'no node takes pods', `ssh ${host} ${ADMIN_KUBECTL} describe nodes`)];
  const found: SmokeFinding[] = [];
  try {
    found.push(...(await tested(host, placement, { cluster, world })));
  } finally {
    // What was begun is removed, however it ended.
    const ended = await notLost(host, async () => run(host, endSmokeTest(), world));
    if (typeof ended !== 'string') found.push(ended);
  }
  return found;
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

async function tested(
  host: string,
  placement: Pick<SmokePods, 'count' | 'tolerated'>,
  site: { readonly cluster: Cluster; readonly world: World },
): Promise<readonly SmokeFinding[]> {
  const command = startSmokeTest({ ...site.cluster.kubernetes.settings.smokeTest, ...placement });
  const started = await notLost(host, async () => readStarted(await run(host, command, site.world)));
  return 'verdict' in started ? [started] : askedFromAll(started, placement, site);
}

async function askedFromAll(
  started: Started,
  placement: Pick<SmokePods, 'count'>,
  { cluster, world }: { readonly cluster: Cluster; readonly world: World },
): Promise<readonly SmokeFinding[]> {
  const askers = cluster.kubernetes.nodes.map(({ host }) => host);
  const answers = await Promise.all(askers.map(async (host) => askFrom(host, started, world)));
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

/** On how many nodes the pods are, and which taints they tolerate: those of control planes only where too few others take pods. */
export function placeOf(nodes: readonly NodeForPods[]): Pick<SmokePods, 'count' | 'tolerated'> {
  const open = (tolerated: readonly string[]): number =>
    nodes.filter(({ isReady, closedBy }) => isReady && closedBy.every((key) => tolerated.includes(key))).length;
  const tolerated = open([]) >= WANTED ? [] : CONTROL_PLANE_TAINTS;
  return { count: Math.min(WANTED, open(tolerated)), tolerated };
}

const WANTED = 2;

/** The nodes that an API server lists. A line that is no node's is left out. */
export function readNodes(stdout: string): readonly NodeForPods[] {
  return [...stdout.matchAll(/^N\t([^\t\n]*)\t([^\t\n]*)\t([^\t\n]*)$/gm)].flatMap(
    ([, name = '', closedBy = '', ready]): readonly NodeForPods[] =>
      isNodeName(name) ? [{ name, closedBy: closedBy.split(' ').filter(Boolean), isReady: ready === 'True' }] : [],
  );
}

/** Pods that are ready, and their service. */
interface Started {
  readonly service: string | undefined;
  readonly pods: readonly { readonly node: string; readonly ip: string }[];
}

function readStarted(stdout: string): Started {
  const pods = [...stdout.matchAll(/^P\t([^\t\n]*)\t([^\t\n]*)$/gm)].map(([, node = '', ip = '']) => ({ node, ip }));
  const [, service] = /^S\t([^\t\n]*)$/m.exec(stdout) ?? [];
  return {
    // They go into a script of another host.
    pods: pods.filter(({ ip }) => isIP(ip) !== 0),
    service: isIP(service ?? '') === 0 ? undefined : service,
  };
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

interface Answers {
  readonly answered: number;
  readonly asked: number;
}

function isAll(answers: Answers | undefined): boolean {
  return answers !== undefined && answers.asked > 0 && answers.answered === answers.asked;
}

function readAnswers(stdout: string): ReadonlyMap<string, Answers> {
  return new Map(
    [...stdout.matchAll(/^A (\S+) (\d+) (\d+)$/gm)].map(([, address = '', answered, asked]) => [
      address,
      { answered: Number(answered), asked: Number(asked) },
    ]),
  );
}

function failed(host: string | undefined, evidence: string, next: string): SmokeFinding {
  return { host, verdict: 'fail', evidence, next };
}
