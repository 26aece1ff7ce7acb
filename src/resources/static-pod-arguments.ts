import { posix } from 'node:path';
import { askText } from '../facts/file-content.js';
import { fileState, type FileState } from '../facts/file-state.js';
import { changed, UNCHANGED, type Await, type Outcome, type Resource } from '../model/change.js';
import { plainContent } from '../model/content.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import { argumentOf, readStaticPodManifest, type StaticPodManifest } from '../facts/static-pod-manifest.js';
import { unifiedDiff } from './unified-diff.js';
import { withArguments } from './with-arguments.js';

/** Arguments that a static pod's container should have. */
export interface StaticPodArgumentsOptions {
  /** Of the manifest, on the host. */
  readonly path: string;
  readonly container: string;
  /** Name → value, from the manifest as it is. @throws ProvisionError when it must not be changed */
  readonly wanted: (manifest: StaticPodManifest, probe: Probe) => Promise<ReadonlyMap<string, string>>;
  /** An argument that every such manifest has: missing ones are added after it. */
  readonly anchor: string;
  /** What must hold before the manifest is touched. */
  readonly before: (wanted: ReadonlyMap<string, string>) => Await;
  /** What must hold afterwards; else the old manifest is put back. */
  readonly after: (wanted: ReadonlyMap<string, string>) => Await;
}

/** A static pod's arguments, with its manifest's comments and order kept. */
export function staticPodArguments(options: StaticPodArgumentsOptions): Resource {
  const { path } = options;
  return {
    address: `static-pod:${path}`,
    paths: [path],
    async plan(probe) {
      const [text, state] = await Promise.all([askText(probe, path), probe.ask(fileState, path)]);
      if (text === undefined || state.kind === 'absent') throw noManifest(options);
      const manifest = readStaticPodManifest(path, text, options.container);
      return decide(options, manifest, await options.wanted(manifest, probe), state);
    },
  };
}

function decide(
  options: StaticPodArgumentsOptions,
  manifest: StaticPodManifest,
  wanted: ReadonlyMap<string, string>,
  state: Exclude<FileState, { kind: 'absent' }>,
): Outcome {
  const { path, container } = options;
  const wrong = [...wanted].filter(([name, value]) => argumentOf(manifest, name) !== value);
  if (wrong.length === 0) return UNCHANGED;
  const after = withArguments(manifest, wanted, options.anchor);
  return changed({
    summary: `set ${wrong.map(([name]) => `--${name}`).join(', ')} of ${container}: the kubelet restarts it`,
    diff: unifiedDiff(path, manifest.text, after),
    actions: [
      options.before(wanted),
      {
        kind: 'write-file',
        path,
        content: plainContent(after),
        owner: state.owner,
        group: state.group,
        mode: state.mode,
        // The kubelet runs every file of the manifests directory, a half-written one too (kubeadm#2823).
        stagingDirectory: posix.dirname(posix.dirname(path)),
      },
      options.after(wanted),
    ],
    disruptive: true,
  });
}

function noManifest({ path, container }: StaticPodArgumentsOptions): ProvisionError {
  return new ProvisionError({
    code: 'no-manifest',
    message: `there is no ${path}: ${container} is not set up on this host`,
    hint: 'run kubeadm first, set kube_apiserver_manifest, or leave the host out: --limit',
  });
}
