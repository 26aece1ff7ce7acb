import type { Fact } from '../model/remote.js';
import { readObjectScript } from '../shell/own-apiserver.js';
import { readExchange } from './https-answer.js';

/** An object of Kubernetes, as the kube-apiserver of a host gives it. */
export type ApiserverObject =
  /** There is no kube-apiserver, or it gives no answer. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** An HTTP status that is neither 200 nor 404. */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'absent' }
  /** `object`: from outside, so that nothing of it is sure. */
  | { readonly kind: 'found'; readonly object: unknown };

/** Key: path in the API. Asked of the host's own kube-apiserver, as its administrator. */
export const apiserverObject: Fact<ApiserverObject> = {
  name: 'apiserver-objects',
  isConfidential: true,
  script: (paths) => paths.map(askObjectScript).join('\n'),
  parse(stdout, paths) {
    const lines = stdout.split('\n');
    return new Map(paths.map((path, index) => [path, parseObject(lines[index] ?? '')]));
  },
};

/** Lines that print one line about an object. @param path in the API */
export function askObjectScript(path: string): string {
  return `${readObjectScript(path)}\nprintf '%s %s\\n' "\${pid:--}" "$(printf '%s' "$out" | base64 -w0)"`;
}

/** What {@link askObjectScript} printed. @throws Error for what is none of it */
export function parseObject(line: string): ApiserverObject {
  const [, pid = '', encoded = ''] = /^(\d+|-)(?: (\S*))?\s*$/.exec(line) ?? [];
  if (pid === '') throw new Error('no object came back');
  return pid === '-'
    ? { kind: 'silent', reason: 'no kube-apiserver runs' }
    : readAnswer(Buffer.from(encoded, 'base64').toString('utf8'));
}

function readAnswer(text: string): ApiserverObject {
  const answer = readExchange(text);
  if (answer.kind === 'failure') return { kind: 'silent', reason: answer.reason };
  // What is between it and its etcd: it will answer otherwise in a moment.
  if (answer.status >= 500) return { kind: 'silent', reason: `the kube-apiserver answers ${answer.status}` };
  if (answer.status === 404) return { kind: 'absent' };
  if (answer.status !== 200) return { kind: 'refused', status: answer.status };
  return { kind: 'found', object: JSON.parse(answer.body) as unknown };
}
