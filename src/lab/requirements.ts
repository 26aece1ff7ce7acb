import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { readIfThere } from './files.js';
import { runTool } from './process.js';

/** A program that the lab needs, and the Debian package that brings it. */
const PROGRAMS: readonly { readonly program: string; readonly package: string }[] = [
  { program: 'systemd-nspawn', package: 'systemd-container' },
  { program: 'debootstrap', package: 'debootstrap' },
  { program: 'ip', package: 'iproute2' },
  { program: 'ssh', package: 'openssh-client' },
  { program: 'ssh-keygen', package: 'openssh-client' },
  { program: 'unshare', package: 'util-linux' },
  { program: 'setpriv', package: 'util-linux' },
  { program: 'flock', package: 'util-linux' },
  { program: 'mount', package: 'mount' },
];

/** debootstrap verifies the archive with it. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What a look at the machine found. */
export interface Machine {
  readonly platform: string;
  /** Effective user id. */
  readonly uid: number;
  readonly missingPrograms: readonly string[];
  readonly hasKeyring: boolean;
  readonly hasOverlayfs: boolean;
  readonly hasMirror: boolean;
}

/** What a machine is missing. */
export interface Missing {
  /** One line each, for people; empty when the lab can run. */
  readonly problems: readonly string[];
  /** Debian packages that fix what packages can fix, sorted. */
  readonly packages: readonly string[];
}

/** What is missing for a lab, all at once. Pure. */
export function whatIsMissing(machine: Machine): Missing {
  const missing = PROGRAMS.filter(({ program }) => machine.missingPrograms.includes(program));
  const packages = missing.map((entry) => entry.package);
  const problems = missing.map((entry) => `program ${entry.program} (package ${entry.package})`);
  if (!machine.hasKeyring) {
    problems.push(`${KEYRING} (package debian-archive-keyring)`);
    packages.push('debian-archive-keyring');
  }
  if (machine.platform !== 'linux') problems.push(`Linux; this is ${machine.platform}`);
  if (machine.uid !== 0) problems.push('root: hosts need namespaces and mounts');
  if (!machine.hasOverlayfs) problems.push('overlay file systems in the kernel (modprobe overlay)');
  if (!machine.hasMirror) {
    problems.push('a Debian mirror: the apt sources of this machine name none (set PROVISION_LAB_MIRROR to its URI)');
  }
  return { problems, packages: [...new Set(packages)].sort() };
}

async function isProgram(name: string, path: string): Promise<boolean> {
  const directories = [...path.split(delimiter), '/usr/sbin', '/sbin'];
  const found = await Promise.all(
    directories.map(async (directory) =>
      access(join(directory, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Looks at this machine.
 * @param path the PATH that programs are searched on
 */
export async function inspectMachine(path: string, hasMirror: boolean): Promise<Machine> {
  const present = await Promise.all(PROGRAMS.map(async ({ program }) => isProgram(program, path)));
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? -1,
    missingPrograms: PROGRAMS.filter((_, index) => present[index] !== true).map(({ program }) => program),
    hasKeyring: await access(KEYRING).then(
      () => true,
      () => false,
    ),
    hasOverlayfs: /\boverlay$/m.test((await readIfThere('/proc/filesystems')) ?? ''),
    hasMirror,
  };
}

/** The refusal that names all that is missing. */
export function requirementsError(missing: Missing): ProvisionError {
  return new ProvisionError({
    code: 'lab-requirements',
    message: `this machine cannot run a lab; missing:\n${missing.problems.map((line) => `  - ${line}`).join('\n')}`,
    hint:
      missing.packages.length === 0
        ? undefined
        : `apt-get install ${missing.packages.join(' ')}   (or: provision lab up --install-missing)`,
  });
}

/** Installs Debian packages on this machine; only ever called because the user asked for it. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await runTool('apt-get', ['install', '--yes', ...packages]);
}
