import { isIP } from 'node:net';
import { quote } from './quote.js';

/** A GET over TLS, with files that are on the host. */
export interface HttpsRequest {
  readonly url: string;
  /** An address to ask in place of the URL's own, which is verified all the same; absent: none. */
  readonly connectTo?: string | undefined;
  /** The authority to verify by, name or address included; absent: not verified, as the kubelet's own probes. */
  readonly ca?: string | undefined;
  /** The client certificate and its key, when one is shown. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** The request through curl, without where its output goes. @param limitS no exchange takes longer, in seconds */
export function curlCommand(request: HttpsRequest, limitS: number): string {
  return [
    `curl -sS --max-time ${limitS} --noproxy '*' --globoff`,
    request.ca === undefined ? '--insecure' : `--cacert ${quote(request.ca)}`,
    ...clientWords(request, '--cert', '--key'),
    // Of any host and port that the URL names, to the same port there.
    ...(request.connectTo === undefined ? [] : [`--connect-to ${quote(`::${hostPort(request.connectTo, '')}`)}`]),
    quote(request.url),
  ].join(' ');
}

/** The request through `openssl s_client`, which prints the whole answer. @param limitS as for {@link curlCommand} */
export function opensslCommand(request: HttpsRequest, limitS: number): string {
  const { host, path } = parseUrl(request.url);
  const text = `GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
  return `printf '${text}' | timeout ${limitS} ${opensslConnection(request)}`;
}

/** `openssl s_client` to the host of a request: it sends what it reads, and prints what comes back. */
export function opensslConnection(request: HttpsRequest): string {
  const { host, port } = parseUrl(request.url);
  const verify = isIP(host) === 0 ? `-verify_hostname ${quote(host)}` : `-verify_ip ${quote(host)}`;
  return [
    // The far end closes the exchange; `-ign_eof` waits for it.
    `openssl s_client -quiet -ign_eof -connect ${quote(hostPort(request.connectTo ?? host, port))}`,
    ...(isIP(host) === 0 ? [`-servername ${quote(host)}`] : []),
    ...(request.ca === undefined ? [] : [`-CAfile ${quote(request.ca)} -verify_return_error ${verify}`]),
    ...clientWords(request, '-cert', '-key'),
  ].join(' ');
}

/** With the brackets of an IPv6 address; to curl, no port means the same one. */
function hostPort(host: string, port: string): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseUrl(url: string): { readonly host: string; readonly port: string; readonly path: string } {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return { host, port: parsed.port === '' ? '443' : parsed.port, path: `${parsed.pathname}${parsed.search}` };
}

function clientWords({ certificate, key }: HttpsRequest, certificateFlag: string, keyFlag: string): readonly string[] {
  if (certificate === undefined || key === undefined) return [];
  return [`${certificateFlag} ${quote(certificate)} ${keyFlag} ${quote(key)}`];
}
