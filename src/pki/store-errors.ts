import { ProvisionError } from '../model/errors.js';
import { keyPath } from './authority-files.js';

/** Nothing was made or imported yet. @param directory of the store */
export function authorityMissing(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-missing',
    message: `there is no certificate authority in ${directory}`,
    hint: 'plan the first etcd member too (it comes with the authority), or import one: provision ca import STORE --certificate FILE --key FILE',
  });
}

/** The key is kept elsewhere, or was lost. @param directory of the store */
export function authorityKeyMissing(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-key-missing',
    message: `${keyPath(directory)} is not there: the authority can be trusted, but nothing can be signed`,
    hint: 'put ca.key.age back from where the authority was made',
  });
}

/** Another run came in between. @param directory of the store */
export function storeChanged(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'store-changed',
    message: `${directory} is not as this step of the rotation needs it: another run has changed it`,
    hint: 'run the same command again: it uses what is there now',
  });
}

/** What is there is never overwritten. @param directory of the store */
export function authorityExists(directory: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-exists',
    message: `there is a certificate authority in ${directory} already; it is never overwritten`,
    hint: 'look at it with: provision ca show STORE',
  });
}
