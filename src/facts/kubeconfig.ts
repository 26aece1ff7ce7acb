import { X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Document, type Scalar, type YAMLMap } from 'yaml';
import { parseBoundedYaml, YamlLimitError } from '../model/bounded-yaml.js';
import { ProvisionError } from '../model/errors.js';

/** Kubeconfigs of an administrator, as kubeadm makes them on control planes; super-admin.conf since v1.29. */
export const ADMINISTRATORS = ['/etc/kubernetes/admin.conf', '/etc/kubernetes/super-admin.conf'] as const;

/** A kubeconfig, and where its server stands in it. No value of it is in any error: it may hold keys. */
export interface Kubeconfig {
  /** What people call it: a path, or the key of a ConfigMap. */
  readonly name: string;
  readonly text: string;
  readonly document: Document.Parsed;
  /** Where a node of it stands: `kubelet.conf:5`. */
  readonly placeOf: (node: unknown) => string;
  /** The cluster that its current context names; the only one where there is just one. */
  readonly cluster: YAMLMap;
  /** Where the API server is reached: an https URL. */
  readonly server: URL;
  readonly serverNode: Scalar<string>;
}

/** What a kubeconfig shows and verifies by: a file of the host, or base64 within the kubeconfig itself. */
export type KubeconfigPart =
  | { readonly kind: 'file'; readonly path: string }
  /** `start`: of its first byte, from 1. */
  | { readonly kind: 'inline'; readonly start: number; readonly bytes: number; readonly pem: () => string };

/** How a kubeconfig's user is known, and how the server is verified. */
export interface KubeconfigCredentials {
  readonly ca: KubeconfigPart;
  readonly certificate: KubeconfigPart;
  readonly key: KubeconfigPart;
  /** The name that the server is verified by in place of its URL's (`tls-server-name`). */
  readonly serverName: string | undefined;
}

/**
 * Reads a kubeconfig as far as its server (k8s.io/client-go, tools/clientcmd/api/v1).
 * @throws ProvisionError `kubeconfig-unreadable`, with the place
 */
export function readKubeconfig(name: string, text: string): Kubeconfig {
  const lines = new LineCounter();
  const document = parse(name, text, lines);
  const placeOf = (node: unknown): string => {
    const offset = isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
    return offset === undefined ? name : `${name}:${lines.linePos(offset).line}`;
  };
  const cluster = currentCluster(name, document, placeOf);
  const serverNode: unknown = cluster.get('server', true);
  if (!isScalar(serverNode) || typeof serverNode.value !== 'string')
    throw unreadable(placeOf(cluster), 'its cluster gives no server in its place');
  const server = serverUrl(serverNode.value);
  if (server === undefined) throw unreadable(placeOf(serverNode), 'its server is no https URL without a user');
  const found = { name, text, document, placeOf, cluster, server };
  return { ...found, serverNode: serverNode as Scalar<string> };
}

function parse(name: string, text: string, lineCounter: LineCounter): Document.Parsed {
  try {
    const document = parseBoundedYaml(text, { lineCounter });
    const [error] = document.errors;
    if (error === undefined) return document;
    throw unreadable(name, error.message);
  } catch (error) {
    if (!(error instanceof YamlLimitError)) throw error;
    throw unreadable(`${name}:${error.place.line}`, `it ${error.message}`);
  }
}

type PlaceOf = Kubeconfig['placeOf'];

function currentCluster(name: string, document: Document.Parsed, placeOf: PlaceOf): YAMLMap {
  const clusters = named(document, 'clusters', 'cluster');
  const [only] = clusters;
  if (only !== undefined && clusters.length === 1) return only.value;
  const context = currentContext(document);
  const wanted: unknown = context?.get('cluster');
  const found = clusters.filter((each) => each.name === wanted);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first.value;
  const contents = document.contents;
  const what =
    clusters.length === 0
      ? 'it has no clusters'
      : 'it has several clusters, and its current context names none of them';
  throw unreadable(clusters.length === 0 ? name : placeOf(contents), what);
}

function currentContext(document: Document.Parsed): YAMLMap | undefined {
  const wanted: unknown = document.get('current-context');
  return named(document, 'contexts', 'context').find(({ name }) => name === wanted)?.value;
}

/** The entries of a list that are maps with a name: `clusters: [{name: x, cluster: {…}}]`. */
function named(
  document: Document.Parsed,
  list: string,
  key: string,
): readonly { readonly name: unknown; readonly value: YAMLMap }[] {
  const found: unknown = isMap(document.contents) ? document.get(list) : undefined;
  if (!isSeq(found)) return [];
  return found.items.flatMap((item) => {
    const value: unknown = isMap(item) ? item.get(key, true) : undefined;
    return isMap(item) && isMap(value) ? [{ name: item.get('name'), value }] : [];
  });
}

function serverUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '' ? url : undefined;
}

/** All by which a user can be known beside a certificate (clientcmd/api/v1, AuthInfo). */
const CERTIFICATE_KEYS = new Set(['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data']);

/**
 * The client certificate of a kubeconfig's current user, and its authority.
 * @throws ProvisionError `kubeconfig-unreadable` where its user is known by something else, or nothing is verified
 */
export function credentialsOf(kubeconfig: Kubeconfig): KubeconfigCredentials {
  const { document, cluster, name, placeOf } = kubeconfig;
  for (const key of ['proxy-url', 'insecure-skip-tls-verify'])
    if (cluster.get(key) !== undefined && cluster.get(key) !== false)
      throw unreadable(
        placeOf(cluster.get(key, true)),
        `its cluster sets ${key}: the way can't be proved as it would be used`,
      );
  const wanted: unknown = currentContext(document)?.get('user');
  const user = named(document, 'users', 'user').find((each) => each.name === wanted)?.value;
  if (user === undefined) throw unreadable(name, 'its current context names no user');
  const other = user.items.find(({ key }) => !CERTIFICATE_KEYS.has(String(key)));
  if (other !== undefined)
    throw unreadable(
      placeOf(other.key),
      `its user is known by ${String(other.key)}; a client certificate was expected`,
    );
  const serverName: unknown = cluster.get('tls-server-name');
  return {
    ca: partOf(kubeconfig, cluster, 'certificate-authority'),
    certificate: partOf(kubeconfig, user, 'client-certificate'),
    key: partOf(kubeconfig, user, 'client-key'),
    serverName: typeof serverName === 'string' ? serverName : undefined,
  };
}

/** What is within it counts before a file. A path begins in the kubeconfig's own directory. */
function partOf({ name, text, placeOf }: Kubeconfig, map: YAMLMap, key: string): KubeconfigPart {
  const data: unknown = map.get(`${key}-data`, true);
  if (isScalar(data) && typeof data.value === 'string' && data.value !== '') {
    const [start = 0, end = 0] = data.range ?? [];
    const source = text.slice(start, end);
    const quotes = /^(["'])[^]*\1$/.test(source) ? 1 : 0;
    if (source.slice(quotes, source.length - quotes) !== data.value)
      throw unreadable(placeOf(data), `${key}-data is not written in one line`);
    const encoded = data.value;
    return {
      kind: 'inline',
      start: Buffer.byteLength(text.slice(0, start)) + quotes + 1,
      bytes: Buffer.byteLength(encoded),
      pem: () => Buffer.from(encoded, 'base64').toString('utf8'),
    };
  }
  const path: unknown = map.get(key);
  if (typeof path !== 'string' || path === '') throw unreadable(placeOf(map), `it gives no ${key}`);
  return { kind: 'file', path: posix.resolve(posix.dirname(name), path) };
}

/**
 * The node of a kubelet's certificate: it is known as `system:node:NAME` (Kubernetes, "Using Node Authorization").
 * @returns `undefined` for a certificate of anyone else, and for none
 */
export function nodeOf(pem: string): string | undefined {
  try {
    return /^CN=system:node:(.+)$/m.exec(new X509Certificate(pem).subject)?.[1];
  } catch {
    return undefined;
  }
}

/** A kubeconfig that is not as Kubernetes' tools write it. @param place `kubelet.conf:5` */
export function unreadable(place: string, why: string): ProvisionError {
  return new ProvisionError({
    code: 'kubeconfig-unreadable',
    message: `${place}: ${why}; it is left as it is`,
    hint: 'change its server by hand (docs/runbooks/apiserver-virtual-ip.md), or leave the host out: --limit',
  });
}
