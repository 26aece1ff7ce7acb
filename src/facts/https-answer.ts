import type { Fact } from '../model/remote.js';
import { curlCommand, opensslCommand, type HttpsRequest } from '../shell/https-request.js';
import { blocksByKey } from './blocks-by-key.js';

/** A GET over TLS from a host, with files that are there. */
export type HttpsQuestion = HttpsRequest;

/** The whole exchange worked, whatever the status; or why not. */
export type HttpsAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'failure'; readonly reason: string };

/** The key to ask {@link httpsAnswer} by. */
export function httpsKey(question: HttpsQuestion): string {
  const { url, ca = null, certificate = null, key = null, connectTo } = question;
  return JSON.stringify([url, ca, certificate, key, ...(connectTo === undefined ? [] : [connectTo])]);
}

/** No exchange takes longer, in seconds: a hung server is a failure. */
const LIMIT_S = 10;

/** Key: {@link httpsKey}. Through curl, else `openssl s_client`: whichever the host has. */
export const httpsAnswer: Fact<HttpsAnswer> = {
  name: 'https-answers',
  script: (keys) => keys.map(scriptFor).join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^Q$/m, keys, (block) => parseBlock(block.trim())),
};

function scriptFor(key: string): string {
  const [url = '', ca, certificate, clientKey, connectTo] = JSON.parse(key) as readonly (string | null)[] & {
    0: string;
  };
  const files = { ca: ca ?? undefined, certificate: certificate ?? undefined, key: clientKey ?? undefined };
  const request = { url, ...files, connectTo: connectTo ?? undefined };
  return [
    'echo Q',
    'if command -v curl >/dev/null; then',
    `  out=$(${curlCommand(request, LIMIT_S)} -w '\\n%{http_code}' 2>&1); printf 'C %s %s\\n' "$?" "$(printf %s "$out" | base64 -w0)"`,
    'elif command -v openssl >/dev/null; then',
    `  out=$(${opensslCommand(request, LIMIT_S)} 2>&1); printf 'O %s %s\\n' "$?" "$(printf %s "$out" | base64 -w0)"`,
    `else printf 'N\\n'`,
    'fi',
  ].join('\n');
}

function parseBlock(block: string): HttpsAnswer {
  const [tool = '', status = '', encoded = ''] = block.split(' ');
  return readTool(tool, Number(status), Buffer.from(encoded, 'base64').toString('utf8'));
}

/** What a tool printed. @param tool `C` curl with `%{http_code}` in its last line, `O` openssl, `N` there is neither */
export function readTool(tool: string, status: number, text: string): HttpsAnswer {
  if (tool === 'N') return { kind: 'failure', reason: 'the host has neither curl nor openssl' };
  return tool === 'C' ? readCurl(status, text) : readExchange(text);
}

function readCurl(status: number, text: string): HttpsAnswer {
  const lines = text.trimEnd().split('\n');
  // curl prints %{http_code} also after an error: its message is the line that begins with its name.
  if (status !== 0) return { kind: 'failure', reason: curlReason(lines) ?? `curl ended with ${status}` };
  return { kind: 'answer', status: Number(lines.at(-1)), body: lines.slice(0, -1).join('\n') };
}

/** Without the time that it took, so that the same failure reads the same each time. */
function curlReason(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.startsWith('curl:'))?.replace(/ after \d+ (?:ms|milliseconds)/, '');
}

/** An HTTP answer with its head, after whatever the tool said of the connection; or what curl or openssl complained of. */
export function readExchange(text: string): HttpsAnswer {
  const start = text.search(/^HTTP\/1\.[01] \d{3}/m);
  if (start < 0) return { kind: 'failure', reason: curlReason(text.split('\n')) ?? opensslReason(text) };
  const answer = text.slice(start);
  const [, status = ''] = /^HTTP\/1\.[01] (\d{3})/.exec(answer) ?? [];
  const [, body = ''] = /\r?\n\r?\n([\s\S]*)$/.exec(answer) ?? [];
  return { kind: 'answer', status: Number(status), body: body.trimEnd() };
}

/** A file that openssl could not open: its last field is `calling stat(/a.key)`, of OpenSSL 1.1 `fopen('/a.crt','r')`. */
const UNOPENED = /:error:[0-9A-F]+:system library:[^:\n]*:([^:\n]+):[^:\n]*:\d+:(?:calling )?\w+\('?(\/[^,')\n]+)/;

/**
 * Why openssl gave up: a file that can't be read, `verify error:num=20:…`, or the reason field of an OpenSSL error line
 * (`…:error:<code>:<library>:<function>:<reason>:…`).
 */
export function opensslReason(text: string): string {
  // Before it, the loader has complained of the name as of a URI that it does not know.
  const [, why, path] = UNOPENED.exec(text) ?? [];
  if (path !== undefined) return `${path} can't be read: ${why}`;
  // One that is followed by `verify return:1` was passed over: nothing was to be verified.
  const [, verify] = /^(verify error:.+)$(?!\nverify return:1)/m.exec(text) ?? [];
  const [, reason] = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(text) ?? [];
  return verify ?? reason ?? 'no HTTP answer came back';
}
