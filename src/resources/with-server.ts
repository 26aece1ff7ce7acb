import { readKubeconfig, unreadable, type Kubeconfig } from '../facts/kubeconfig.js';
import { httpsUrl } from '../model/endpoint.js';
import { canonicalIp } from '../model/ip.js';
import type { Endpoint } from '../model/virtual-service.js';
import { editProblem } from './prove-edit.js';

/** The server that a kubeconfig should name: the address, so that no client needs a DNS server to find it. */
export function wantedServer({ ip, port }: Pick<Endpoint, 'ip' | 'port'>): string {
  return httpsUrl(ip, port);
}

/** Whether a kubeconfig uses a virtual IP, by its address or by its DNS name. */
export function usesEndpoint({ server }: Pick<Kubeconfig, 'server'>, { ip, name, port }: Endpoint): boolean {
  const host = hostOf(server);
  return (host === ip || host === name?.toLowerCase()) && portOf(server) === port;
}

/** The host of a URL in its one spelling, IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return canonicalIp(hostname.replace(/^\[|\]$/g, '').toLowerCase());
}

/** The port of an https URL. */
function portOf({ port }: URL): number {
  return port === '' ? 443 : Number(port);
}

/**
 * The text of a kubeconfig with another server: only the characters of its URL change. It is read again before it is given.
 * @throws ProvisionError `kubeconfig-unreadable`
 */
export function withServer({ name, text, placeOf, serverNode }: Kubeconfig, url: string): string {
  const [start = 0, end = 0] = serverNode.range ?? [];
  const source = text.slice(start, end);
  const quotes = /^(["'])[^]*\1$/.exec(source)?.[1] ?? '';
  if (serverNode.anchor !== undefined)
    throw unreadable(placeOf(serverNode), 'its server is used elsewhere by a YAML anchor');
  if (source !== `${quotes}${serverNode.value}${quotes}`)
    throw unreadable(placeOf(serverNode), 'its server is not written in one plain line');
  // In a flow map, the brackets of an IPv6 address would end the value.
  const quote = quotes === '' && /[[\]]/.test(url) ? '"' : quotes;
  const after = `${text.slice(0, start)}${quote}${url}${quote}${text.slice(end)}`;
  const read = (each: string): unknown => {
    const { document } = readKubeconfig(name, each);
    return document.toJS();
  };
  const wanted = (): unknown => {
    const changed = readKubeconfig(name, text);
    changed.serverNode.value = url;
    return changed.document.toJS();
  };
  const problem = editProblem({ before: text, after, read, change: wanted });
  if (problem !== undefined)
    throw unreadable(placeOf(serverNode), `changed as text, it could not be proved right (${problem})`);
  return after;
}
