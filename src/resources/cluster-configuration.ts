import { isMap, isScalar, isSeq, type Document, type YAMLSeq } from 'yaml';
import { parseBoundedYaml, plainData } from '../model/bounded-yaml.js';
import type { ClientFiles } from '../model/certificate.js';
import { hostPort } from '../model/endpoint.js';
import { ProvisionError } from '../model/errors.js';
import type { Endpoint } from '../model/virtual-service.js';
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

/**
 * The same text with an external etcd in place of the stacked one that it names: all of `etcd` changes, and nothing else.
 * @throws ProvisionError `kubeadm-config-unreadable` when that does not stand in its place
 */
export function withExternalEtcd(
  text: string,
  { url, files }: { readonly url: string; readonly files: ClientFiles },
): string {
  const { contents } = parsed(text);
  const pair =
    isMap(contents) && contents.flow !== true
      ? contents.items.find(({ key }) => isScalar(key) && key.value === 'etcd')
      : undefined;
  const [key, value] = [pair?.key, pair?.value];
  if (!isScalar(key) || !isMap(value)) throw notEditable('etcd is not written in its place', ['etcd']);
  const [start, end] = [key.range[0], value.range[1]];
  const tail = /\s*$/.exec(text.slice(start, end))?.[0] ?? '';
  const external = { caFile: files.ca, certFile: files.certificate, endpoints: [url], keyFile: files.key };
  const lines = [
    'etcd:',
    '  external:',
    `    caFile: '${files.ca}'`,
    `    certFile: '${files.certificate}'`,
    '    endpoints:',
    `    - '${url}'`,
    `    keyFile: '${files.key}'`,
  ];
  const after = `${text.slice(0, start)}${lines.join('\n')}${tail}${text.slice(end)}`;
  const change = (data: unknown): unknown => ({ ...(data as object), etcd: { external } });
  const problem = editProblem({ before: text, after, read, change });
  if (problem !== undefined) throw notEditable(`changed as text, it could not be proved right (${problem})`, ['etcd']);
  return after;
}

/** Where it names what kubeadm puts into certificates of API servers, beside what it always puts there. */
const CERT_SANS = ['apiServer', 'certSANs'] as const;

/**
 * The same text with further names for the certificates of API servers, at the end of their list.
 * @returns `undefined` where all of them are there, or this is no ClusterConfiguration
 * @throws ProvisionError `kubeadm-config-unreadable` when the list does not stand in its place, or others share it
 */
export function withCertSans(text: string, names: readonly string[]): string | undefined {
  const before = certSans(text);
  const missing = names.filter((name) => before?.includes(name) !== true);
  if (before === undefined || missing.length === 0) return undefined;
  const after = withNames(text, missing);
  const change = (data: unknown): unknown => {
    const { apiServer, ...rest } = data as { readonly apiServer?: object };
    return { ...rest, apiServer: { ...apiServer, certSANs: [...before, ...missing] } };
  };
  const problem = editProblem({ before: text, after, read, change });
  if (problem !== undefined) throw notEditable(`changed as text, it could not be proved right (${problem})`, CERT_SANS);
  return after;
}

function certSans(text: string): readonly string[] | undefined {
  try {
    const data = read(text) as { readonly kind?: unknown; readonly apiServer?: { readonly certSANs?: unknown } } | null;
    if (data?.kind !== 'ClusterConfiguration') return undefined;
    const list = data.apiServer?.certSANs ?? [];
    return Array.isArray(list) ? list.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same text with the virtual IP as the one address of the API servers.
 * @returns `undefined` where it is there, by address or by name, or this is no ClusterConfiguration
 * @throws ProvisionError `kubeadm-config-unreadable` when it does not stand in its place, or others share it
 */
export function withControlPlaneEndpoint(text: string, { ip, name, port }: Endpoint): string | undefined {
  if (certSans(text) === undefined) return undefined;
  const node: unknown = parsed(text).get(ENDPOINT, true);
  const value = isScalar(node) ? node.value : undefined;
  const wanted = hostPort(ip, port);
  if (value === wanted || (name !== undefined && value === hostPort(name, port))) return undefined;
  const after = node === undefined ? `${text.trimEnd()}\n${ENDPOINT}: '${wanted}'\n` : replaced(text, node, wanted);
  const change = (data: unknown): unknown => ({ ...(data as object), [ENDPOINT]: wanted });
  const problem = editProblem({ before: text, after, read, change });
  if (problem !== undefined)
    throw notEditable(`changed as text, it could not be proved right (${problem})`, [ENDPOINT]);
  return after;
}

/** Where it names the one address of the API servers. */
const ENDPOINT = 'controlPlaneEndpoint';

/** In quotes, for an address with a port may be read as something else: `[::1]:6443` as a list. */
function replaced(text: string, node: unknown, value: string): string {
  if (!isScalar(node) || !node.range || text.slice(node.range[0], node.range[1]).includes('\n'))
    throw notEditable(`${ENDPOINT} is not written in one line`, [ENDPOINT]);
  const [start, end] = node.range;
  // One that is empty stands right behind its colon.
  const blank = /\s/.test(text.at(start - 1) ?? '') ? '' : ' ';
  return `${text.slice(0, start)}${blank}'${value}'${text.slice(end)}`;
}

/** Written where kubeadm has the list, or where it would have it. */
function withNames(text: string, names: readonly string[]): string {
  const document = parsed(text);
  const [list, server] = [document.getIn(CERT_SANS), document.get('apiServer')];
  const items = (indent: string): string => names.map((name) => `${indent}- '${name}'`).join('\n');
  if (isSeq(list) && list.range && list.flow !== true) {
    const end = list.range[0] + text.slice(list.range[0], list.range[1]).trimEnd().length;
    return `${text.slice(0, end)}\n${items(indentAt(text, list.range[0]))}${text.slice(end)}`;
  }
  if (isMap(server) && server.range && server.flow !== true && list === undefined) {
    const [start] = server.range;
    const indent = indentAt(text, start);
    return `${text.slice(0, start)}certSANs:\n${items(indent)}\n${indent}${text.slice(start)}`;
  }
  if (server !== undefined) throw notEditable('apiServer is not written as kubeadm writes it', CERT_SANS);
  return `${text.trimEnd()}\napiServer:\n  certSANs:\n${items('  ')}\n`;
}

/** What stands before an offset on its line. */
function indentAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
}

/** As kubeadm reads it: one document. @throws ProvisionError `kubeadm-config-unreadable`, Error */
function read(text: string): unknown {
  return plainData(parsed(text));
}

function parsed(text: string): Document.Parsed {
  const document = parseBoundedYaml(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw notEditable(error.message);
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

function notEditable(why: string, what: readonly string[] = ENDPOINTS): ProvisionError {
  return new ProvisionError({
    code: 'kubeadm-config-unreadable',
    message: `kube-system/kubeadm-config: ${why}; a ClusterConfiguration as kubeadm writes it was expected`,
    hint: `set ${what.join('.')} by hand: kubectl -n kube-system edit configmap kubeadm-config`,
  });
}
