import { parse } from 'yaml';
import { APISERVER, apiserverProcesses } from '../facts/apiserver-processes.js';
import { httpsAnswer, httpsKey, type HttpsAnswer } from '../facts/https-answer.js';
import { ownQuestion } from '../gates/apiserver-ready.js';
import { httpsUrl } from '../model/endpoint.js';
import { askHosts } from './ask-hosts.js';
import type { Check, CheckItem } from './check.js';

/** Where kubeadm keeps what it will write into manifests at the next upgrade or join. */
const PATH = '/api/v1/namespaces/kube-system/configmaps/kubeadm-config';

const CHECK = 'kubeadm-config';

/**
 * kubeadm's own idea of etcd's endpoints: its next upgrade would write them into the manifest. Read with the client
 * certificate that the apiserver shows to kubelets; where that may not read it, it is said.
 */
export const checkKubeadmConfig: Check = async ({ cluster, probe }) => {
  const { endpoint, controlPlanes } = cluster;
  if (endpoint === undefined || controlPlanes.length === 0) return [];
  const { heard } = await askHosts(
    controlPlanes.map(({ host }) => host),
    async (host) => {
      const [process] = await probe(host).ask(apiserverProcesses, APISERVER);
      return process && (await probe(host).ask(httpsAnswer, httpsKey(ownQuestion(process.argv, PATH))));
    },
  );
  const answered = [...heard].flatMap(([host, answer]) => (answer?.kind === 'answer' ? [{ host, answer }] : []));
  // All apiservers serve the same object: one answer is enough, and a useful one is preferred.
  const found = answered.find(({ answer }) => answer.status === 200) ?? answered[0];
  if (found === undefined) return [notRead('no kube-apiserver answers', undefined)];
  return [judge(found.answer, httpsUrl(endpoint.ip, endpoint.port), found.host)];
};

function judge(answer: Extract<HttpsAnswer, { kind: 'answer' }>, servers: string, host: string): CheckItem {
  if (answer.status === 404) return { check: CHECK, verdict: 'ok', evidence: 'there is none: nothing to keep in step' };
  if (answer.status !== 200) return notRead(`the kube-apiserver answers ${answer.status}`, host);
  const endpoints = readEndpoints(answer.body);
  if (endpoints === undefined) return notRead('it names no external etcd endpoints', host);
  if (endpoints.join() === servers)
    return { check: CHECK, verdict: 'ok', evidence: `etcd.external.endpoints: ${servers}` };
  return {
    check: CHECK,
    verdict: 'warn',
    evidence: `etcd.external.endpoints: ${endpoints.join(', ')}, not ${servers}: the next kubeadm upgrade would write them`,
    next: 'kubectl -n kube-system edit configmap kubeadm-config',
  };
}

function notRead(why: string, host: string | undefined): CheckItem {
  const evidence = `could not be judged: ${why}`;
  const next = 'kubectl -n kube-system get configmap kubeadm-config -o yaml';
  return { check: CHECK, verdict: 'warn', evidence, next: host === undefined ? next : `ssh ${host} sudo ${next}` };
}

/** `data.ClusterConfiguration` is YAML in JSON. */
function readEndpoints(body: string): readonly string[] | undefined {
  const text = at(readJson(body), 'data', 'ClusterConfiguration');
  if (typeof text !== 'string') return undefined;
  const endpoints = at(readYaml(text), 'etcd', 'external', 'endpoints');
  return Array.isArray(endpoints) ? endpoints.map(String) : undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );
}
