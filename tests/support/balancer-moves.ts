import { readFile, writeFile } from 'node:fs/promises';
import type { TestLab } from './lab.js';
import { performedChanges, type JsonRun } from './main-job.js';

/** What the API server of a host is connected to as a client of etcd: `ADDRESS:PORT`, a line each. */
export const PEERS =
  "ss -Htnp state established | grep kube-apiserver | awk '{print $4}' | grep -E ':(2379|12379)$' | sort -u";

/** What of a load balancer runs, starts at boot, or is there. */
export const LEFT = [
  'systemctl is-active haproxy keepalived; systemctl is-enabled haproxy keepalived',
  'ls /etc/haproxy/haproxy.cfg /etc/haproxy/etcd-* /etc/keepalived/keepalived.conf /usr/local/lib/provision/* /etc/sysctl.d/60-provision* 2>/dev/null',
  'ls -d /etc/systemd/system/*.service.d/60-provision-down.conf /run/provision-down.* 2>/dev/null',
].join('; ');

/** `play / host` of the changes of some resources, in the order in which they were made. */
export function story(run: Pick<JsonRun, 'events'>, addresses: RegExp): readonly string[] {
  const lines = performedChanges(run).filter((line) => addresses.test(line));
  return lines.map((line) => line.split(' / ').slice(0, 2).join(' / '));
}

/** The lines that a refusal says to add to the inventory. */
export function linesToAdd({ stdout }: JsonRun): string {
  return /etcd_lb_former:\n {2}hosts:\n(?: {4}[\w-]+:\n?)+/.exec(stdout.replaceAll('\\n', '\n'))?.[0].trimEnd() ?? '';
}

/** The lab's inventory, changed. @returns its file */
export async function variantOf(lab: TestLab, name: string, change: (text: string) => string): Promise<string> {
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
  await writeFile(file, change(await readFile(lab.files.inventory, 'utf8')));
  return file;
}
