import { isIP } from 'node:net';
import { counted } from '../model/counted.js';
import { isNodeName } from '../model/kubernetes.js';
import type { SmokePods } from '../shell/smoke-test.js';

/** What kubeadm taints control planes with; the second one until v1.24. */
const CONTROL_PLANE_TAINTS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** On how many nodes pods are wanted. */
export const WANTED = 2;

/** A node as far as pods go there. */
export interface NodeForPods {
  readonly name: string;
  /** `cordoned`, and keys of taints. */
  readonly closedBy: readonly string[];
  readonly isReady: boolean;
}

/** On how many nodes the pods are, and which taints they tolerate: those of control planes only where too few others take pods. */
export function placeOf(nodes: readonly NodeForPods[]): Pick<SmokePods, 'count' | 'tolerated'> {
  const open = (tolerated: readonly string[]): number =>
    nodes.filter(({ isReady, closedBy }) => isReady && closedBy.every((key) => tolerated.includes(key))).length;
  const tolerated = open([]) >= WANTED ? [] : CONTROL_PLANE_TAINTS;
  return { count: Math.min(WANTED, open(tolerated)), tolerated };
}

/** The nodes that an API server lists. A line that is no node's is left out. */
export function readNodes(stdout: string): readonly NodeForPods[] {
  return [...stdout.matchAll(/^N\t([^\t\n]*)\t([^\t\n]*)\t([^\t\n]*)$/gm)].flatMap(
    ([, name = '', closedBy = '', ready]): readonly NodeForPods[] =>
      isNodeName(name) ? [{ name, closedBy: closedBy.split(' ').filter(Boolean), isReady: ready === 'True' }] : [],
  );
}

/** Pods that are ready, and their service. */
export interface Started {
  readonly service: string | undefined;
  readonly pods: readonly { readonly node: string; readonly ip: string }[];
}

/** What came back of pods and service. */
export function readStarted(stdout: string): Started {
  const pods = [...stdout.matchAll(/^P\t([^\t\n]*)\t([^\t\n]*)$/gm)].map(([, node = '', ip = '']) => ({ node, ip }));
  const [, service] = /^S\t([^\t\n]*)$/m.exec(stdout) ?? [];
  return {
    // They go into a script of another host.
    pods: pods.flatMap(({ node, ip }) => {
      const bare = ip.replace(/^"(.*)"$/, '$1');
      return isIP(bare) === 0 ? [] : [{ node, ip: bare }];
    }),
    service: isIP(service ?? '') === 0 ? undefined : service,
  };
}

/** What tests that were killed have left: what this one removes, and what does not go. */
export function readLeft(stdout: string): { readonly removed: readonly string[]; readonly stuck: readonly string[] } {
  const name = 'provision-smoke-test-[0-9a-f]{1,32}';
  const removed = [...stdout.matchAll(new RegExp(`^L\\t(${name})\\t(\\d{1,9})$`, 'gm'))];
  return {
    removed: removed.map(
      ([, each = '', seconds]) =>
        `removes ${each}: a test that began ${counted(Math.floor(Number(seconds) / 60), 'minute')} earlier has left it`,
    ),
    stuck: [...stdout.matchAll(new RegExp(`^T\\t(${name})$`, 'gm'))].map(([, each = '']) => each),
  };
}

/** Of requests to an address. */
export interface Answers {
  readonly answered: number;
  readonly asked: number;
}

/** Whether each request was answered, and there was one. */
export function isAll(answers: Answers | undefined): boolean {
  return answers !== undefined && answers.asked > 0 && answers.answered === answers.asked;
}

/** How many requests each address has answered. */
export function readAnswers(stdout: string): ReadonlyMap<string, Answers> {
  return new Map(
    [...stdout.matchAll(/^A (\S+) (\d+) (\d+)$/gm)].map(([, address = '', answered, asked]) => [
      address,
      { answered: Number(answered), asked: Number(asked) },
    ]),
  );
}
