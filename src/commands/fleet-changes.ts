import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ProvisionError } from '../model/errors.js';

const run = promisify(execFile);

/** What git lists of one repository; names of a hundred thousand files fit. In bytes. */
const MOST_OUTPUT = 32 * 1024 * 1024;

/**
 * The files below a directory that differ from a revision of its git repository: committed since, changed, or new.
 * @param revision whatever `git rev-parse` takes: `origin/main`, `HEAD~1`, a hash
 * @returns paths below the directory
 * @throws ProvisionError `fleet-revision`
 */
export async function changedSince(directory: string, revision: string): Promise<readonly string[]> {
  async function git(...words: readonly string[]): Promise<string> {
    const { stdout } = await run('git', ['-C', directory, ...words], { maxBuffer: MOST_OUTPUT });
    return stdout;
  }
  try {
    const commit = await git('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`);
    const differing = await git('diff', '--name-only', '-z', '--no-renames', '--relative', commit.trim(), '--', '.');
    const untracked = await git('ls-files', '-z', '--others', '--exclude-standard', '--', '.');
    return `${differing}${untracked}`.split('\0').filter((path) => path !== '');
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    throw new ProvisionError({
      code: 'fleet-revision',
      message: `what changed in ${directory} since ${revision} is not known: ${stderr.trim() || message}`,
      hint: 'give a revision that this checkout has; in a pipeline fetch the whole history first',
      cause: error,
    });
  }
}
