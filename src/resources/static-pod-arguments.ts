import { posix } from 'node:path';
import { askText } from '../facts/file-content.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { argumentOf, readStaticPodManifest, type StaticPodManifest } from '../facts/static-pod-manifest.js';
import { rivalFiles, staticPodFiles } from '../facts/static-pods.js';
import type { Await } from '../model/action.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { refuseForeignLink } from './file.js';
import { unifiedDiff } from './unified-diff.js';
import { withArguments } from './with-arguments.js';
import { writeManifest } from './write-manifest.js';

/** Arguments that a static pod's container should have. */
export interface StaticPodArgumentsOptions {
  /** Of the manifest, on the host. */
  readonly path: string;
  readonly container: string;
  /** Name → value, from the manifest as it is. */
  readonly wanted: (manifest: StaticPodManifest) => ReadonlyMap<string, string>;
  /**
   * Asked in the first look, and settled only where something is to be changed.
   * @returns what refuses a change of this manifest, by a ProvisionError
   */
  readonly permit: (probe: Probe) => (manifest: StaticPodManifest) => Promise<void>;
  /** What a person should know of a manifest as it is: one line. */
  readonly remark?: ((manifest: StaticPodManifest) => string | undefined) | undefined;
  /** An argument that every such manifest has: missing ones are added after it. */
  readonly anchor: string;
  /** What must hold before the manifest is touched. */
  readonly before: (wanted: ReadonlyMap<string, string>) => Await;
  /** What must hold afterwards; else the old manifest is put back. */
  readonly after: (wanted: ReadonlyMap<string, string>) => Await;
}

/** A static pod's arguments, with its manifest's comments and order kept. */
export function staticPodArguments(options: StaticPodArgumentsOptions): Resource {
  const { path, container } = options;
  return {
    address: `static-pod:${path}`,
    paths: [path],
    async plan(probe) {
      const permit = options.permit(probe);
      const [text, state, rivals] = await Promise.all([
        askText(probe, path),
        probe.ask(fileState, path),
        rivalsOf(options, probe),
      ]);
      if (text === undefined || state.kind === 'absent') throw noManifest(options);
      refuseForeignLink(path, state);
      const manifest = readStaticPodManifest(path, text, container);
      const outcome = decide(options, manifest, state);
      if (outcome.kind === 'unchanged') return outcome;
      if (rivals.length > 0) throw twoClaim(options, rivals);
      await permit(manifest);
      return outcome;
    },
    async doubt(probe) {
      const [rivals, remark] = await Promise.all([rivalsOf(options, probe), remarkOn(options, probe)]);
      return rivals.length === 0 ? remark : twoClaim(options, rivals).message;
    },
  };
}

/** Of what can't be read, the plan says why. */
async function remarkOn(
  { path, container, remark }: StaticPodArgumentsOptions,
  probe: Probe,
): Promise<string | undefined> {
  const text = await askText(probe, path);
  if (text === undefined || remark === undefined) return undefined;
  try {
    return remark(readStaticPodManifest(path, text, container));
  } catch (error) {
    if (error instanceof ProvisionError) return undefined;
    throw error;
  }
}

async function rivalsOf(
  { path, container }: Pick<StaticPodArgumentsOptions, 'path' | 'container'>,
  probe: Probe,
): Promise<readonly string[]> {
  const files = await probe.ask(staticPodFiles, posix.dirname(path));
  return rivalFiles(files, posix.basename(path), container).map((name) => posix.join(posix.dirname(path), name));
}

function decide(
  options: StaticPodArgumentsOptions,
  manifest: StaticPodManifest,
  state: Exclude<FileState, { kind: 'absent' }>,
): Outcome {
  const { path, container } = options;
  const wanted = options.wanted(manifest);
  const wrong = [...wanted].filter(([name, value]) => argumentOf(manifest, name) !== value);
  if (wrong.length === 0) return UNCHANGED;
  const after = withArguments(manifest, wanted, options.anchor);
  return changed({
    summary: `set ${wrong.map(([name]) => `--${name}`).join(', ')} of ${container}: the kubelet restarts it`,
    diff: unifiedDiff(path, manifest.text, after),
    actions: [options.before(wanted), writeManifest(path, after, state), options.after(wanted)],
    effect: 'restart',
    disruptive: true,
  });
}

/** More than one file from which the kubelet makes this pod. */
function twoClaim(
  { path, container }: Pick<StaticPodArgumentsOptions, 'path' | 'container'>,
  rivals: readonly string[],
): ProvisionError {
  return new ProvisionError({
    code: 'manifest-claimed-twice',
    message:
      `${rivals.join(', ')} ${rivals.length === 1 ? 'claims' : 'claim'} the pod of ${path} too: the kubelet reads every file ` +
      `there whose name does not begin with a dot, and may run any of them as ${container}`,
    hint: `move the others out of ${posix.dirname(path)}, for example to /root`,
  });
}

function noManifest({ path, container }: StaticPodArgumentsOptions): ProvisionError {
  return new ProvisionError({
    code: 'no-manifest',
    message: `there is no ${path}: ${container} is not set up on this host`,
    hint: 'run kubeadm first, set kube_apiserver_manifest, or leave the host out: --limit',
  });
}
