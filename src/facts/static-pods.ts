import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';
import { manifestDocument } from './manifest-document.js';

/** A file from which the kubelet makes a static pod, or tries to. */
export interface StaticPodFile {
  /** File name, without its directory. */
  readonly name: string;
  /** Absent where it is larger than what is fetched. */
  readonly text: string | undefined;
}

/** Larger than any manifest: kubeadm's are 4 KB. */
const LIMIT_BYTES = 128 * 1024;

/** More files are not fetched. */
const MOST_FILES = 100;

/**
 * Key: path of a directory of manifests. Its files as the kubelet takes them (pkg/kubelet/config/file_linux.go and file.go):
 * every one whose name does not begin with a dot, whatever its ending, links followed, no directories.
 */
export const staticPodFiles: Fact<readonly StaticPodFile[]> = {
  name: 'static-pod-files',
  isConfidential: true,
  script: (directories) => directories.map(scriptFor).join('\n'),
  parse(stdout, directories) {
    const blocks = stdout.split(/^D$/m).slice(1);
    return new Map(
      directories.map((directory, index) => [
        directory,
        [...(blocks[index] ?? '').matchAll(/^M (\S+) (\d+) (\S*)$/gm)].map(
          ([, name = '', size, text = '']): StaticPodFile => ({
            name: Buffer.from(name, 'base64').toString('utf8'),
            text: Number(size) > LIMIT_BYTES ? undefined : Buffer.from(text, 'base64').toString('utf8'),
          }),
        ),
      ]),
    );
  },
};

function scriptFor(directory: string): string {
  return [
    'echo D; count=0',
    `for file in ${quote(directory)}/*; do`,
    `  [ -f "$file" ] && [ "$count" -lt ${MOST_FILES} ] || continue`,
    '  count=$((count + 1))',
    `  printf 'M %s %s ' "$(printf %s "\${file##*/}" | base64 -w0)" "$(stat -L -c %s -- "$file")"`,
    `  head -c ${LIMIT_BYTES} -- "$file" | base64 -w0; echo`,
    'done',
  ].join('\n');
}

/** A pod of a manifest, by what tells it from others. */
interface PodIdentity {
  readonly name: string | undefined;
  readonly namespace: string;
  readonly containers: readonly string[];
}

/**
 * The other files that claim the pod of a manifest: the same name in the same namespace, or another pod with the same
 * container. The kubelet runs one of them, or both; which one is not said anywhere.
 * @param own file name of the manifest
 * @param container its container
 */
export function rivalFiles(files: readonly StaticPodFile[], own: string, container: string): readonly string[] {
  const ownPod = podIn(files.find(({ name }) => name === own)?.text);
  if (ownPod === undefined) return [];
  return files
    .filter(({ name }) => name !== own)
    .filter(({ text }) => {
      const pod = podIn(text);
      if (pod === undefined) return false;
      const isSame = pod.name !== undefined && pod.name === ownPod.name && pod.namespace === ownPod.namespace;
      return isSame || pod.containers.includes(container);
    })
    .map(({ name }) => name);
}

/** The kubelet reads the first document of a file. */
function podIn(text: string | undefined): PodIdentity | undefined {
  if (text === undefined) return undefined;
  try {
    // Of several documents only the first is given, with an error that does not concern the kubelet.
    const data = manifestDocument(text).toJS() as {
      readonly metadata?: { readonly name?: unknown; readonly namespace?: unknown };
      readonly spec?: { readonly containers?: unknown };
    } | null;
    const { name, namespace } = data?.metadata ?? {};
    const containers: unknown = data?.spec?.containers;
    return {
      name: typeof name === 'string' ? name : undefined,
      namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default',
      containers: Array.isArray(containers)
        ? containers.map((each: unknown) => String((each as { readonly name?: unknown } | null)?.name))
        : [],
    };
  } catch {
    // The kubelet could not use it either.
    return undefined;
  }
}
