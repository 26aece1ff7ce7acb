import type { Resource } from '../model/change.js';
import { SNAPSHOT_FILES, SNAPSHOT_TIMER } from '../shell/snapshot-unit.js';
import { ownUnitRemoved } from './own-unit-removed.js';

/** A host that saves no snapshots on a schedule, any more: its timer and what that started go; the snapshots stay. */
export function noScheduledSnapshots(): Resource {
  const { timer, script, service } = SNAPSHOT_FILES;
  return ownUnitRemoved({
    address: `no-timer:${SNAPSHOT_TIMER}`,
    what: `what saves snapshots on a schedule (${SNAPSHOT_TIMER})`,
    paths: [timer, script, service],
    stays: 'the snapshots stay',
    // Its file may be gone by now: `systemctl disable` would not find it.
    remove: {
      summary: `stop and disable ${SNAPSHOT_TIMER}`,
      script: `systemctl stop ${SNAPSHOT_TIMER} 2>/dev/null || :; rm -f /etc/systemd/system/*.wants/${SNAPSHOT_TIMER}`,
    },
    back: {
      summary: `enable and start ${SNAPSHOT_TIMER}`,
      script: `systemctl daemon-reload && systemctl enable --quiet --now ${SNAPSHOT_TIMER}`,
    },
  });
}
