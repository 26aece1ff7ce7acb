import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { etcdctl } from '../shell/etcdctl.js';
import { SHUT, shutAt } from '../shell/shut-port.js';

/** Whether etcd holds a Kubernetes: keys below `/registry/`. `silent`: the member gives no answer. */
export type EtcdRegistry = 'empty' | 'used' | 'silent';

/** The key to ask {@link etcdRegistry} by. */
export function etcdRegistryKey({ clientUrl, client }: Pick<Member, 'clientUrl' | 'client'>): string {
  return JSON.stringify([clientUrl, client.ca, client.certificate, client.key]);
}

/** Key: {@link etcdRegistryKey}. Asked of the host's own member. */
export const etcdRegistry: Fact<EtcdRegistry> = {
  name: 'etcd-registry',
  script: (keys) =>
    [
      'export ETCDCTL_API=3',
      ...SHUT,
      ...keys.map((key) => {
        const [clientUrl, ca, certificate, file] = JSON.parse(key) as readonly [string, string, string, string];
        const ask = `${etcdctl({ clientUrl, client: { ca, certificate, key: file } })} get /registry/ --prefix --keys-only --limit=1`;
        return `if ! ${shutAt(clientUrl, 'own-host')} && found=$(${ask} 2>/dev/null); then [ -n "$found" ] && echo used || echo empty; else echo silent; fi`;
      }),
    ].join('\n'),
  parse(stdout, keys) {
    const lines = stdout.trimEnd().split('\n');
    return new Map(keys.map((key, index) => [key, readAnswer(lines[index])]));
  },
};

function readAnswer(line: string | undefined): EtcdRegistry {
  if (line === 'empty' || line === 'used' || line === 'silent') return line;
  throw new Error('no answer came back');
}
