import type { Member } from '../model/cluster.js';
import type { Fact } from '../model/remote.js';
import { etcdctl } from '../shell/etcdctl.js';
import { SHUT, shutAt } from '../shell/shut-port.js';

/** Whether an etcd asks its clients who they are (`etcdctl auth enable`); or why that is not known. */
export type EtcdAuth = { readonly kind: 'on' | 'off' } | { readonly kind: 'silent'; readonly reason: string };

/** The key to ask {@link etcdAuth} by. */
export function etcdAuthKey({ clientUrl, client }: Pick<Member, 'clientUrl' | 'client'>): string {
  return JSON.stringify([clientUrl, client.ca, client.certificate, client.key]);
}

/**
 * Key: {@link etcdAuthKey}. `etcdctl auth status` is new in 3.5. A user that nobody has is passed over by every client where users are
 * not asked for (clientv3, `ErrAuthNotEnabled`), and refused where they are.
 */
export const etcdAuth: Fact<EtcdAuth> = {
  name: 'etcd-auth',
  script: (keys) => [...SHUT, ...keys.map(scriptFor)].join('\n'),
  parse(stdout, keys) {
    const lines = stdout.split('\n').filter((line) => line.startsWith('A '));
    return new Map(keys.map((key, index) => [key, readAnswer(lines[index] ?? '')]));
  },
};

function scriptFor(key: string): string {
  const [clientUrl = '', ca = '', certificate = '', path = ''] = JSON.parse(key) as readonly string[];
  const ask = etcdctl({ clientUrl, client: { ca, certificate, key: path } });
  return [
    `if ${shutAt(clientUrl, 'own-host')}; then out=$why; (exit 1)`,
    `else out=$(ETCDCTL_API=3 ${ask} --user=nobody-of-provision:none get --limit=1 --keys-only nothing-of-provision 2>&1)`,
    'fi',
    `printf 'A %s %s\\n' "$?" "$(printf %s "$out" | base64 -w0)"`,
  ].join('\n');
}

function readAnswer(line: string): EtcdAuth {
  const [, status, encoded = ''] = /^A (\d+) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
  if (status === undefined) return { kind: 'silent', reason: 'nothing came back' };
  if (status === '0') return { kind: 'off' };
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  // rpctypes.ErrAuthFailed, and what follows where the certificate's name counts.
  if (/invalid user ID or password|authentication failed|permission denied|user name is empty/.test(text))
    return { kind: 'on' };
  return { kind: 'silent', reason: text.trim().split('\n').at(-1)?.slice(0, 200) ?? '' };
}
