import { chmod, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The text of a file; `undefined` when there is none. @throws the system's error for anything else */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Writes a file that does not exist yet: whole and on disk, or not at all. Its directory is made, for its owner only.
 * @param suffix random, for the name of the staged file
 * @returns `false` when there is such a file already; it is left as it is
 */
export async function writeNew(path: string, text: string, mode: number, suffix: string): Promise<boolean> {
  const stage = `${path}.${suffix}`;
  try {
    await writeStage(stage, text, mode);
    // Unlike a rename, a link never replaces what is there.
    await link(stage, path);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(stage, { force: true });
  }
}

/**
 * Writes a file, in place of one that may be there: whole and on disk, or not at all. Its directory is made, for its
 * owner only.
 * @param suffix random, for the name of the staged file
 */
export async function replace(path: string, text: string, mode: number, suffix: string): Promise<void> {
  const stage = `${path}.${suffix}`;
  try {
    await writeStage(stage, text, mode);
    await rename(stage, path);
  } finally {
    await rm(stage, { force: true });
  }
}

async function writeStage(stage: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(stage), { recursive: true, mode: 0o700 });
  const file = await open(stage, 'wx', 0o600);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(stage, mode);
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
