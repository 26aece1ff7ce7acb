import type { Command } from '../model/remote.js';
import { curlCommand, type HttpsRequest } from './https-request.js';
import { quote } from './quote.js';

/** Where curl is on every Debian that has it. */
export const CURL_PATH = '/usr/bin/curl';

/** How many of each kind: enough that the second slowest of a hundred says something. */
const READS = 300;
const CONNECTIONS = 100;

/** Each kind ends after so many seconds, with what it has by then. */
const LIMIT_S = 10;

/** No exchange takes longer, in seconds. */
const EXCHANGE_LIMIT_S = 3;

/**
 * A linearised read of a key that is not there (etcd's JSON gateway; `serializable` is off where it is not given): a leader asks
 * its majority, and nothing is sent back but the header.
 */
const READ = '{"key":"cHJvdmlzaW9uL2xhdGVuY3k="}';

/**
 * One way to etcd, by the clocks of one curl for each kind of question: reads that follow each other on one connection, then
 * new TLS connections, whose sessions are not resumed. Prints `reads` and `connections`, and after each a line an exchange:
 * `L STATUS CONNECTIONS-MADE SECONDS-UNTIL-TLS SECONDS`. The files are named, never their content.
 * @param request whom to ask, with a URL without a path
 */
export function measureLatency(request: HttpsRequest): Command {
  return {
    summary: `measure how fast ${request.url} answers`,
    timeoutMs: (2 * LIMIT_S + 10) * 1000,
    script: [
      'echo reads',
      repeated({ ...request, url: `${request.url}/v3/kv/range` }, READS, `--data ${quote(READ)}`),
      'echo connections',
      repeated(
        { ...request, url: `${request.url}/version` },
        CONNECTIONS,
        `--no-sessionid --header 'Connection: close'`,
      ),
      ':',
    ].join('\n'),
  };
}

/** The figures go to the stream that is not buffered, so that none is lost when the time is over. */
const FIGURES = String.raw`%{stderr}L %{http_code} %{num_connects} %{time_appconnect} %{time_total}\n`;

/** One process for all: what it needs to start is in none of the figures. */
function repeated(request: HttpsRequest, count: number, options: string): string {
  const again = `url = ${JSON.stringify(request.url)}\noutput = "/dev/null"`;
  const curl = `${curlCommand(request, EXCHANGE_LIMIT_S)} --output /dev/null --http1.1 --fail-early ${options}`;
  return [
    `for each in $(seq 2 ${count}); do printf '%s\\n' ${quote(again)}; done |`,
    `  timeout ${LIMIT_S} ${curl} --write-out ${quote(FIGURES)} --config - 2>&1`,
  ].join('\n');
}
