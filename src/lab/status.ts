import { hostOf, isRunning } from './host.js';
import { namespaceLink, hostNamespace } from './network.js';
import type { LabPaths } from './paths.js';
import { isAlive, processesInNamespace } from './process.js';
import { findLab, labNames, readLab, stateDirectory } from './state.js';
import type { Lab } from './state.js';
import type { HostRole } from './topology.js';

/** One host, as `lab status --format json` prints it. */
interface HostStatus {
  readonly name: string;
  readonly role: HostRole;
  readonly address: string;
  readonly state: 'running' | 'off';
  /** Processes inside the host. */
  readonly processes: number;
}

/** One lab, as `lab status --format json` prints it. `broken`: its maker was ended before it was done. */
export interface LabStatus {
  readonly name: string;
  readonly state: 'up' | 'coming-up' | 'broken';
  readonly directory: string;
  readonly release: string;
  readonly network: string;
  readonly virtualIp: string;
  readonly hosts: readonly HostStatus[];
}

async function hostStatus(lab: Lab, state: string, name: string): Promise<HostStatus> {
  const handle = hostOf(lab, state, name);
  const link = await namespaceLink(hostNamespace(lab.name, name));
  return {
    ...handle.host,
    state: (await isRunning(handle)) ? 'running' : 'off',
    processes: link === undefined ? 0 : (await processesInNamespace(link)).length,
  };
}

async function statusOf(paths: LabPaths, lab: Lab): Promise<LabStatus> {
  const state = stateDirectory(paths, lab.name);
  const hosts: HostStatus[] = [];
  for (const { name } of lab.hosts) hosts.push(await hostStatus(lab, state, name));
  return {
    name: lab.name,
    state: lab.maker === undefined ? 'up' : (await isAlive(lab.maker)) ? 'coming-up' : 'broken',
    directory: lab.directory,
    release: lab.release,
    network: `${lab.network.prefix}.0/24`,
    virtualIp: lab.network.virtualIp,
    hosts,
  };
}

/**
 * The state of one lab, or of all.
 * @throws ProvisionError `lab-unknown`
 */
export async function labStatus(paths: LabPaths, name: string | undefined): Promise<readonly LabStatus[]> {
  if (name !== undefined) return [await statusOf(paths, await readLab(paths, name))];
  const labs = await Promise.all((await labNames(paths)).map(async (each) => findLab(paths, each)));
  return Promise.all(labs.filter((lab) => lab !== undefined).map(async (lab) => statusOf(paths, lab)));
}

/** Labs as a person reads them. Pure. */
export function renderStatus(labs: readonly LabStatus[]): string {
  if (labs.length === 0) return 'no lab on this machine\n  → provision lab up\n';
  return labs
    .map((lab) => {
      const head = `lab ${lab.name}: ${lab.state}, ${lab.release}, ${lab.network}, virtual IP ${lab.virtualIp}, ${lab.directory}\n`;
      const lines = lab.hosts.map(
        (host) =>
          `  ${host.name.padEnd(10)} ${host.role.padEnd(14)} ${host.address.padEnd(16)} ${host.state} (${host.processes} processes)\n`,
      );
      return head + lines.join('');
    })
    .join('');
}
