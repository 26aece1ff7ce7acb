import { askText } from '../../facts/file-content.js';
import type { ClientFiles } from '../../model/certificate.js';
import type { Resource } from '../../model/change.js';
import type { ControlPlane } from '../../model/cluster.js';
import { clientFilesOf, CONTAINER, USUAL_CLIENT_FILES as USUAL } from '../../facts/apiserver-manifest.js';
import { readStaticPodManifest } from '../../facts/static-pod-manifest.js';

/**
 * Resources whose paths the host's manifest names. The usual ones are asked for together with the manifest, so that a
 * host which has them costs one look.
 * @param make gives as many resources for any files
 */
export function fromManifest(
  { manifest: path }: ControlPlane,
  make: (files: ClientFiles) => readonly Resource[],
): readonly Resource[] {
  return make(USUAL).map((usual, index) => ({
    address: usual.address,
    paths: usual.paths,
    async plan(probe) {
      const outcome = usual.plan(probe);
      // What is wrong with files that this manifest does not name is nobody's concern.
      outcome.catch(() => undefined);
      const text = await askText(probe, path);
      // A missing manifest is refused by the resource that edits it.
      const files = text === undefined ? USUAL : clientFilesOf(readStaticPodManifest(path, text, CONTAINER));
      const isUsual = JSON.stringify(files) === JSON.stringify(USUAL);
      return isUsual ? outcome : (make(files)[index] ?? usual).plan(probe);
    },
  }));
}
