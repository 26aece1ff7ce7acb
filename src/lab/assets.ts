import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory that holds package.json: sources run from src/, the built program from dist/. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** Absolute path of a file in src/lab/assets, which is shipped as it is. @param name its file name */
export function assetPath(name: string): string {
  return join(packageRoot(), 'src', 'lab', 'assets', name);
}
