import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ProvisionError, type Problem } from '../model/errors.js';
import type { Inventory } from '../model/inventory.js';
import type { Secret } from '../model/secret.js';
import { loadVariableFiles, type Place } from './group-vars.js';
import { isUndefined } from './host-view.js';
import { createInventory, type ProvidedVariables } from './create-inventory.js';
import { createTemplateEngine } from './jinja.js';
import { readInventoryFiles } from './read-inventory-files.js';
import { startLog, warn, type LoadLog } from './source-text.js';

/** What loading may need beside the files. */
export interface LoadOptions {
  /** Opens `!vault` values and encrypted files. Without it they are an error when they are used. */
  readonly vaultPassword?: Secret | undefined;
  /** What templates may use beside what the files set; default: nothing. */
  readonly provided?: ProvidedVariables | undefined;
  /** What `~` stands for; default: the home directory of the user. */
  readonly home?: string | undefined;
  /** What a relative path stands in; default: the working directory of the process. */
  readonly workingDirectory?: string | undefined;
}

/**
 * Loads an inventory in Ansible's format: a YAML or INI file, or a directory of them, with the group_vars/ and host_vars/
 * beside it. Variables are rendered when they are asked for, so a variable that nobody uses may hold anything.
 * @param path as the user typed it; errors show files below it in the same way
 * @throws InputError for everything that is wrong in the files, with file:line:column
 * @throws ProvisionError when a file cannot be read or decrypted, or the inventory contains no host
 */
export async function loadInventory(path: string, options: LoadOptions = {}): Promise<Inventory> {
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const home = options.home ?? homedir();
  const place: Place = { path: resolve(workingDirectory, path), file: path };
  const log = startLog(dirname(place.path));
  const engineReady = createTemplateEngine(isUndefined);
  const { graph, directory } = await readInventoryFiles(place, log, options.vaultPassword);
  if (graph.hosts.size === 0) {
    throw new ProvisionError({
      code: 'inventory-empty',
      message: `${path}: the inventory contains no host${log.warnings.map(placeAndReason).join('')}`,
      hint: 'the directory inventory/ of this program holds examples that work as they are',
    });
  }
  tellOtherVariables(workingDirectory, directory, log);
  const variableFiles = (name: string, names: readonly string[]): ReturnType<typeof loadVariableFiles> =>
    loadVariableFiles(
      { path: join(directory.path, name), file: join(directory.file, name) },
      names,
      log,
      options.vaultPassword,
    );
  const files = {
    groups: await variableFiles('group_vars', [...graph.groups.keys()]),
    hosts: await variableFiles('host_vars', [...graph.hosts.keys()]),
  };
  return createInventory({
    file: path,
    path: place.path,
    directory: directory.path,
    digest: log.digest.digest('hex'),
    warnings: log.warnings,
    graph,
    files,
    engine: await engineReady,
    vaultPassword: options.vaultPassword,
    provided: options.provided,
    resolvePath: (file) => resolveKeyFile(file, home, [directory.path, workingDirectory]),
  });
}

/** Ansible reads group_vars/ and host_vars/ of a playbook's directory, too, and of the one in which ansible-inventory is run. */
function tellOtherVariables(workingDirectory: string, { path, file }: Place, log: LoadLog): void {
  if (realpathSync(workingDirectory) === realpathSync(path)) return;
  for (const name of ['group_vars', 'host_vars']) {
    if (!existsSync(join(workingDirectory, name))) continue;
    const message = `is in the working directory, and is not read, as with Ansible where a playbook is there: only what is beside the inventory is, in ${file}`;
    warn(log, { file: name, line: 1, column: 1 }, `${name}/`, message);
  }
}

/** Why a part of it was passed over. Its own words are not shown: what has no host may be no inventory at all. */
function placeAndReason({ at, message }: Problem): string {
  return at === undefined ? '' : `\n${at.file}:${at.line}:${at.column}: ${message}`;
}

/** Key files are named from the home, the inventory's directory, or (as Ansible has it) the working directory. */
function resolveKeyFile(file: string, home: string, directories: readonly string[]): string {
  if (file === '~' || file.startsWith('~/')) return join(home, file.slice(1));
  if (isAbsolute(file)) return file;
  const candidates = directories.map((directory) => resolve(directory, file));
  return candidates.find((candidate) => existsSync(candidate)) ?? candidates[0] ?? file;
}
