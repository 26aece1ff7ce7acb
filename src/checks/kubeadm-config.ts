import { KUBEADM_CONFIG, kubeadmConfig, type KubeadmConfig } from '../facts/kubeadm-config.js';
import { memberUrls } from '../model/endpoint.js';
import { etcdWay } from '../model/etcd-way.js';
import { externalEndpoints } from '../resources/cluster-configuration.js';
import { quote } from '../shell/quote.js';
import { askHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';
import { expectedWay } from './expected-way.js';

const CHECK = 'kubeadm-config';

/**
 * kubeadm's own idea of etcd's endpoints: its next upgrade would write them into the manifest. Where nobody on the hosts
 * may read it, it is said.
 */
export const checkKubeadmConfig: Check = async ({ cluster, probe, inventory }) => {
  const { controlPlanes } = cluster;
  if (etcdWay(cluster) === undefined || controlPlanes.length === 0) return [];
  const [{ url, used }, { heard }] = await Promise.all([
    expectedWay(cluster, probe),
    askHosts(
      controlPlanes.map(({ host }) => host),
      async (host) => probe(host).ask(kubeadmConfig, KUBEADM_CONFIG),
    ),
  ]);
  const answers = [...heard].map(([host, found]) => ({ host, found }));
  // All apiservers serve the same object: one answer is enough, and a useful one is preferred.
  const best =
    answers.find(({ found }) => found.kind === 'found') ??
    answers.find(({ found }) => found.kind !== 'silent') ??
    answers[0];
  if (url === undefined) {
    const known = [...used, ...memberUrls(cluster.members)];
    return best === undefined || used.length === 0 ? [] : whileTheyStay(best.found, { known, inventory });
  }
  if (best === undefined) return [notRead('no control plane can be asked', undefined)];
  return [judge(best.found, { url, host: best.host, inventory })];
};

interface Expected {
  readonly url: string;
  readonly host: string;
  readonly inventory: string;
}

function judge(found: KubeadmConfig, { url, host, inventory }: Expected): CheckItem {
  if (found.kind === 'absent') return { check: CHECK, verdict: 'ok', evidence: 'does not exist: nothing to update' };
  if (found.kind === 'silent') return notRead(found.reason, undefined);
  if (found.kind === 'refused') return notRead(`the kube-apiserver answers ${found.status}`, host);
  const endpoints = externalEndpoints(found.configuration);
  if (endpoints === undefined) return notRead('it names no external etcd endpoints', host);
  if (endpoints.join() === url) return { check: CHECK, verdict: 'ok', evidence: `etcd.external.endpoints: ${url}` };
  return {
    check: CHECK,
    verdict: 'warn',
    evidence: `etcd.external.endpoints: ${endpoints.join(', ')}, not ${url}: the next kubeadm upgrade would write them`,
    next: `provision apply ${quote(inventory)} --playbook repoint`,
  };
}

/**
 * While API servers stay where they are, kubeadm may name what they use, or members. What it names beside is of nobody: a virtual IP
 * that they left because the inventory has another one.
 */
function whileTheyStay(
  found: KubeadmConfig,
  { known, inventory }: { readonly known: readonly string[]; readonly inventory: string },
): readonly CheckItem[] {
  const endpoints = found.kind === 'found' ? (externalEndpoints(found.configuration) ?? []) : [];
  const strange = endpoints.filter((url) => !known.includes(url));
  if (strange.length === 0) return [];
  return [
    {
      check: CHECK,
      verdict: 'warn',
      evidence: `etcd.external.endpoints: ${strange.join(', ')}, which no API server uses: the next kubeadm upgrade would write that`,
      next: `provision apply ${quote(inventory)} --playbook repoint`,
    },
  ];
}

function notRead(why: string, host: string | undefined): CheckItem {
  const evidence = `could not be judged: ${why}`;
  const next = 'kubectl -n kube-system get configmap kubeadm-config -o yaml';
  return { check: CHECK, verdict: 'warn', evidence, next: host === undefined ? next : `ssh ${host} sudo ${next}` };
}
