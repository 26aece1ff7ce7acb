import type { Resource } from '../../model/change.js';
import type { Member } from '../../model/cluster.js';
import type { Inventory } from '../../model/inventory.js';
import { group, user } from '../../resources/accounts.js';
import { file } from '../../resources/file.js';
import { RELEASE_PROGRAM } from '../../shell/etcd-release.js';
import type { RoleTools } from '../role.js';

/** The user that etcd runs as, the same as its package makes. */
export function etcdAccount(): readonly Resource[] {
  return [
    group({ name: 'etcd', system: true }),
    user({ name: 'etcd', system: true, ownGroup: 'etcd', shell: '/usr/sbin/nologin' }),
  ];
}

/** The unit of a member that runs a release, in place of the one of the package, whose drop-ins are read all the same. */
export function etcdUnit(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { host, unit, configFile, dataDir, extraEnv, replaceFiles }: Member,
): Resource {
  const wal = extraEnv['ETCD_WAL_DIR'];
  return file({
    path: `/etc/systemd/system/${unit}.service`,
    content: inventory.render(host, template('etcd.service.j2'), {
      program: RELEASE_PROGRAM,
      config_file: configFile ?? '',
      writes: wal === undefined || wal.isSecret ? dataDir : `${dataDir} ${wal.redacted}`,
    }),
    owner: 'root',
    group: 'root',
    mode: '0644',
    foreign: { replace: replaceFiles, wayOut: 'where another tool made that unit: provision adopt INVENTORY' },
  });
}
