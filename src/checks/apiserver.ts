import { posix } from 'node:path';
import { APISERVER, apiserverProcesses, type ApiserverProcess } from '../facts/apiserver-processes.js';
import { askText } from '../facts/file-content.js';
import { flagValue } from '../facts/command-flags.js';
import { quorum } from '../facts/etcd-phase.js';
import { isConnected, readinessProblem } from '../gates/apiserver-ready.js';
import type { ControlPlane } from '../model/cluster.js';
import { memberUrls } from '../model/endpoint.js';
import { knownServers } from '../model/known-servers.js';
import { etcdWay } from '../model/etcd-way.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { CONTAINER, serverList } from '../facts/apiserver-manifest.js';
import { argumentOf, readStaticPodManifest } from '../facts/static-pod-manifest.js';
import { rivalFiles, staticPodFiles, type StaticPodFile } from '../facts/static-pods.js';
import { quote } from '../shell/quote.js';
import { itemsOfHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';
import { expectedWay, type ExpectedWay } from './expected-way.js';

/** Each kube-apiserver: what its manifest says, what its process runs with, and whether it is ready. */
export const checkApiservers: Check = async ({ cluster, probe, probeAgain, inventory }) => {
  const direct = memberUrls(cluster.members);
  // In the same turn as what is asked below.
  const asked = expectedWay(cluster, probe);
  const hasWay = etcdWay(cluster) !== undefined;
  const isKnown = knownServers(cluster, new Map());
  const hasMember = (host: string): boolean => cluster.members.some((member) => member.host === host);
  const strange = (host: string, given: string): boolean =>
    !serverList(given).every(
      (url) => isKnown(url) || (hasMember(host) && /^https:..(?:localhost|127\.|\[::1\])/.test(url)),
    );
  const byHost = new Map(cluster.controlPlanes.map((controlPlane) => [controlPlane.host, controlPlane]));
  const items = await itemsOfHosts([...byHost.keys()], async (host) => {
    const controlPlane = byHost.get(host);
    if (controlPlane === undefined) return [];
    const there = probe(host);
    const [{ url: servers, moved, kubeadm }, text, processes, files] = await Promise.all([
      asked,
      askText(there, controlPlane.manifest),
      there.ask(apiserverProcesses, APISERVER),
      there.ask(staticPodFiles, posix.dirname(controlPlane.manifest)),
    ]);
    const others = moved.filter((each) => each !== host);
    const judged = servers === undefined && hasWay ? strange : () => false;
    const expected = { servers, direct, inventory, others, kubeadm, strange: judged };
    return [
      manifestItem(controlPlane, text, expected),
      ...rivalItems(controlPlane, files),
      processItem(host, processes, expected),
      await readyItem(host, [there, probeAgain(host)], processes),
    ];
  });
  const { leftOver } = await asked;
  return [...items, ...leftOver.map((host) => leftOverItem(host, inventory))];
};

/** A leftover of the time before they moved: an API server that joins would stay where it is. */
function leftOverItem(host: string, inventory: string): CheckItem {
  return {
    ...{ check: 'apiserver-manifest', host, subject: 'kube_apiserver_repoint', verdict: 'warn' },
    evidence: 'is false, and API servers have moved to the load balancer of etcd',
    next: `take kube_apiserver_repoint out of ${inventory}`,
  };
}

/** `servers`: what `--etcd-servers` should be; any will do without a load balancer, or until a person moves them. */
interface Expected {
  readonly servers: string | undefined;
  /** Whether an API server that stays where it is uses something else than this cluster. */
  readonly strange: (host: string, given: string) => boolean;
  /** The members' own URLs: what it is while the load balancer is bypassed, and before it has moved. */
  readonly direct: readonly string[];
  /** Control planes whose API servers use the load balancer. */
  readonly others: readonly string[];
  readonly kubeadm: ExpectedWay['kubeadm'];
  readonly inventory: string;
}

function manifestItem({ host, manifest: path }: ControlPlane, text: string | undefined, expected: Expected): CheckItem {
  const item = { check: 'apiserver-manifest', host, subject: path };
  if (text === undefined)
    return { ...item, verdict: 'fail', evidence: 'is not there', next: `ssh ${host} sudo ls -l ${path}` };
  try {
    const given = argumentOf(readStaticPodManifest(path, text, CONTAINER), 'etcd-servers');
    if (given !== undefined && expected.strange(host, given))
      return {
        ...item,
        verdict: 'warn',
        evidence: `--etcd-servers=${given}: no address of this cluster`,
        next: repoint(expected),
      };
    if (given !== undefined && given === (expected.servers ?? given))
      return { ...item, verdict: 'ok', evidence: `--etcd-servers=${given}` };
    return { ...item, ...notTheVip(given, expected) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return { ...item, verdict: 'fail', evidence: error.message, next: error.hint };
  }
}

/** Files beside the manifest that claim the same pod: the kubelet may run either. */
function rivalItems({ host, manifest }: ControlPlane, files: readonly StaticPodFile[]): readonly CheckItem[] {
  const directory = posix.dirname(manifest);
  return rivalFiles(files, posix.basename(manifest), CONTAINER).map((name): CheckItem => {
    const subject = posix.join(directory, name);
    const evidence = `claims the pod of ${manifest} too: the kubelet may run either`;
    return {
      check: 'apiserver-manifest',
      host,
      subject,
      verdict: 'fail',
      evidence,
      next: `ssh ${host} sudo mv ${quote(subject)} /root/`,
    };
  });
}

function processItem(host: string, processes: readonly ApiserverProcess[], expected: Expected): CheckItem {
  const item = { check: 'apiserver-process', host };
  const look = `ssh ${host} sudo crictl ps -a --name kube-apiserver`;
  const [first] = processes;
  if (first === undefined) return { ...item, verdict: 'fail', evidence: 'no kube-apiserver runs', next: look };
  const given = processes.map(({ argv }) => flagValue(argv, 'etcd-servers'));
  const stray = given.find((value) => value === undefined || value !== (expected.servers ?? value));
  if (given.includes(undefined) || stray !== undefined) return { ...item, ...notTheVip(stray, expected) };
  if (processes.length > 1)
    return { ...item, verdict: 'fail', evidence: `${processes.length} processes run, not one`, next: look };
  if (!isConnected(first)) return { ...item, verdict: 'fail', evidence: 'has no connection to its etcd', next: look };
  return { ...item, verdict: 'ok', evidence: `pid ${first.pid} is connected to ${given[0] ?? ''}` };
}

/**
 * Asked twice before it is called not ready: after the virtual IP has moved, connections to etcd that an API server has kept
 * fail at their first use, which may be this question.
 */
async function readyItem(
  host: string,
  [first, again]: readonly [Probe, Probe],
  processes: readonly ApiserverProcess[],
): Promise<CheckItem> {
  const item = { check: 'apiserver-ready', host };
  const next = `ssh ${host} sudo crictl ps -a --name kube-apiserver`;
  const [process] = processes;
  if (process === undefined) return { ...item, verdict: 'fail', evidence: 'no kube-apiserver runs', next };
  const problem = await readinessProblem(first, process.argv);
  if (problem === undefined) return { ...item, verdict: 'ok', evidence: '/readyz is ok' };
  const stays = await readinessProblem(again, process.argv);
  if (stays === undefined)
    return { ...item, verdict: 'ok', evidence: `/readyz is ok, asked a second time; the first time: ${problem}` };
  return { ...item, verdict: 'fail', evidence: stays, next };
}

function repoint({ inventory }: Pick<Expected, 'inventory'>): string {
  return `provision plan ${quote(inventory)} --playbook repoint`;
}

function notTheVip(given: string | undefined, expected: Expected): Pick<CheckItem, 'verdict' | 'evidence' | 'next'> {
  const { servers = 'what the inventory says', direct, inventory } = expected;
  const next = repoint(expected);
  if (given === undefined) return { verdict: 'fail', evidence: 'gives no --etcd-servers', next };
  const evidence = `--etcd-servers=${given}, not ${servers}`;
  const named = serverList(given);
  const missing = direct.filter((url) => !named.includes(url));
  // One member alone is no bypass, and most of them are one from before others joined.
  if (!named.every((url) => direct.includes(url)) || named.length < quorum(direct.length))
    return { verdict: 'fail', evidence, next };
  // It works, for etcd's client goes to whichever member is there; but it is not what was meant to stay.
  const { words, isBypass } = whyMembers(expected);
  const without = missing.length === 0 ? '' : `, ${isBypass ? 'and ' : ''}without ${missing.join(', ')}`;
  const file = quote(inventory);
  const way = missing.length === 0 ? `provision bypass ${file} off` : `provision bypass ${file} on`;
  return { verdict: 'warn', evidence: `${words}${without}: ${evidence}`, next: isBypass ? way : next };
}

/** Its own manifest does not tell a bypass from what was there before: the others do, and what kubeadm names. */
function whyMembers({ others, kubeadm }: Expected): { readonly words: string; readonly isBypass: boolean } {
  if (others.length > 0)
    return { words: `uses the members, and ${others.join(', ')} the load balancer`, isBypass: false };
  if (kubeadm === 'another') return { words: 'not moved yet', isBypass: false };
  return { words: kubeadm === 'unknown' ? 'bypassed, or not moved yet' : 'bypassed', isBypass: true };
}
