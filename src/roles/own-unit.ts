import { posix } from 'node:path';
import type { Resource } from '../model/change.js';
import type { Inventory } from '../model/inventory.js';
import type { Balancer, ProxySettings, ServiceName } from '../model/virtual-service.js';
import { BESIDE } from '../proxies/proxy.js';
import { directory } from '../resources/directory.js';
import { file } from '../resources/file.js';
import type { RoleTools } from './role.js';

/** One program of a balancer, whose unit may be the package's or one of our own. */
interface OwnUnit {
  readonly service: ServiceName;
  readonly balancer: Balancer;
  readonly instance: Pick<ProxySettings, 'unit' | 'unitFile' | 'configFile'>;
  /** Name of the template of its unit. */
  readonly unitTemplate: string;
}

/** The directory of the configuration, and the unit, of an instance of our own; nothing where the package's unit runs. */
export function ownUnit(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { service, balancer, instance, unitTemplate }: OwnUnit,
): readonly Resource[] {
  const { unit, unitFile, configFile } = instance;
  if (unitFile === undefined) return [];
  const root = { owner: 'root', group: 'root' } as const;
  const content = inventory.render(balancer.host, template(unitTemplate), { service, unit, config_file: configFile });
  return [
    directory({ path: posix.dirname(configFile), ...root, mode: '0755' }),
    file({
      path: unitFile,
      content,
      ...root,
      mode: '0644',
      foreign: { replace: balancer.replaceFiles, wayOut: BESIDE },
    }),
  ];
}
