import { readFile, writeFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import type { Ended, TestLab } from './lab.js';
import { endOf, verifyUntil, vipOf } from './main-job.js';

/** The control planes of such a lab. */
export const CONTROL_PLANES = ['cp-1', 'cp-2'] as const;

/** A host may be slow to see that another one is gone. In seconds. */
export const PATIENCE_S = 180;

/** An address of the lab's network that no host has, beside etcd's virtual IP. */
export async function apiserverVip(lab: TestLab): Promise<string> {
  return (await vipOf(lab)).replace(/\d+$/, '99');
}

/** The lab's inventory with a virtual IP of the API servers, which the hosts of a group balance. */
export async function inventoryWithVip(lab: TestLab, name: string, vip: string, given: Given): Promise<string> {
  const text = await readFile(lab.files.inventory, 'utf8');
  const variables = [`kube_apiserver_lb_ip: ${vip}`, ...(given.variables ?? [])];
  const lines = variables.map((line) => `    ${line}\n`).join('');
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
  await writeFile(file, `${text.replace('  vars:\n', `  vars:\n${lines}`)}    kube_apiserver_lb:\n${given.group}`);
  return file;
}

/** What an inventory says of the balancers of the API servers. */
export interface Given {
  /** What is in the group `kube_apiserver_lb`. */
  readonly group: string;
  readonly variables?: readonly string[];
}

/** The hosts of etcd, beside whose load balancer it is. */
export const BESIDE_ETCD: Pick<Given, 'group'> = { group: '      children:\n        etcd: {}\n' };

/** `/readyz` through the virtual IP from a host, verified by the cluster's authority; `ok` when it answers. */
export async function readyz(lab: TestLab, host: string, url: string, ca: string): Promise<string> {
  const ended = await lab.ssh(host, `curl -sS -m 5 --noproxy '*' --cacert ${ca} ${url}/readyz 2>&1`);
  return ended.stdout;
}

/** The authority of the API servers, on each control plane. */
export const CLUSTER_CA = '/etc/kubernetes/pki/ca.crt';

/** The same until it answers, for as long as a slow machine may need. */
export async function untilReady(lab: TestLab, host: string, url: string): Promise<string> {
  const ask = `curl -sS -m 5 --noproxy '*' --cacert ${CLUSTER_CA} ${url}/readyz 2>&1`;
  // The answer that ended the wait: the next one may come from an API server that is about to be taken out.
  const script = `until=$((SECONDS + ${PATIENCE_S})); until answer=$(${ask}); [ "$answer" = ok ] || [ $SECONDS -ge $until ]; do sleep 1; done; printf %s "$answer"`;
  return (await lab.ssh(host, script)).stdout;
}

/** A script that succeeds once a command does, for as long as a slow machine may need. */
export function waiting(command: string): string {
  return `until=$((SECONDS + ${PATIENCE_S})); until ${command}; do [ $SECONDS -lt $until ] || exit 1; sleep 1; done`;
}

/** Waits until a check-up finds all well, whatever a test has stopped before. */
export async function untilWell(lab: TestLab, inventory: string): Promise<void> {
  const verified = await verifyUntil(lab, inventory);
  expect(problemOf(verified)).toBe('');
}

/** The error of a run that should have been good; nothing where it was. */
export function problemOf(ended: Ended): string {
  return ended.status === 0 ? '' : endOf(ended);
}
