import { askText } from '../facts/file-content.js';
import { fileOrigin } from '../facts/file-origin.js';
import { fileState } from '../facts/file-state.js';
import { unitState } from '../facts/unit-state.js';
import { changed, UNCHANGED, type Action, type Resource } from '../model/change.js';
import { SNAPSHOT_FILES, SNAPSHOT_TIMER } from '../shell/scheduled-snapshot.js';
import { daemonReload, serviceCommand } from '../shell/service-command.js';

/** A host that saves no snapshots on a schedule, any more: its timer and what that started go; the snapshots stay. */
export function noScheduledSnapshots(): Resource {
  const { timer, script, service } = SNAPSHOT_FILES;
  // The service is written first of what runs, and goes last: without it there is nothing to look for.
  const paths = [timer, script, service];
  return {
    address: `no-timer:${SNAPSHOT_TIMER}`,
    paths: [],
    async plan(probe) {
      if ((await probe.ask(fileState, service)).kind !== 'file') return UNCHANGED;
      const [state, text, ...origins] = await Promise.all([
        probe.ask(unitState, SNAPSHOT_TIMER),
        askText(probe, service),
        ...paths.map((path) => probe.ask(fileOrigin, path)),
      ]);
      const ours = paths.filter((_, index) => origins[index]?.kind === 'ours');
      if (ours.length === 0) return UNCHANGED;
      const verbs = [...(state.enabled ? ['disable' as const] : []), ...(state.active ? ['stop' as const] : [])];
      const stopped = verbs.map((verb): Action => {
        const back = verb === 'disable' ? 'enable' : 'start';
        return {
          kind: 'run',
          command: serviceCommand(verb, SNAPSHOT_TIMER),
          undo: serviceCommand(back, SNAPSHOT_TIMER),
        };
      });
      const [, directory] = /^ReadWritePaths=(\S+)$/m.exec(text ?? '') ?? [];
      return changed({
        summary: 'save no snapshots on a schedule any more',
        diff: [
          ...(verbs.length === 0 ? [] : [`${verbs.join(' and ')} ${SNAPSHOT_TIMER}`]),
          ...ours.map((path) => `- ${path}`),
          directory === undefined ? 'the snapshots stay' : `the snapshots in ${directory.replaceAll('%%', '%')} stay`,
        ],
        actions: [
          ...stopped,
          ...ours.map((path): Action => ({ kind: 'remove-file', path })),
          { kind: 'run', command: daemonReload(), undo: daemonReload() },
        ],
        disruptive: false,
      });
    },
  };
}
