import { isScalar, isSeq, type Document, type YAMLSeq } from 'yaml';
import { parseBoundedYaml } from '../model/bounded-yaml.js';
import { ProvisionError } from '../model/errors.js';
import { editProblem, withValueAt } from './prove-edit.js';

/** Where kubeadm's ClusterConfiguration names an external etcd. */
const ENDPOINTS = ['etcd', 'external', 'endpoints'] as const;

/**
 * The endpoints of the external etcd in kubeadm's ClusterConfiguration.
 * @param text its YAML
 * @returns `undefined` when it names none: a stacked etcd, or no such document
 */
export function externalEndpoints(text: string): readonly string[] | undefined {
  try {
    const list = ENDPOINTS.reduce<unknown>((held, key) => (held as Record<string, unknown> | null)?.[key], read(text));
    return Array.isArray(list) ? list.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same text with this one endpoint: only the characters of the list change. It is read again before it is given.
 * @throws ProvisionError `kubeadm-config-unreadable` when the list does not stand in its place, or others share it
 */
export function withExternalEndpoint(text: string, url: string): string {
  const list = endpointList(text);
  if (!list?.range) throw notEditable('etcd.external.endpoints is not written as a list in its place');
  const [start, end] = list.range;
  const tail = /\s*$/.exec(text.slice(start, end))?.[0] ?? '';
  const after = `${text.slice(0, start)}${list.flow === true ? `['${url}']` : `- ${url}`}${tail}${text.slice(end)}`;
  const change = (data: unknown): unknown => withValueAt(data, ENDPOINTS, [url]);
  const problem = editProblem({ before: text, after, read, change });
  if (problem !== undefined) throw notEditable(`changed as text, it could not be proved right (${problem})`);
  return after;
}

/** As kubeadm reads it: one document. @throws Error */
function read(text: string): unknown {
  return parsed(text).toJS();
}

function parsed(text: string): Document.Parsed {
  const document = parseBoundedYaml(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document;
}

function endpointList(text: string): YAMLSeq | undefined {
  try {
    const list: unknown = parsed(text).getIn(ENDPOINTS);
    return isSeq(list) && list.items.every((item) => isScalar(item)) ? list : undefined;
  } catch {
    return undefined;
  }
}

function notEditable(why: string): ProvisionError {
  return new ProvisionError({
    code: 'kubeadm-config-unreadable',
    message: `kube-system/kubeadm-config: ${why}; a ClusterConfiguration as kubeadm writes it was expected`,
    hint: 'set the endpoints by hand: kubectl -n kube-system edit configmap kubeadm-config',
  });
}
