import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { askText } from '../facts/file-content.js';
import type { HttpsAnswer } from '../facts/https-answer.js';
import { kubeconfigAnswer, kubeconfigAnswerKey } from '../facts/kubeconfig-answer.js';
import {
  credentialsOf,
  nodeOf,
  readKubeconfig,
  type KubeconfigCredentials,
  type KubeconfigPart,
} from '../facts/kubeconfig.js';
import { httpsUrl } from '../model/endpoint.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { VirtualService } from '../model/virtual-service.js';

/** A kubeconfig of a host, ready to ask with. */
export interface KubeconfigUser {
  readonly path: string;
  /** What it names as server, without a slash at its end. */
  readonly server: string;
  readonly credentials: KubeconfigCredentials;
  /** The node that it is the kubelet of; absent: it is a person's. */
  readonly node: string | undefined;
}

/**
 * The user of a kubeconfig. @returns `undefined` where there is no such file
 * @throws ProvisionError `kubeconfig-unreadable`
 */
export async function kubeconfigUser(probe: Probe, path: string): Promise<KubeconfigUser | undefined> {
  const text = await askText(probe, path);
  if (text === undefined) return undefined;
  const kubeconfig = readKubeconfig(path, text);
  const credentials = credentialsOf(kubeconfig);
  const node = nodeOf(await pemOf(credentials.certificate, probe));
  return { path, server: kubeconfig.server.href.replace(/\/$/, ''), credentials, node };
}

async function pemOf(part: KubeconfigPart, probe: Probe): Promise<string> {
  if (part.kind === 'inline') return part.pem();
  return (await probe.ask(certificateFiles, certificateFilesKey(part.path))).pem;
}

/** What a user asks of an API server. @param path `/api/v1/…` */
export async function askAs(probe: Probe, user: KubeconfigUser, url: string, path: string): Promise<HttpsAnswer> {
  const { path: file, credentials } = user;
  return probe.ask(kubeconfigAnswer, kubeconfigAnswerKey({ file, url: `${url}${path}`, credentials }));
}

/** An object that its user may read, and that no other cluster has: by its uid. */
export function ownObject({ node }: KubeconfigUser): string {
  return node === undefined ? '/api/v1/namespaces/kube-system' : `/api/v1/nodes/${encodeURIComponent(node)}`;
}

/**
 * Why a kubeconfig can't be moved to the virtual IP yet; `undefined` when it can. The virtual IP is asked from the host with the
 * credentials of the very file, verified by its authority; and what answers must be the cluster that the file's present
 * server is, or the API servers of the inventory, asked directly, where that is gone: each cluster has other uids.
 */
export async function wayProblem(probe: Probe, path: string, service: VirtualService): Promise<string | undefined> {
  try {
    const user = await kubeconfigUser(probe, path);
    if (user === undefined) return `${probe.host} has no ${path}`;
    return await problemOf(probe, user, service);
  } catch (error) {
    if (error instanceof ProvisionError && error.code === 'kubeconfig-unreadable') return error.message;
    throw error;
  }
}

async function problemOf(probe: Probe, user: KubeconfigUser, service: VirtualService): Promise<string | undefined> {
  const { ip, port } = service.endpoint;
  const vip = httpsUrl(ip, port);
  const ask = async (url: string): Promise<Identity> => identityOf(await askAs(probe, user, url, ownObject(user)));
  const isMoved = user.server === vip;
  const [through, ...present] = await Promise.all([ask(vip), ...(isMoved ? [] : [ask(user.server)])]);
  const as = `asked with ${user.path}`;
  if (through.uid === undefined) return `from ${probe.host}, ${vip} ${through.problem}, ${as}`;
  const known = present.some(({ uid }) => uid !== undefined)
    ? present
    : await Promise.all(service.backends.map(async ({ address, port: own }) => ask(httpsUrl(address, own))));
  const uids = known.flatMap(({ uid }) => uid ?? []);
  const where = known === present ? user.server : 'its API servers, asked directly,';
  if (uids.length === 0)
    return `from ${probe.host}, neither ${user.server} nor any API server of the inventory answers directly: nothing shows whose ${vip} is`;
  if (uids.every((uid) => uid === through.uid)) return undefined;
  return `from ${probe.host}, another cluster answers at ${vip} than ${where} ${known === present ? 'is' : 'are'}, ${as}`;
}

/** Which cluster an answer is of, by the uid of one of its objects; or why that is not known. */
type Identity =
  { readonly uid: string; readonly problem?: undefined } | { readonly uid?: undefined; readonly problem: string };

function identityOf(answer: HttpsAnswer): Identity {
  if (answer.kind === 'failure') return { problem: `fails: ${answer.reason}` };
  if (answer.status === 401) return { problem: 'answers 401: it does not know this client: is it another cluster?' };
  if (answer.status !== 200) return { problem: `answers ${answer.status}` };
  const uid = (readObject(answer.body) as { readonly metadata?: { readonly uid?: unknown } } | undefined)?.metadata
    ?.uid;
  return typeof uid === 'string' && uid !== '' ? { uid } : { problem: 'answers with no object of Kubernetes' };
}

/** An object of Kubernetes; `undefined` for what is none. */
export function readObject(body: string): unknown {
  try {
    const data = JSON.parse(body) as unknown;
    return typeof data === 'object' && data !== null ? data : undefined;
  } catch {
    return undefined;
  }
}
