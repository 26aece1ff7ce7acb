import { isScalar, isSeq, parseDocument, type YAMLSeq } from 'yaml';

/** Where kubeadm's ClusterConfiguration names an external etcd. */
const ENDPOINTS = ['etcd', 'external', 'endpoints'];

/**
 * The endpoints of the external etcd in kubeadm's ClusterConfiguration.
 * @param text its YAML
 * @returns `undefined` when it names none: a stacked etcd, or no such document
 */
export function externalEndpoints(text: string): readonly string[] | undefined {
  return endpointList(text)?.items.map((item) => (isScalar(item) ? String(item.value) : String(item)));
}

/**
 * The same text with this one endpoint: only the characters of the list change.
 * @throws Error when {@link externalEndpoints} finds none
 */
export function withExternalEndpoint(text: string, url: string): string {
  const list = endpointList(text);
  if (!list?.range) throw new Error('there are no external endpoints to replace');
  const [start, end] = list.range;
  const tail = /\s*$/.exec(text.slice(start, end))?.[0] ?? '';
  return `${text.slice(0, start)}${list.flow === true ? `['${url}']` : `- ${url}`}${tail}${text.slice(end)}`;
}

function endpointList(text: string): YAMLSeq | undefined {
  const document = parseDocument(text);
  const list: unknown = document.errors.length > 0 ? undefined : document.getIn(ENDPOINTS);
  return isSeq(list) ? list : undefined;
}
