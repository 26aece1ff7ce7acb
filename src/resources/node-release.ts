import { nodeReleaseKey, seenNodeRelease } from '../facts/node-release.js';
import type { Action } from '../model/action.js';
import { changed, UNCHANGED, type Resource } from '../model/change.js';
import { ProvisionError } from '../model/errors.js';
import { PRODUCT_TITLES, type NodeRelease } from '../model/kubernetes.js';
import {
  linkBackNodeRelease,
  linkNodeRelease,
  nodeReleaseDirectory,
  unpackNodeRelease,
} from '../shell/node-release.js';
import { quote } from '../shell/quote.js';

/** A release of upstream that a node has in place of a package, and the directory where its programs are found. */
export interface NodeReleaseOptions {
  readonly release: NodeRelease;
  readonly links: string;
}

/**
 * The programs of a release, unpacked beside others and led to by links: what runs goes on with what it was started from.
 * @throws ProvisionError `program-in-the-way`
 */
export function nodeRelease({ release, links }: NodeReleaseOptions): Resource {
  const { product, source, sha256 } = release;
  const directory = nodeReleaseDirectory(release);
  const title = PRODUCT_TITLES[product];
  return {
    address: `node-release:${product}`,
    paths: [],
    async plan(probe) {
      const seen = await probe.ask(seenNodeRelease, nodeReleaseKey(product, directory, links));
      const [other] = seen.foreign;
      if (other !== undefined && product !== 'cni') throw inTheWay(probe.host, `${links}/${other}`, title);
      if (seen.isThere && seen.unlinked.length === 0) return UNCHANGED;
      const back = linkBackNodeRelease({ release, links }, seen.current);
      const unpack: Action = { kind: 'send-release', release, command: unpackNodeRelease(release) };
      return changed({
        summary: `have ${title} of ${source.slice(source.lastIndexOf('/') + 1)} found in ${links}`,
        diff: [
          ...(seen.isThere
            ? []
            : [
                `from ${source}, sent by this machine`,
                `SHA-256 ${sha256}: compared on the host before it is unpacked`,
              ]),
          `${links}: ${seen.current ?? '(none)'} → ${directory}`,
        ],
        actions: [
          ...(seen.isThere ? [] : [unpack]),
          { kind: 'run', command: linkNodeRelease({ release, links }), undo: back },
        ],
        effect: seen.current === undefined ? 'create' : 'change',
        disruptive: false,
      });
    },
    async doubt(probe) {
      if (product !== 'cni') return undefined;
      const { foreign } = await probe.ask(seenNodeRelease, nodeReleaseKey(product, directory, links));
      return foreign.length === 0 ? undefined : `${links} has ${foreign.join(', ')} of others, which stay as they are`;
    },
  };
}

function inTheWay(host: string, path: string, title: string): ProvisionError {
  return new ProvisionError({
    code: 'program-in-the-way',
    message: `${host} has ${path}, which leads to no release of provision: it is where ${title} of the release has to be found`,
    hint: `see what it is, and move it away: ssh ${host} ${quote(`sudo mv ${path} ${path}.before`)}`,
  });
}
