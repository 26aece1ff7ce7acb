import { join } from 'node:path';
import { packageRoot } from '../model/package-root.js';

/** Absolute path of a file in src/lab/assets, which is shipped as it is. @param name its file name */
export function assetPath(name: string): string {
  return join(packageRoot(), 'src', 'lab', 'assets', name);
}
