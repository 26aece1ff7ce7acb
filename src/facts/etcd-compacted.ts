import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { compactedScript } from '../shell/etcd-space.js';

/** The key to ask {@link etcdCompacted} by. */
export function etcdCompactedKey(
  { clientUrl, client }: Pick<Member, 'clientUrl' | 'client'>,
  revision: number,
): string {
  return JSON.stringify([clientUrl, client.ca, client.certificate, client.key, String(revision)]);
}

/** Key: {@link etcdCompactedKey}. Whether the host's member has dropped the history before a revision; `unknown`: it did not answer. */
export const etcdCompacted: Fact<'yes' | 'no' | 'unknown'> = {
  name: 'etcd-compacted',
  script: (keys) => ['export ETCDCTL_API=3', ...keys.map(scriptFor)].join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n');
    if (lines.length < keys.length) throw new Error('a line is missing');
    return new Map(
      keys.map((key, index) => {
        const line = lines[index];
        return [key, line === 'yes' || line === 'no' ? line : 'unknown'];
      }),
    );
  },
};

function scriptFor(key: string): string {
  const [clientUrl = '', ca = '', certificate = '', path = '', revision = ''] = JSON.parse(key) as readonly string[];
  return compactedScript({ clientUrl, client: { ca, certificate, key: path } }, Number(revision));
}
