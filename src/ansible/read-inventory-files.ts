import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { InputError, ProvisionError } from '../model/errors.js';
import type { Secret } from '../model/secret.js';
import type { Place } from './group-vars.js';
import { readIniInventory } from './ini-inventory.js';
import { emptyGraph, reconcile, type InventoryGraph } from './inventory-graph.js';
import { attemptFile, readSource, warn, type LoadLog, type SourceText } from './source-text.js';
import { decryptVault, isVaultText } from './vault.js';
import { readYamlInventory } from './yaml-inventory.js';
import { parseYaml } from './yaml-file.js';

/** Files that Ansible leaves out of a directory of inventories (INVENTORY_IGNORE_EXTS and IGNORED_ALWAYS). */
const IGNORED =
  /^\.|^(?:host_vars|group_vars|vars_plugins)$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/;

const YAML_EXTENSIONS = ['', '.yml', '.yaml', '.json'];

/** Groups and hosts of an inventory, and the directory that group_vars/ and host_vars/ stand in. */
export interface InventoryFiles {
  readonly graph: InventoryGraph;
  readonly directory: Place;
}

/**
 * Reads an inventory file, or a directory of them, YAML or INI.
 * @throws InputError with what is wrong in the files
 * @throws ProvisionError when a file cannot be read
 */
export async function readInventoryFiles(
  place: Place,
  log: LoadLog,
  vaultPassword: Secret | undefined,
): Promise<InventoryFiles> {
  const isDirectory = (await stat(place.path).catch(() => undefined))?.isDirectory() ?? false;
  const files = isDirectory ? await filesIn(place) : [place];
  if (files.length === 0) {
    throw new ProvisionError({
      code: 'inventory-empty',
      message: `${place.file}: the directory contains no inventory file`,
      hint: 'name a file with hosts, in YAML or INI, or the directory that it is in; `provision init FILE` asks, and writes one',
    });
  }
  let graph = emptyGraph();
  for (const file of files) graph = await readOne(graph, file, log, vaultPassword);
  reconcile(graph);
  tellSharedNames(graph, log);
  return { graph, directory: isDirectory ? place : { path: dirname(place.path), file: dirname(place.file) } };
}

/** Ansible warns of these, too. */
function tellSharedNames({ hosts, groups }: InventoryGraph, log: LoadLog): void {
  const message =
    "names a host and a group; as in Ansible, variables written at the host are the group's: rename one of them";
  for (const { name, at } of hosts.values()) if (groups.has(name)) warn(log, at, name, message);
}

async function filesIn(place: Place): Promise<readonly Place[]> {
  const files: Place[] = [];
  for (const name of (await attemptFile(place.file, () => readdir(place.path))).sort()) {
    if (IGNORED.test(name)) continue;
    const entry = { path: join(place.path, name), file: join(place.file, name) };
    const found = await attemptFile(entry.file, () => stat(entry.path));
    files.push(...(found.isDirectory() ? await filesIn(entry) : [entry]));
  }
  return files;
}

async function readOne(
  graph: InventoryGraph,
  place: Place,
  log: LoadLog,
  vaultPassword: Secret | undefined,
): Promise<InventoryGraph> {
  const raw = await readSource(place.path, place.file, log);
  const confidential = isVaultText(raw);
  const source: SourceText = {
    file: place.file,
    text: confidential ? decryptVault(raw, vaultPassword, place.file) : raw,
    confidential,
  };
  if (source.text.startsWith('#!') && ((await stat(place.path)).mode & 0o111) !== 0) {
    throw new ProvisionError({
      code: 'inventory-script',
      message: `${place.file}: is a program (a dynamic inventory), which is not run`,
      hint: `write its result to a file: ansible-inventory -i ${place.file} --list --export --yaml > inventory.yml`,
    });
  }
  const extension = extname(place.path);
  if (!YAML_EXTENSIONS.includes(extension))
    return readInto(graph, (target) => {
      readIniInventory(target, source, place.path, log);
    });
  return readEither(graph, source, place, log);
}

/** Ansible tries YAML first, then INI; the error reported is that of the format which the file looks like. */
function readEither(graph: InventoryGraph, source: SourceText, place: Place, log: LoadLog): InventoryGraph {
  const warnings = log.warnings.length;
  try {
    return readInto(graph, (target) => {
      readYamlInventory(target, parseYaml(source, log), place.path);
    });
  } catch (error) {
    if (!(error instanceof InputError) || !looksLikeIni(source.text)) throw error;
    log.warnings.length = warnings;
    return readInto(graph, (target) => {
      readIniInventory(target, source, place.path, log);
    });
  }
}

/** A `[section]` line, or no line with a mapping key. */
function looksLikeIni(text: string): boolean {
  const lines = text.split('\n').filter((line) => !/^\s*(?:[#;]|$)/.test(line));
  if (lines.some((line) => /^\s*\[[^\]\s,"'{]+\]\s*(?:#.*)?$/.test(line))) return true;
  return (
    lines.length > 0 &&
    !/^\s*[[{]/.test(lines[0] ?? '') &&
    !lines.some((line) => /^(?:---|\s*(?:- |[^\s=]+:(?:\s|$)))/.test(line))
  );
}

/** Reads into a graph; what a failed try left in it is not kept. */
function readInto(graph: InventoryGraph, read: (target: InventoryGraph) => void): InventoryGraph {
  const target = graph.hosts.size === 0 && graph.groups.size === 2 ? emptyGraph() : graph;
  read(target);
  return target;
}
