import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { COPIED_FILE_BYTES, readBounded } from '../model/read-bounded.js';
import type { Playbook, ReadPlay } from './read-playbook.js';
import { sourceFile } from './task-source.js';

/**
 * SHA-256 of all that a playbook's plays are made from, in hex: its files, the templates beside them, and the files that
 * tasks copy. What is known only after apply when a plan is made is decided from these. The names count as seen from the
 * playbook, so that it does not matter how its path was typed.
 */
export async function digestPlaybook({ file, plays }: Playbook): Promise<string> {
  const root = dirname(resolve(file));
  const directories = new Set(plays.map(({ directory }) => join(directory, 'templates')));
  const templates = await Promise.all([...directories].map(filesBelow));
  const files = new Set([
    resolve(file),
    ...plays.map(({ source }) => resolve(source.file)),
    ...templates.flat(),
    ...plays.flatMap(namedFiles),
  ]);
  const read = await Promise.all(
    [...files].map(async (path) => ({ name: relative(root, path), text: await readIfThere(path) })),
  );
  const digest = createHash('sha256');
  for (const { name, text } of read.sort((a, b) => (a.name < b.name ? -1 : 1)))
    digest.update(`${JSON.stringify([name, text?.length ?? null])}\n`).update(text ?? '');
  return digest.digest('hex');
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What `src` of a task's module names, wherever it is found. */
function namedFiles({ play, directory }: ReadPlay): readonly string[] {
  return (play.tasks ?? [])
    .flatMap((task) => Object.entries(task))
    .flatMap(([module, parameters]) =>
      typeof parameters === 'object' && parameters !== null && 'src' in parameters && typeof parameters.src === 'string'
        ? [sourceFile(directory, module.endsWith('template') ? 'templates' : 'files', parameters.src)]
        : [],
    );
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readBounded(path, COPIED_FILE_BYTES).catch(() => undefined);
}
