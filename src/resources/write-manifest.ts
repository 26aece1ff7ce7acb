import { posix } from 'node:path';
import type { FileState } from '../facts/file-state.js';
import type { WriteFile } from '../model/action.js';
import { plainContent } from '../model/content.js';

/** A static pod's manifest with another text, and the owner and mode that it has. */
export function writeManifest(
  path: string,
  text: string,
  { owner, group, mode }: Exclude<FileState, { kind: 'absent' }>,
): WriteFile {
  return {
    kind: 'write-file',
    ...{ path, owner, group, mode },
    content: plainContent(text),
    // The kubelet runs every file of the manifests directory, a half-written one too (kubeadm#2823).
    stagingDirectory: posix.dirname(posix.dirname(path)),
  };
}
