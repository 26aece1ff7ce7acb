import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../model/did-you-mean.js';
import { ProvisionError } from '../model/errors.js';
import { packageRoot } from '../model/package-root.js';
import { COPIED_FILE_BYTES, readBoundedSync, readTextBoundedSync, TYPED_FILE_BYTES } from '../model/read-bounded.js';
import { PLAYBOOKS } from './run-options.js';

/**
 * The file of a playbook: a shipped one by its name (`site`), any other by its path.
 * @throws ProvisionError `playbook-unreadable` for a word that is neither
 */
export function playbookFile(nameOrPath: string): string {
  if (!/^[a-z-]+$/i.test(nameOrPath)) return nameOrPath;
  const shipped = join(packageRoot(), 'playbooks', `${nameOrPath}.yaml`);
  if (existsSync(shipped)) return shipped;
  if (existsSync(nameOrPath)) return nameOrPath;
  throw new ProvisionError({
    code: 'playbook-unreadable',
    message: `${nameOrPath} is neither a shipped playbook nor a file${didYouMean(nameOrPath, PLAYBOOKS)}`,
    hint: `shipped playbooks: ${PLAYBOOKS.join(', ')}; any other is the path of a file`,
  });
}

/** The text of a shipped template. */
export function shippedTemplate(name: string): string {
  return shippedText('templates', name);
}

/** The text of a file of a Terraform module. @param cloud whose load balancer it is about */
export function shippedModuleFile(cloud: string, name: string): string {
  return shippedText('terraform', cloud, name);
}

/** A file of this machine that an inventory names. @throws Error of the file system */
export function readNamedFile(path: string): string {
  return readTextBoundedSync(path, COPIED_FILE_BYTES);
}

/** The same of a file that is no text: a key. @throws Error of the file system */
export function readNamedBytes(path: string): Buffer {
  return readBoundedSync(path, TYPED_FILE_BYTES);
}

function shippedText(...path: readonly string[]): string {
  const file = join(packageRoot(), 'playbooks', ...path);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ProvisionError({
      code: 'template-missing',
      message: `${file}, which belongs to this program, can't be read`,
      hint: 'install provision again',
      cause,
    });
  }
}
