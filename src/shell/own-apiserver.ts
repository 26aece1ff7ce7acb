import { quote } from './quote.js';

/** Kubeconfigs of an administrator, as kubeadm makes them; super-admin.conf since 1.29. */
const KUBECONFIGS = ['/etc/kubernetes/admin.conf', '/etc/kubernetes/super-admin.conf'];

/** No exchange takes longer, in seconds. */
const LIMIT_S = 10;

/**
 * How often a question is asked again, a second apart, while the apiserver answers 5xx: it does so for the moment in which
 * its connections to etcd break, as when the virtual IP moves.
 */
const MORE_QUESTIONS = 4;

/**
 * Lines that read an object from the host's own kube-apiserver: `$pid` is that process, `$out` what curl or openssl
 * printed (the HTTP answer with its head, or why there is none), `$status` the HTTP status. Each is empty where there is
 * none.
 * @param path `/api/v1/…`
 */
export function readObjectScript(path: string): string {
  return [
    exchange({ method: 'GET', type: undefined, path }),
    `for _ in $(seq ${MORE_QUESTIONS}); do`,
    '  case $status in 5??) sleep 1; ask ;; *) break ;; esac',
    'done',
  ].join('\n');
}

/** A change of an object; `$body` is sent with it. */
export interface Patch {
  /** `/api/v1/…` */
  readonly path: string;
  readonly type: 'application/json-patch+json' | 'application/strategic-merge-patch+json';
  /** What the script does where the object is no longer as it was read. */
  readonly whenChanged: string;
}

/** Lines that change an object through the host's own kube-apiserver, and end the script where that is refused. */
export function patchScript({ path, type, whenChanged }: Patch): string {
  return [
    exchange({ method: 'PATCH', type, path }),
    'case $status in',
    '200) ;;',
    // 422: the test failed. 409: someone wrote at the same moment.
    `409 | 422) ${whenChanged} ;;`,
    `*) case $status in '') printf '%s\\n' "the kube-apiserver gave no answer" "$out" >&2 ;; *) echo "the kube-apiserver answers $status" >&2 ;; esac`,
    String.raw`  printf '%s\n' "$out" | sed -nE 's/.*"message": *"(([^"\\]|\\.)*)".*/\1/p' >&2`,
    '  exit 1 ;;',
    'esac',
  ].join('\n');
}

/** JSON in ASCII, so that a shell which counts characters counts bytes. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One HTTP request; `$body` is sent with it. */
interface Exchange {
  readonly method: 'GET' | 'PATCH';
  /** The body's content type, where there is a body. */
  readonly type: string | undefined;
  /** `/api/v1/…` */
  readonly path: string;
}

/**
 * Asked as the kubelet's probes ask: where the process listens, its serving certificate not verified. Shown is the
 * certificate that the apiserver shows to kubelets, which kubeadm gives an administrator's rights; where that is refused,
 * the administrator's kubeconfig. Its key goes through pipes: it is in no file and no argument.
 */
function exchange(request: Exchange): string {
  return [
    'out= status=',
    'pid=',
    'for comm in $(grep -lx kube-apiserver /proc/[0-9]*/comm 2>/dev/null); do',
    // One of a cluster in containers is on a network of its own.
    '  [ "${comm%/comm}/ns/net" -ef /proc/self/ns/net ] || continue',
    '  pid=${comm#/proc/}; pid=${pid%/comm}; break',
    'done',
    `argument() { tr '\\0' '\\n' <"/proc/$pid/cmdline" | sed -n "s/^--$1=//p" | head -n 1; }`,
    send(request),
    `in_kubeconfig() { sed -n "s/^ *client-$2-data: *//p" "$1" | head -n 1 | base64 -d; }`,
    'ask() {',
    '  host=$(argument bind-address) port=$(argument secure-port)',
    '  case $host in "" | 0.0.0.0 | ::) host=127.0.0.1 ;; *:*) host="[$host]" ;; esac',
    '  port=${port:-6443}',
    '  certificate=$(argument kubelet-client-certificate) key=$(argument kubelet-client-key)',
    '  send "$certificate" "$key"',
    `  for file in ${KUBECONFIGS.map(quote).join(' ')}; do`,
    '    case $status in 401 | 403) ;; *) break ;; esac',
    '    [ -r "$file" ] || continue',
    '    certificate=$(in_kubeconfig "$file" certificate) key=$(in_kubeconfig "$file" key)',
    '    [ -n "$key" ] || continue',
    // Here-documents are pipes, or files without a name: no one else can open them.
    '    send /dev/fd/3 /dev/fd/4 3<<CERTIFICATE 4<<KEY',
    '$certificate',
    'CERTIFICATE',
    '$key',
    'KEY',
    '  done',
    '}',
    '[ -z "$pid" ] || ask',
  ].join('\n');
}

/** `send CERTIFICATE KEY`: one exchange, through curl, else openssl. */
function send({ method, type, path }: Exchange): string {
  const about = type === undefined ? [] : [`Content-Type: ${type}`, 'Content-Length: ${#body}'];
  const head = [`${method} ${path} HTTP/1.0`, 'Host: $host', 'Connection: close', ...about, ''];
  const curlBody = type === undefined ? [] : [`-H 'Content-Type: ${type}'`, "-H 'Expect:'", '--data-binary @-'];
  const text = type === undefined ? '' : '$body';
  return [
    'send() {',
    '  if command -v curl >/dev/null; then',
    `    out=$(printf '%s' "${text}" | curl -sS -i --http1.1 --max-time ${LIMIT_S} --noproxy '*' --globoff --insecure ` +
      `\${1:+--cert "$1" --key "$2"} -X ${method} ${curlBody.join(' ')} "https://$host:$port${path}" 2>&1)`,
    '  elif command -v openssl >/dev/null; then',
    // `Connection: close` ends the exchange; `-ign_eof` waits for it.
    `    out=$({ printf '%s\\r\\n' ${head.map((line) => `"${line}"`).join(' ')}; printf '%s' "${text}"; } | ` +
      `timeout ${LIMIT_S} openssl s_client -quiet -ign_eof -connect "$host:$port" \${1:+-cert "$1" -key "$2"} 2>&1)`,
    "  else out='the host has neither curl nor openssl'",
    '  fi',
    String.raw`  status=$(printf '%s\n' "$out" | sed -n 's/^HTTP\/1\.[01] \([0-9][0-9][0-9]\).*/\1/p' | head -n 1)`,
    '}',
  ].join('\n');
}
