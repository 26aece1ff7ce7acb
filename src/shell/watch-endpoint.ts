import type { Command } from '../model/remote.js';
import { curlCommand, opensslCommand, type HttpsRequest } from './https-request.js';
import { quote } from './quote.js';

/** What is tried over and over, and from when to when. */
export interface EndpointWatch {
  /** Unique letters and digits: names the file that says that the watch goes on. */
  readonly token: string;
  readonly ip: string;
  readonly port: number;
  /** A whole exchange with etcd through that address, verified, with a client certificate. */
  readonly request: HttpsRequest;
  /** The HTTP statuses of a good answer. */
  readonly alive: readonly number[];
  /** The watch ends by itself after so many seconds, whatever becomes of who began it. */
  readonly limitS: number;
}

/** Between the beginnings of two attempts, in seconds; the work of beginning one comes on top. */
const PAUSE_S = 0.05;

/** An address on the network answers far sooner. */
const ADDRESS_LIMIT_S = 0.25;

/** An exchange that takes longer counts as failed, in seconds. */
const EXCHANGE_LIMIT_S = 1;

/** A first success of both, within so many seconds, or the watch is no use. */
const READY_S = 10;

function flagOf(token: string): string {
  return quote(`/run/provision-drill.${token}`);
}

/**
 * Tries two things at once, over and over, until {@link endWatch}: does the address answer on the network, and does etcd
 * answer through it. Prints a line each time: `address|client BEGUN ENDED 1|0`, in seconds of the host's monotonic clock
 * (proc_uptime(5), 10 ms): nobody sets that clock, and one clock for all makes differences true.
 */
export function watchEndpoint({ token, ip, port, request, alive, limitS }: EndpointWatch): Command {
  return {
    summary: `measure how ${ip} answers`,
    timeoutMs: (limitS + 10) * 1000,
    script: [
      `flag=${flagOf(token)}`,
      // Of a watch whose connection is gone, a line fails to be printed, and that ends it.
      `trap '' PIPE`,
      `trap 'rm -f "$flag" "$flag".address "$flag".client' EXIT`,
      ': > "$flag" || exit 1',
      'read -r now _ </proc/uptime',
      `until=$((\${now%.*} + ${limitS}))`,
      addressFunction(ip, port),
      clientFunction(request, alive),
      WATCH,
      'watch address & watch client & wait',
    ].join('\n'),
  };
}

/** An attempt begins every {@link PAUSE_S}, whether those before it have ended or hang: else the hung ones set the pace. */
const WATCH = `attempt() {
  read -r begun _ </proc/uptime
  if "$1"; then ok=1; [ -e "$flag.$1" ] || : > "$flag.$1"; else ok=0; fi
  read -r ended _ </proc/uptime
  echo "$1 $begun $ended $ok" || rm -f "$flag"
}
watch() {
  while [ -e "$flag" ]; do
    attempt "$1" &
    read -r now _ </proc/uptime
    [ "\${now%.*}" -lt "$until" ] || break
    sleep ${PAUSE_S}
  done
  wait
}`;

/** A refused connection is an answer too: the address is there, and nobody listens. */
function addressFunction(ip: string, port: number): string {
  const limit = `timeout ${ADDRESS_LIMIT_S}`;
  return `if command -v ping >/dev/null; then
  address() { ${limit} ping -n -q -c 1 ${quote(ip)} >/dev/null 2>&1; }
else
  address() {
    said=$(${limit} bash -c ${quote(`: <>/dev/tcp/${ip}/${port}`)} 2>&1) && return 0
    case $said in *refused*) return 0 ;; esac
    return 1
  }
fi`;
}

function clientFunction(request: HttpsRequest, alive: readonly number[]): string {
  const curl = `${curlCommand(request, EXCHANGE_LIMIT_S)} --connect-timeout ${ADDRESS_LIMIT_S}`;
  // What curl itself calls a failure is any status of 400 or more.
  const [first, ...others] = alive;
  const asked =
    first === 200 && others.length === 0
      ? `${curl} --fail -o /dev/null 2>/dev/null`
      : `case $(${curl} -o /dev/null -w '%{http_code}' 2>/dev/null) in ${alive.join(' | ')}) ;; *) return 1 ;; esac`;
  return `if command -v curl >/dev/null; then
  client() { ${asked}; }
else
  client() { ${opensslCommand(request, EXCHANGE_LIMIT_S)} 2>/dev/null | grep -Eq '^HTTP/1[.][01] (${alive.join('|')}) '; }
fi`;
}

/** Succeeds as soon as both have succeeded once; fails when they don't. */
export function awaitFirstAnswers(token: string): Command {
  return {
    summary: 'wait until the measurement runs',
    runsBeside: true,
    script: [
      `flag=${flagOf(token)}`,
      `for try in $(seq ${READY_S * 10}); do`,
      '  [ -e "$flag.address" ] && [ -e "$flag.client" ] && exit 0',
      '  sleep 0.1',
      'done',
      'for what in address client; do [ -e "$flag.$what" ] || echo "no answer: $what" >&2; done',
      'exit 1',
    ].join('\n'),
  };
}

/** Ends a watch: what is being tried is finished. */
export function endWatch(token: string): Command {
  return { summary: 'end the measurement', runsBeside: true, script: `rm -f ${flagOf(token)}` };
}
