import { posix } from 'node:path';
import type { Resource } from '../../model/change.js';
import type { Cluster, Member, SnapshotSchedule } from '../../model/cluster.js';
import { plainContent } from '../../model/content.js';
import type { Inventory } from '../../model/inventory.js';
import { directory } from '../../resources/directory.js';
import { file } from '../../resources/file.js';
import { noScheduledSnapshots } from '../../resources/no-scheduled-snapshots.js';
import { service } from '../../resources/service.js';
import { snapshotDirectory } from '../../resources/snapshot-directory.js';
import { scheduledSnapshotScript } from '../../shell/scheduled-snapshot.js';
import { SNAPSHOT_DELAY_S, SNAPSHOT_FILES, SNAPSHOT_TIMER, SNAPSHOT_UNIT } from '../../shell/snapshot-unit.js';
import type { RoleTools } from '../role.js';

const ROOT = { owner: 'root', group: 'root' } as const;

/** systemd itself reads the schedule before it lands. */
const READS_SCHEDULE = `systemd-analyze calendar -- "$(sed -n 's/^OnCalendar=//p' "$1")" >/dev/null`;

/** The timer by which a host saves snapshots of its own member, or none of it. Whoever set the member up: it is asked as a gate asks it. */
export function scheduledSnapshots(
  tools: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  { cluster, member }: { readonly cluster: Cluster; readonly member: Member },
): readonly Resource[] {
  const { snapshots } = member;
  return snapshots === undefined ? [noScheduledSnapshots()] : parts(tools, inventory, { cluster, member, snapshots });
}

function parts(
  { template }: Pick<RoleTools, 'template'>,
  inventory: Inventory,
  {
    cluster,
    member,
    snapshots,
  }: { readonly cluster: Cluster; readonly member: Member; readonly snapshots: SnapshotSchedule },
): readonly Resource[] {
  const foreign = {
    replace: member.replaceFiles,
    wayOut: 'where another tool takes the snapshots: leave etcd_snapshot_schedule out',
  };
  const { timer, script, service: unitFile } = SNAPSHOT_FILES;
  const unit = file({
    path: unitFile,
    content: inventory.render(member.host, template('etcd-snapshot.service.j2'), {
      ...{ member_unit: member.unit, script, unit: SNAPSHOT_UNIT, uploads: snapshots.upload !== undefined },
      // systemd.unit(5), "Specifiers".
      directory: snapshots.directory.replaceAll('%', '%%'),
    }),
    ...ROOT,
    mode: '0644',
    foreign,
  });
  const schedule = file({
    path: timer,
    content: inventory.render(member.host, template('etcd-snapshot.timer.j2'), {
      schedule: snapshots.onCalendar,
      delay: SNAPSHOT_DELAY_S,
    }),
    ...ROOT,
    mode: '0644',
    validate: READS_SCHEDULE,
    foreign,
  });
  const content = plainContent(scheduledSnapshotScript({ cluster: cluster.token, member, snapshots }));
  return [
    snapshotDirectory(snapshots.directory),
    directory({ path: posix.dirname(script), ...ROOT, mode: '0755' }),
    file({ path: script, content, ...ROOT, mode: '0755', foreign }),
    unit,
    schedule,
    service({ unit: SNAPSHOT_TIMER, runsWith: [unit, schedule], onChange: 'restart' }),
  ];
}
