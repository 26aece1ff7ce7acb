import { temporaryDirectory } from './temporary-directory.js';

let made: string | undefined;

/**
 * The directory in which a test file runs scripts that it tests, gone with the file: what a wrong one writes to where it was
 * started lands there, and not in this repository.
 */
export function scratch(): string {
  return (made ??= temporaryDirectory('scratch'));
}
