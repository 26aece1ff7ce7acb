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
    end: { kind: 'stop', unit: SNAPSHOT_TIMER, path: timer },
  });
}
