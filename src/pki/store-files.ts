import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProvisionError } from '../model/errors.js';
import { fileReason } from '../model/file-reason.js';
import { readTextBounded, TYPED_FILE_BYTES } from '../model/read-bounded.js';

/** The text of a file; `undefined` when there is none. @throws the system's error for anything else */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readTextBounded(path, TYPED_FILE_BYTES);
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

/**
 * Writes a file that its owner alone may read, whatever stood there: a file that others may read, or a link that others
 * planted, goes; what the link leads to is not touched.
 * @param what the file is, for the error: `the plan`
 * @throws ProvisionError `file-not-written`: a directory, a device, no permission, a full disk; what is there stays
 */
export async function writePrivately(path: string, text: string, what: string): Promise<void> {
  await whereFilesGo(path, what, () => replace(path, text, 0o600, randomBytes(6).toString('hex')));
}

/**
 * Makes a file beside a path and removes it, so that what {@link writePrivately} would fail for shows before any work.
 * @throws ProvisionError `file-not-written`
 */
export async function requireWritable(path: string, what: string): Promise<void> {
  const stage = `${path}.${randomBytes(6).toString('hex')}`;
  await whereFilesGo(path, what, async () => {
    await writeStage(stage, '', 0o600);
    await rm(stage);
  });
}

/** @throws ProvisionError `file-not-written` */
async function whereFilesGo(path: string, what: string, write: () => Promise<void>): Promise<void> {
  // A rename would put a file in place of /dev/stdout, or of /dev/null, for every program of the machine.
  const there = await stat(path).catch(() => undefined);
  if (there?.isFile() === false) throw notWritten(path, what, 'it is there, and is not a file');
  try {
    await write();
  } catch (cause) {
    throw notWritten(path, what, fileReason(cause), cause);
  }
}

function notWritten(path: string, what: string, why: string, cause?: unknown): ProvisionError {
  return new ProvisionError({
    code: 'file-not-written',
    message: `${what} was not written to ${path}: ${why}`,
    hint: 'name a file, old or new, in a directory where you may make files',
    cause,
  });
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
