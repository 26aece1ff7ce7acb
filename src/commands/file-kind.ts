import { stat } from 'node:fs/promises';
import { VARIABLES } from '../cluster/known-variables.js';
import { parseBoundedYaml } from '../model/bounded-yaml.js';
import { firstLine } from '../model/first-line.js';
import { LARGE_FILE_BYTES, readBounded } from '../model/read-bounded.js';
import { quote } from '../shell/quote.js';
import { answersSchema } from '../wizard/answers.js';

/** What a file seems to be that was given in the place of another one. */
export interface FileKind {
  readonly what: string;
  /** What it is for. */
  readonly next?: string;
}

/** What `plan -o` writes, of any version. */
export const SAVED_PLAN: FileKind = { what: 'a saved plan' };

/** Hosts in groups; something else may be wrong in it. */
export const INVENTORY: FileKind = { what: 'an inventory' };

/** One of an inventory, or any other. */
export const DIRECTORY: FileKind = { what: 'a directory' };

type Mapping = Readonly<Record<string, unknown>>;

/** Looks at a file that is not what was asked for. @returns `undefined` for one that is nothing known, or can't be read */
export async function kindOfFile(file: string): Promise<FileKind | undefined> {
  try {
    const found = await stat(file);
    if (found.isDirectory()) return DIRECTORY;
    // A pipe has been read, and is no file that could be read again.
    if (!found.isFile()) return undefined;
    const bytes = await readBounded(file, LARGE_FILE_BYTES);
    if (bytes.includes(0)) return { what: 'a binary file' };
    return kindOfText(bytes.toString('utf8'), file);
  } catch {
    return undefined;
  }
}

/** @param file as it is typed in what is to be done next */
export function kindOfText(text: string, file: string): FileKind | undefined {
  if (text.trim() === '') return { what: 'an empty file' };
  if (/\.md$/i.test(file)) return { what: 'a text in Markdown, as `--report FILE.md` writes' };
  const known = TEXTS.find(([is]) => is.test(text.trimStart()));
  if (known !== undefined) return { what: known[1] };
  if (/^\[etcd\]/m.test(text)) return INVENTORY;
  const value = valueOf(text);
  if (Array.isArray(value)) return value.some(isPlay) ? playbook(file) : undefined;
  return isMapping(value) ? kindOfMapping(value, file) : undefined;
}

/** Files that are no data. */
const TEXTS: readonly (readonly [is: RegExp, what: string])[] = [
  [/^-----BEGIN [A-Z ]*PRIVATE KEY/m, 'a private key'],
  [/^-----BEGIN CERTIFICATE-/, 'a certificate'],
  [/^(?:<!doctype html|<html)/i, 'a page of HTML, as `--report FILE.html` writes'],
  [/^<\?xml/, 'a file of XML, as `--report FILE.xml` writes'],
];

/** JSON, YAML, or the first line of many of JSON. */
function valueOf(text: string): unknown {
  return parsed(text) ?? parsed(firstLine(text)) ?? yamlOf(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function yamlOf(text: string): unknown {
  try {
    const document = parseBoundedYaml(text);
    return document.errors.length === 0 ? document.toJS() : undefined;
  } catch {
    return undefined;
  }
}

/** What this program, and others, write: told by the names in it. The first one counts. */
const BY_NAMES: readonly (readonly [names: readonly string[], kind: FileKind])[] = [
  [['formatVersion', 'plays'], SAVED_PLAN],
  [['formatVersion', 'type', 'time'], { what: 'the events of a run (`--format json`, or a journal)' }],
  [['formatVersion', 'failed'], { what: 'the error of a run, as JSON' }],
  [['formatVersion', 'certificates'], { what: 'a list of certificates (`certs list --format json`)' }],
  [['formatVersion', 'snapshots'], { what: 'a list of snapshots (`snapshot list --format json`)' }],
  [['formatVersion', 'items'], { what: 'a health check (`verify --format json`)' }],
  [['formatVersion'], { what: 'what a verb has printed with `--format json`' }],
  [['apiVersion', 'kind'], { what: 'a manifest of Kubernetes' }],
  [['$schema'], { what: 'a JSON Schema' }],
  [['terraform_version'], { what: 'a state of Terraform' }],
  [['name', 'version'], { what: 'the package.json of a program' }],
];

function kindOfMapping(value: Mapping, file: string): FileKind | undefined {
  if (isMapping(value['_meta']))
    return {
      what: 'what `ansible-inventory --list` prints',
      next: 'save the inventory itself: ansible-inventory -i INVENTORY --list --export --yaml > inventory.yaml',
    };
  const [, named] = BY_NAMES.find(([names]) => names.every((name) => name in value && !isGroup(value[name]))) ?? [];
  if (named !== undefined) return named;
  if (Object.values(value).some(isGroup)) return INVENTORY;
  const names = Object.keys(value);
  // `etcd: [etcd-1]` alone is one, too, and more likely a wrong inventory.
  if ('hosts' in value && answersSchema.safeParse(value).success)
    return { what: 'answers for `init`', next: `provision init INVENTORY --answers ${quote(file)}` };
  return names.some((name) => Object.hasOwn(VARIABLES, name))
    ? { what: 'a file of variables', next: 'it belongs beside the inventory, as group_vars/all.yaml' }
    : undefined;
}

function playbook(file: string): FileKind {
  return { what: 'a playbook', next: `provision plan INVENTORY --playbook ${quote(file)}` };
}

function isPlay(value: unknown): boolean {
  return (
    isMapping(value) && ('import_playbook' in value || ('hosts' in value && ('roles' in value || 'tasks' in value)))
  );
}

/** As an inventory of YAML has it. */
function isGroup(value: unknown): boolean {
  return isMapping(value) && ['hosts', 'children', 'vars'].some((name) => name in value);
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
