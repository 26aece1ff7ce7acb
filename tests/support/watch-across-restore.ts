import { dirname, join } from 'node:path';
import { consentTyped, etcdctl, must } from './main-job.js';
import type { TestLab } from './lab.js';

const OBJECTS = '/api/v1/namespaces/default/configmaps';

/** A command that asks the kube-apiserver of its own host as an administrator, by the client certificate that kubeadm made; prints the answer. */
function askApiserver(method: 'GET' | 'POST', path: string, body = ''): string {
  const head = [`${method} ${path} HTTP/1.0`, 'Content-Type: application/json', `Content-Length: ${body.length}`];
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`).toString('base64');
  const files =
    '-cert /etc/kubernetes/pki/apiserver-kubelet-client.crt -key /etc/kubernetes/pki/apiserver-kubelet-client.key';
  return `echo ${request} | base64 -d | openssl s_client -quiet -connect 127.0.0.1:6443 ${files} 2>/dev/null`;
}

/** Makes an object of Kubernetes. @returns the revision that it has in etcd */
async function create(lab: TestLab, name: string): Promise<number> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  const said = await must(lab.ssh('cp-1', askApiserver('POST', OBJECTS, body)));
  const [, revision] = /"resourceVersion":"(\d+)"/.exec(said) ?? [];
  if (revision === undefined) throw new Error(`${name} was not made: ${said}`);
  return Number(revision);
}

const watch = (from: number, seconds: number): string =>
  askApiserver('GET', `${OBJECTS}?watch=1&resourceVersion=${from}&timeoutSeconds=${seconds}`);

/** What a client of Kubernetes met that watched before a restore, and goes on after it from the last revision that it has seen. */
export interface WatchAcrossRestore {
  /** The last revision before the restore. */
  readonly seen: number;
  /** The names in the events of the watch that was open when the restore began. */
  readonly before: readonly string[];
  /** All that came when it was resumed: events, or a refusal. */
  readonly resumed: string;
  /** Of an object that was made after the restore: its name is `NAME-after`. */
  readonly after: number;
}

/**
 * Opens a real watch of the kube-apiserver on `cp-1`, restores a snapshot from before what it has seen, and resumes it.
 * @param name of the objects, which no other test has made
 * @param lost how many further revisions the restore takes back
 */
export async function watchAcrossRestore(lab: TestLab, name: string, lost = 0): Promise<WatchAcrossRestore> {
  const file = join(dirname(lab.files.inventory), `${name}.db`);
  const first = await create(lab, `${name}-saved`);
  await must(lab.provision('snapshot', 'save', lab.files.inventory, '-o', file));
  await must(lab.ssh('cp-1', `(${watch(first, 3600)} >/run/${name}.before) </dev/null >/dev/null 2>&1 &`));
  const put = etcdctl('https://127.0.0.1:2379', `put ${name} x`);
  await must(lab.ssh('etcd-1', `i=0; while [ $i -lt ${lost} ]; do i=$((i + 1)); ${put} >/dev/null || exit 1; done`));
  let seen = first;
  for (const each of [1, 2, 3]) seen = await create(lab, `${name}-lost-${each}`);
  await must(
    lab.ssh(
      'cp-1',
      `i=0; until grep -q ${name}-lost-3 /run/${name}.before; do i=$((i + 1)); [ $i -lt 1200 ]; sleep 0.1; done`,
    ),
  );
  const words = await consentTyped(lab);
  await must(lab.provision('snapshot', 'restore', lab.files.inventory, file, ...words));
  const before = await must(lab.ssh('cp-1', `cat /run/${name}.before`));
  await must(
    lab.ssh(
      'cp-1',
      `(${watch(seen, 20)} >/run/${name}.resumed; touch /run/${name}.ended) </dev/null >/dev/null 2>&1 &`,
    ),
  );
  const after = await create(lab, `${name}-after`);
  const ended = `i=0; until [ -e /run/${name}.ended ]; do i=$((i + 1)); [ $i -lt 3000 ]; sleep 0.1; done`;
  const resumed = await must(lab.ssh('cp-1', `${ended}; cat /run/${name}.resumed`));
  return { seen, before: [...before.matchAll(/"name":"([^"]+)"/g)].map(([, each = '']) => each), resumed, after };
}

/** Whether that client learns that its revision is gone, or gets all that is newer: else it misses what happens, and nothing says so. */
export function isTold({ resumed }: Pick<WatchAcrossRestore, 'resumed'>, name: string): boolean {
  return /"code":410\b/.test(resumed) || resumed.includes(`"name":"${name}-after"`);
}
