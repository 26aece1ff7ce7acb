import type { Resource } from '../../model/change.js';
import { directory } from '../../resources/directory.js';
import type { PackagesOptions } from '../../resources/packages.js';
import type { Balancer } from '../../model/virtual-service.js';

/** The packages of keepalived, whose own unit their installation does not start. Where an instance of ours runs, that is not wanted at all. */
export function keepalivedPackages({ keepalived: { unit, unitFile } }: Balancer): PackagesOptions {
  const names = ['keepalived'];
  return unitFile === undefined ? { names, keepStopped: [unit] } : { names, keepDisabled: names };
}

/** Where its files are. Its package makes it, as Debian's does. */
export function keepalivedDirectory(): Resource {
  return directory({ path: '/etc/keepalived', owner: 'root', group: 'root', mode: '0755' });
}
