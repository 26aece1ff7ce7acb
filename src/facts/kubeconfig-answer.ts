import type { Fact } from '../model/remote.js';
import { kubeconfigRequestLines, type KubeconfigRequest, type RequestPart } from '../shell/kubeconfig-request.js';
import { readTool, type HttpsAnswer } from './https-answer.js';
import type { KubeconfigCredentials, KubeconfigPart } from './kubeconfig.js';

/** As it travels in a key: the path of a file, or where bytes of the kubeconfig begin, and how many. */
type PartKey = string | readonly [start: number, bytes: number];

type Key = readonly [
  url: string,
  ca: PartKey,
  certificate: PartKey,
  key: PartKey,
  file: string,
  connectTo: string | null,
];

/** What is asked, and with which kubeconfig. */
export interface KubeconfigQuestion {
  /** Path of the kubeconfig. */
  readonly file: string;
  readonly url: string;
  readonly credentials: KubeconfigCredentials;
}

/** The key to ask {@link kubeconfigAnswer} by: places and paths, and nothing that is secret. */
export function kubeconfigAnswerKey({ file, url, credentials }: KubeconfigQuestion): string {
  const { ca, certificate, key, serverName } = credentials;
  const { url: asked, connectTo } = named(url, serverName);
  const parts: Key = [asked, partKey(ca), partKey(certificate), partKey(key), file, connectTo ?? null];
  return JSON.stringify(parts);
}

function requestOf(text: string): KubeconfigRequest {
  const [url, ca, certificate, key, file, connectTo] = JSON.parse(text) as Key;
  const parts = { ca: requestPart(ca), certificate: requestPart(certificate), key: requestPart(key) };
  return { url, file, connectTo: connectTo ?? undefined, ...parts };
}

/** A server that is verified by another name is asked by that, at its own address. */
function named(url: string, serverName: string | undefined): Pick<KubeconfigRequest, 'url' | 'connectTo'> {
  if (serverName === undefined) return { url, connectTo: undefined };
  const { hostname, port, pathname } = new URL(url);
  const authority = serverName.includes(':') ? `[${serverName}]` : serverName;
  const connectTo = hostname.replace(/^\[|\]$/g, '');
  return { url: `https://${authority}:${port === '' ? '443' : port}${pathname}`, connectTo };
}

function partKey(part: KubeconfigPart): PartKey {
  return part.kind === 'file' ? part.path : [part.start, part.bytes];
}

function requestPart(part: PartKey): RequestPart {
  return typeof part === 'string' ? { path: part } : { start: part[0], bytes: part[1] };
}

/** No exchange takes longer, in seconds: a hung server is a failure. */
const LIMIT_S = 10;

/**
 * Key: {@link kubeconfigAnswerKey}. A GET with the credentials of a kubeconfig on the host, as its own user would ask. What
 * comes back is an object of Kubernetes, which may be confidential.
 */
export const kubeconfigAnswer: Fact<HttpsAnswer> = {
  name: 'kubeconfig-answers',
  isConfidential: true,
  script: (keys) =>
    keys
      .flatMap((key) => [
        ...kubeconfigRequestLines(requestOf(key), LIMIT_S),
        'status=$?',
        `printf 'Q %s %s %s\\n' "$tool" "$status" "$(printf %s "$out" | base64 -w0)"`,
      ])
      .join('\n'),
  parse(stdout, keys) {
    const found = [...stdout.matchAll(/^Q ([CON]) (\d+) (\S*)$/gm)];
    return new Map(
      keys.map((key, index) => {
        const [, tool = '', status = '', encoded = ''] = found[index] ?? [];
        if (tool === '') throw new Error('an answer is missing');
        return [key, readTool(tool, Number(status), Buffer.from(encoded, 'base64').toString('utf8'))];
      }),
    );
  },
};
