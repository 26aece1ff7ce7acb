import { spawnSync } from 'node:child_process';

/** What one run of openssl gave. */
export interface OpensslResult {
  readonly status: number | null;
  readonly output: string;
}

/** Is there an openssl on this machine? Contract tests without one are skipped, and say so. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

/** Runs openssl; a non-zero status is returned, not thrown. */
export function openssl(args: readonly string[], stdin = ''): OpensslResult {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input: stdin, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
