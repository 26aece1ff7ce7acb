import { stat } from 'node:fs/promises';
import { ifThere, listIfThere } from './files.js';
import { runTool } from './process.js';
import type { LabNetwork } from './topology.js';

/** Where iproute2 keeps named network namespaces (ip-netns(8)). */
const NAMESPACES = '/run/netns';

/** The namespace of a lab's control side, where `lab run` and `lab ssh` work. */
export function controlNamespace(lab: string): string {
  return `provision-lab.${lab}`;
}

/** The namespace of one host. Lab names hold no dot, so that one lab's names never start another's. */
export function hostNamespace(lab: string, host: string): string {
  return `${controlNamespace(lab)}.${host}`;
}

/** The host's port on the bridge of the control side. Interface names have at most 15 characters. */
export function portName(host: string): string {
  return `p-${host}`;
}

/** Makes the control side: a namespace with a bridge and no escape. */
export async function createControlNetwork(lab: string, network: LabNetwork): Promise<void> {
  const namespace = controlNamespace(lab);
  await runTool('ip', ['netns', 'add', namespace]);
  const commands = [
    'link set lo up',
    'link add lab0 type bridge forward_delay 0 stp_state 0',
    `address add ${network.control}/24 dev lab0`,
    'link set lab0 up',
  ];
  await runTool('ip', ['-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`);
}

/** Takes a host's cable away, if it has one: nothing that it sends arrives any more, not even its goodbyes. */
export async function unplug(lab: string, host: string): Promise<void> {
  const control = controlNamespace(lab);
  if ((await namespaceLink(control)) === undefined) return;
  const links = await runTool('ip', ['-n', control, '-oneline', 'link', 'show']);
  if (links.includes(` ${portName(host)}@`)) await runTool('ip', ['-n', control, 'link', 'delete', portName(host)]);
}

/** Sets the switch side of a host's cable. The host keeps its addresses and does not notice at once. */
export async function setPort(lab: string, host: string, state: 'up' | 'down'): Promise<void> {
  await runTool('ip', ['-n', controlNamespace(lab), 'link', 'set', portName(host), state]);
}

/** All namespaces of a lab that exist, the control side included. */
export async function namespacesOf(lab: string): Promise<readonly string[]> {
  const own = controlNamespace(lab);
  const names = await listIfThere(NAMESPACES);
  return names.filter((name) => name === own || name.startsWith(`${own}.`));
}

/** Deletes a namespace with its interfaces. */
export async function deleteNamespace(name: string): Promise<void> {
  await runTool('ip', ['netns', 'delete', name]);
}

/** What `readlink /proc/PID/ns/net` gives for processes in a namespace; undefined when it does not exist. */
export async function namespaceLink(name: string): Promise<string | undefined> {
  const file = await ifThere(stat(`${NAMESPACES}/${name}`));
  const device = (await stat('/proc/self/ns/net')).dev;
  // Before its namespace is mounted there, a name is a plain file.
  return file?.dev === device ? `net:[${file.ino}]` : undefined;
}

/** The command line that runs something on the control side. @param command program and arguments */
export function inControlNamespace(lab: string, command: readonly string[]): readonly string[] {
  return ['ip', 'netns', 'exec', controlNamespace(lab), ...command];
}
