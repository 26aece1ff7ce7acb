import type { Fact } from '../model/remote.js';
import { podRuns, type PodMember } from '../shell/etcd-pod.js';
import { logHeadLines } from '../shell/etcd-remains.js';
import { quote } from '../shell/quote.js';
import { blocksByKey } from './blocks-by-key.js';
import { clusterIdIn } from './etcd-remains.js';

/** What a host has of a member that the kubelet runs. */
export interface EtcdPod {
  /** The kubelet has its manifest: it starts the member, now and at boot. */
  readonly hasManifest: boolean;
  /** A process of etcd uses its data. */
  readonly isRunning: boolean;
  /** The cluster that its log belongs to, a decimal text; undefined where there is none, or it can't be read. */
  readonly clusterId: string | undefined;
}

/** The key to ask {@link etcdPod} by. */
export function etcdPodKey({ manifest, dataDir }: Pick<PodMember, 'manifest' | 'dataDir'>): string {
  return JSON.stringify([manifest, dataDir]);
}

/** Key: {@link etcdPodKey}. */
export const etcdPod: Fact<EtcdPod> = {
  name: 'etcd-pod',
  script: (keys) =>
    keys
      .flatMap((key) => {
        const [manifest = '', dataDir = ''] = JSON.parse(key) as readonly string[];
        return [
          ...podRuns({ dataDir }),
          'words=P',
          `[ ! -f ${quote(manifest)} ] || words="$words manifest"`,
          '! runs || words="$words running"',
          `printf '%s\\n' "$words"`,
          `data=${quote(`${dataDir}/member`)}`,
          ...logHeadLines(),
        ];
      })
      .join('\n'),
  parse: (stdout, keys) => blocksByKey(stdout, /^P/m, keys, parseBlock),
};

function parseBlock(block: string): EtcdPod {
  const [first = '', second = ''] = block.split('\n');
  const [, head] = /^W (\S+)$/.exec(second) ?? [];
  const clusterId = head === undefined ? undefined : clusterIdIn(Buffer.from(head, 'base64'));
  return { hasManifest: first.includes(' manifest'), isRunning: first.includes(' running'), clusterId };
}
