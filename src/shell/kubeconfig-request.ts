import { curlCommand, opensslCommand } from './https-request.js';
import { quote } from './quote.js';

/** Part of a kubeconfig: a file of the host, or bytes of the kubeconfig that are base64. */
export type RequestPart =
  | { readonly path: string }
  /** `start`: of the first byte, from 1. */
  | { readonly start: number; readonly bytes: number };

/** A GET over TLS with what a kubeconfig on the host shows and verifies by. */
export interface KubeconfigRequest {
  readonly url: string;
  /** An address to ask in place of the URL's own, at the URL's port. */
  readonly connectTo: string | undefined;
  /** Path of the kubeconfig. */
  readonly file: string;
  readonly ca: RequestPart;
  readonly certificate: RequestPart;
  readonly key: RequestPart;
}

const PARTS = ['ca', 'certificate', 'key'] as const;

/**
 * Lines that ask, and leave what came back in `$out` and `$tool` (`C` curl, `O` openssl, `N` neither), `$status` of the
 * tool. Keys go through pipes: they are in no file and no argument.
 * @param limitS no exchange takes longer, in seconds
 */
export function kubeconfigRequestLines(request: KubeconfigRequest, limitS: number): readonly string[] {
  // Descriptors that no shell uses by itself.
  const inline = PARTS.flatMap((name, index) => {
    const part = request[name];
    return 'path' in part ? [] : [{ name, part, descriptor: 4 + index }];
  });
  const pathOf = (name: (typeof PARTS)[number]): string => {
    const part = request[name];
    return 'path' in part ? part.path : `/dev/fd/${inline.find((each) => each.name === name)?.descriptor ?? 0}`;
  };
  const { url, connectTo, file } = request;
  const https = { url, connectTo, ca: pathOf('ca'), certificate: pathOf('certificate'), key: pathOf('key') };
  return [
    ...(inline.length === 0 ? [] : [`part() { tail -c "+$1" -- ${quote(file)} | head -c "$2" | base64 -d; }`]),
    'ask() {',
    '  if command -v curl >/dev/null; then',
    `    tool=C; out=$(${curlCommand(https, limitS)} -w '\\n%{http_code}' 2>&1)`,
    '  elif command -v openssl >/dev/null; then',
    `    tool=O; out=$(${opensslCommand(https, limitS)} 2>&1)`,
    '  else tool=N out=; fi',
    '}',
    `ask ${inline.map(({ name, descriptor }) => `${descriptor}<<${name.toUpperCase()}`).join(' ')}`,
    ...inline.flatMap(({ name, part }) => [`$(part ${part.start} ${part.bytes})`, name.toUpperCase()]),
  ];
}
