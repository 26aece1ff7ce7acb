import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { isMap } from 'yaml';
import type { Secret } from '../model/secret.js';
import { didYouMean } from '../model/did-you-mean.js';
import { shortList } from '../model/short-list.js';
import type { Setting } from './raw-value.js';
import { attemptFile, problemAt, readSource, warn, type LoadLog, type SourceText } from './source-text.js';
import { decryptVault, isVaultText } from './vault.js';
import { dereference, parseYaml, positionOfNode } from './yaml-file.js';
import { entriesOf, keyText, settingOf, valueOf } from './yaml-values.js';

/** Ansible's order: a name without extension first, so that a directory goes before a file (YAML_FILENAME_EXTENSIONS). */
const EXTENSIONS = ['', '.yml', '.yaml', '.json'];

/** Variables by name, as one entity's files set them; later files lie over earlier ones. */
export type Settings = ReadonlyMap<string, Setting>;

/** A place on disk, and how it is shown to the user. */
export interface Place {
  readonly path: string;
  readonly file: string;
}

/**
 * Loads `group_vars/` or `host_vars/` beside an inventory, for the names that the inventory holds
 * (ansible/plugins/vars/host_group_vars.py).
 * @throws InputError when a file has a wrong syntax or holds no mapping
 * @throws ProvisionError when a file cannot be read, or is encrypted and there is no password
 */
export async function loadVariableFiles(
  directory: Place,
  names: readonly string[],
  log: LoadLog,
  vaultPassword: Secret | undefined,
): Promise<ReadonlyMap<string, Settings>> {
  const found = new Map<string, Settings>();
  const entries = new Set(await listDirectory(directory));
  const used = new Map<string, string>();
  for (const name of entries.size === 0 ? [] : names) {
    const entry = EXTENSIONS.map((extension) => name + extension).find((candidate) => entries.has(candidate));
    if (entry === undefined) continue;
    used.set(name, entry);
    const settings = new Map<string, Setting>();
    for (const file of await filesOf(within(directory, entry))) {
      for (const [key, setting] of await loadVariables(file, log, vaultPassword)) settings.set(key, setting);
    }
    found.set(name, settings);
  }
  await tellUnused(directory, used, names, log);
  return found;
}

/** Files that come with a copy of kubespray's samples, whatever groups it has, and those that are no variables. */
const NOT_MISSED = new Set([
  'all',
  'ungrouped',
  'k8s_cluster',
  'k8s-cluster',
  'kube_node',
  'calico_rr',
  'bastion',
  'README',
  'LICENSE',
]);

/**
 * Warns of variables that nobody has: of a group or host that the inventory does not name, or in a second file of one name.
 * @param used name → the entry that was read
 */
async function tellUnused(
  directory: Place,
  used: ReadonlyMap<string, string>,
  names: readonly string[],
  log: LoadLog,
): Promise<void> {
  const kind = directory.file.endsWith('group_vars') ? 'group' : 'host';
  const nobodys: { readonly entry: string; readonly name: string }[] = [];
  const read = new Set(used.values());
  for (const entry of await listDirectory(directory)) {
    const name = read.has(entry) ? undefined : await nameOf(directory, entry);
    if (name === undefined || NOT_MISSED.has(name)) continue;
    const first = used.get(name);
    const near = isOneOfSeveral(name, names) ? '' : didYouMean(name, names);
    if (first !== undefined) tell(entry, `is not read: ${within(directory, first).file} comes first`);
    else if (near !== '')
      tell(entry, `no ${kind} ${name} is in the inventory, so these variables have no effect${near}`);
    else nobodys.push({ entry, name });
  }
  const [first, ...more] = nobodys;
  if (first === undefined) return;
  const others = more.length === 0 ? '' : ` (the same of ${shortList(more.map(({ entry }) => entry))})`;
  tell(first.entry, `no ${kind} ${first.name} is in the inventory, so these variables have no effect${others}`);

  function tell(entry: string, message: string): void {
    const { file } = within(directory, entry);
    warn(log, { file, line: 1, column: 1 }, entry, message);
  }
}

/** `etcd-4` beside `etcd-3` is no slip. */
function isOneOfSeveral(name: string, names: readonly string[]): boolean {
  const without = (text: string): string => text.replaceAll(/\d+/g, '');
  return names.some((other) => without(other) === without(name));
}

/** Whose variables an entry has; undefined where it is a backup, hidden, or of another kind. */
async function nameOf(directory: Place, entry: string): Promise<string | undefined> {
  if (/^\.|~$/.test(entry)) return undefined;
  if (await isDirectory(join(directory.path, entry))) return entry;
  const extension = extname(entry);
  return EXTENSIONS.includes(extension) ? entry.slice(0, entry.length - extension.length) : undefined;
}

function within(place: Place, name: string): Place {
  return { path: join(place.path, name), file: join(place.file, name) };
}

async function listDirectory(place: Place): Promise<readonly string[]> {
  if (!(await isDirectory(place.path))) return [];
  return (await attemptFile(place.file, () => readdir(place.path))).sort();
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The file itself, or the variable files in the directory and below, in order; hidden and backup files are left out. */
async function filesOf(place: Place): Promise<readonly Place[]> {
  if (!(await isDirectory(place.path))) return [place];
  const files: Place[] = [];
  for (const name of await listDirectory(place)) {
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const entry = within(place, name);
    const extension = extname(name);
    const directory = await isDirectory(entry.path);
    if (directory ? extension === '' : EXTENSIONS.includes(extension)) files.push(...(await filesOf(entry)));
  }
  return files;
}

async function loadVariables(place: Place, log: LoadLog, vaultPassword: Secret | undefined): Promise<Settings> {
  const text = await readSource(place.path, place.file, log);
  const confidential = isVaultText(text);
  const clear = confidential ? decryptVault(text, vaultPassword, place.file) : text;
  const source: SourceText = { file: place.file, text: clear, confidential };
  const file = parseYaml(source, log);
  const top = dereference(file, file.root);
  if (top === null) return new Map();
  if (!isMap(top)) {
    const value = valueOf(file, top);
    if (value === null || value === false || value === '' || value === 0) return new Map();
    throw problemAt(positionOfNode(file, top), place.file, 'expected variables: a mapping of names to values');
  }
  return new Map(entriesOf(file, top).map((entry) => [keyText(entry.key), settingOf(file, entry)]));
}
