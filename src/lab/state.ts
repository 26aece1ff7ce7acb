import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ProvisionError } from '../model/errors.js';
import { hasCode, listIfThere, readIfThere } from './files.js';
import type { LabPaths } from './paths.js';
import { KUBERNETES_KINDS, RELEASES, isLabName } from './topology.js';

const hostSchema = z.object({
  name: z.string(),
  role: z.enum(['etcd', 'lb', 'control-plane', 'worker', 'plain']),
  address: z.string(),
});

const labSchema = z.object({
  name: z.string(),
  /** Absolute directory with the inventory and keys. */
  directory: z.string(),
  release: z.enum(RELEASES),
  /** A lab of an earlier version has none of a real Kubernetes. */
  kubernetes: z.enum(KUBERNETES_KINDS).default('stand-in'),
  network: z.object({ prefix: z.string(), control: z.string(), virtualIp: z.string() }),
  hosts: z.array(hostSchema),
  /** The process that brings the lab up, while it does. */
  maker: z.object({ pid: z.number(), startTime: z.string() }).optional(),
});

/** What is known of a lab, kept in `lab.json` from before the first thing is made until all is gone. */
export type Lab = Readonly<z.infer<typeof labSchema>>;

/** The lab's own directory of state and disks. */
export function stateDirectory(paths: LabPaths, name: string): string {
  return join(paths.state, name);
}

/** Writes what is known of a lab, atomically. */
export async function writeLab(paths: LabPaths, lab: Lab): Promise<void> {
  const file = join(stateDirectory(paths, lab.name), 'lab.json');
  await writeFile(`${file}.new`, `${JSON.stringify(lab, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/**
 * Claims a name and writes the first state.
 * @throws ProvisionError `lab-exists`
 */
export async function createLab(paths: LabPaths, lab: Lab): Promise<void> {
  await mkdir(paths.state, { recursive: true });
  try {
    await mkdir(stateDirectory(paths, lab.name));
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause;
    throw new ProvisionError({
      code: 'lab-exists',
      message: `lab ${lab.name}: there is one already`,
      hint: `provision lab status --name ${lab.name}, or provision lab down --name ${lab.name}`,
      cause,
    });
  }
  await writeLab(paths, lab);
}

/** A lab; undefined when there is none, or when its maker was ended before it wrote anything. */
export async function findLab(paths: LabPaths, name: string): Promise<Lab | undefined> {
  const file = join(stateDirectory(paths, name), 'lab.json');
  const text = await readIfThere(file);
  return text === undefined ? undefined : labSchema.parse(JSON.parse(text));
}

/**
 * A lab that must be there.
 * @throws ProvisionError `lab-unknown`
 */
export async function readLab(paths: LabPaths, name: string): Promise<Lab> {
  const lab = await findLab(paths, name);
  if (lab !== undefined) return lab;
  const names = await labNames(paths);
  throw new ProvisionError({
    code: 'lab-unknown',
    message: `lab ${name}: not found; ${names.length === 0 ? 'this machine has no lab' : `there are: ${names.join(', ')}`}`,
    hint: `provision lab up --name ${name}`,
  });
}

/** The names of all labs on this machine, sorted. */
export async function labNames(paths: LabPaths): Promise<readonly string[]> {
  return (await listIfThere(paths.state)).filter(isLabName).sort();
}
