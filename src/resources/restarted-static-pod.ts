import { askText } from '../facts/file-content.js';
import { fileState } from '../facts/file-state.js';
import { programStarts } from '../facts/program-starts.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { processName } from '../model/kubeadm-certificate.js';
import { refuseForeignLink } from './file.js';
import { newerFiles } from './service.js';
import { unifiedDiff } from './unified-diff.js';
import { annotationOf, withAnnotation } from './with-annotation.js';
import { writeManifest } from './write-manifest.js';

/** Counts the restarts that were asked for: the kubelet replaces a static pod when what its manifest says changes. */
const ANNOTATION = 'provision/restarts';

/** A static pod that is restarted for its files. */
interface RestartedPod {
  readonly manifest: string;
  /** Its program. */
  readonly program: string;
  /** The gate that knows whether the new process serves; it is given the files. */
  readonly gate: string;
}

/**
 * A static pod that runs with these files. What a program reads at its start alone it has read before it was changed; where a file is
 * newer than the process, or changes in this run, the kubelet is made to start another one: at once, also where it pauses after crashes.
 */
export function restartedStaticPod(
  { manifest: path, program, gate }: RestartedPod,
  runsWith: readonly Resource[],
): Resource {
  return {
    address: `static-pod-start:${path}`,
    paths: [],
    async plan(probe) {
      const [text, state, processes, newer] = await Promise.all([
        askText(probe, path),
        probe.ask(fileState, path),
        probe.ask(programStarts, processName(program)),
        newerFiles(runsWith, probe),
      ]);
      if (text === undefined || state.kind === 'absent') return UNCHANGED;
      // What does not run may be in a pause after a crash, and be started between the changes of two of its files.
      const since = processes.length === 0 ? undefined : Math.min(...processes.map(({ startedAt }) => startedAt));
      const reasons = newer(since);
      if (reasons.length === 0) return UNCHANGED;
      refuseForeignLink(path, state);
      const count = Number(annotationOf({ text }, ANNOTATION) ?? '0');
      const after = withAnnotation({ path, text }, ANNOTATION, String(Number.isSafeInteger(count) ? count + 1 : 1));
      return changed({
        summary: `restart ${program}, by an annotation of ${path}`,
        diff: [...reasons.map((reason) => `because ${reason}`), ...unifiedDiff(path, text, after)],
        actions: [
          writeManifest(path, after, state),
          { kind: 'await', gate, parameters: { runsWith: runsWith.flatMap(({ paths }) => paths) } },
        ],
        effect: 'restart',
        disruptive: true,
      });
    },
  };
}

/** A kube-apiserver that runs with these files, as {@link restartedStaticPod}. */
export function restartedApiserver(
  { manifest }: Pick<RestartedPod, 'manifest'>,
  runsWith: readonly Resource[],
): Resource {
  return restartedStaticPod({ manifest, program: 'kube-apiserver', gate: 'apiserver-ready' }, runsWith);
}
