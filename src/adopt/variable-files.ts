import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join, relative } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readIfThere } from '../pki/store-files.js';
import { quote } from '../shell/quote.js';
import { appendVariables } from './append-variables.js';
import type { NewVariable, NewVariables } from './decide-variables.js';

/** A name that stays in its directory, and is not hidden there. */
const FILE_NAME = /^[^./\p{C}][^/\p{C}]{0,200}$/u;

/** A file of variables as it will be. */
export interface FileEdit {
  readonly path: string;
  /** Its path as it is shown: relative where the user typed a relative one. */
  readonly shown: string;
  /** Absent: the file is new. */
  readonly before: string | undefined;
  readonly after: string;
  readonly variables: readonly NewVariable[];
}

/**
 * Reads the files that variables belong into, and works out what they will hold; writes nothing.
 * @param directory of the inventory, absolute
 * @param group that the shared ones are for
 * @throws ProvisionError when one of them cannot be added to
 */
export async function editVariableFiles(
  directory: string,
  variables: NewVariables,
  group = 'etcd',
): Promise<readonly FileEdit[]> {
  const wanted = [
    ...(variables.shared.length === 0 ? [] : [{ room: 'group_vars', name: group, add: variables.shared }]),
    ...[...variables.hosts].map(([host, add]) => ({ room: 'host_vars', name: host, add })),
  ];
  return Promise.all(
    wanted.map(async ({ room, name, add }) => {
      if (!FILE_NAME.test(name))
        throw cannotAdd(
          `${room}/${JSON.stringify(name)}`,
          'is not a valid file name',
          'rename the host in the inventory',
        );
      const path = await variableFile(join(directory, room), name);
      const shown = shownPath(path);
      const before = await read(path);
      if (extname(path) === '.json') throw cannotAdd(shown, 'it is JSON', `write it as YAML: ${room}/${name}.yaml`);
      if (before?.startsWith('$ANSIBLE_VAULT') === true)
        throw cannotAdd(
          shown,
          'it is encrypted as a whole',
          `move it into a directory, where a file beside it can be added: ${room}/${name}/vault.yaml`,
        );
      try {
        return { path, shown, before, after: appendVariables(before ?? '', add), variables: add };
      } catch (error) {
        throw cannotAdd(
          shown,
          error instanceof Error ? error.message : String(error),
          `make ${shown} a list of lines such as NAME: VALUE`,
        );
      }
    }),
  );
}

/** Ansible takes the first of these (EXTENSIONS in inventory/group-vars.ts); a new file is YAML. */
async function variableFile(room: string, name: string): Promise<string> {
  const names = new Set(await readdir(room).catch(() => []));
  const there = ['', '.yml', '.yaml', '.json'].map((extension) => name + extension).find((each) => names.has(each));
  if (there === undefined) return join(room, `${name}.yaml`);
  const path = join(room, there);
  return (await stat(path)).isDirectory() ? join(path, 'adopted.yaml') : realpath(path);
}

async function read(path: string): Promise<string | undefined> {
  return readIfThere(path).catch((cause: unknown) => {
    throw new ProvisionError({
      code: 'unreadable',
      message: `${shownPath(path)} cannot be read: ${fileReason(cause)}`,
      cause,
    });
  });
}

function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function cannotAdd(file: string, reason: string, hint: string): ProvisionError {
  return new ProvisionError({ code: 'variables-file', message: `${file}: no variable can be added: ${reason}`, hint });
}

/**
 * Writes files of variables: all are staged beside their places before the first takes its own.
 * @throws ProvisionError when one cannot be written, or was changed since it was read
 */
export async function writeVariableFiles(edits: readonly FileEdit[]): Promise<void> {
  const stages: { readonly stage: string; readonly path: string }[] = [];
  try {
    for (const edit of edits) {
      if ((await read(edit.path)) !== edit.before)
        throw new ProvisionError({
          code: 'variables-file',
          message: `${edit.shown} was changed meanwhile; nothing was written`,
          hint: 'run it again',
        });
      stages.push({ stage: await stageFile(edit), path: edit.path });
    }
    for (const { stage, path } of stages) await rename(stage, path);
  } finally {
    await Promise.all(stages.map(({ stage }) => rm(stage, { force: true })));
  }
}

async function stageFile({ path, shown, before, after }: FileEdit): Promise<string> {
  const stage = join(dirname(path), `.${randomBytes(6).toString('hex')}.provision~`);
  try {
    if (before !== undefined) await access(path, constants.W_OK);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(stage, 'wx');
    try {
      await file.writeFile(after, 'utf8');
      if (before !== undefined) await file.chmod((await stat(path)).mode & 0o7777);
      await file.sync();
    } finally {
      await file.close();
    }
    return stage;
  } catch (cause) {
    await rm(stage, { force: true });
    throw new ProvisionError({
      code: 'variables-file',
      message: `${shown} cannot be written (${fileReason(cause)}); nothing was written`,
      hint: `look at its permissions: ls -l ${quote(dirname(shown))}`,
      cause,
    });
  }
}
