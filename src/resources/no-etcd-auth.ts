import { etcdAuth, etcdAuthKey } from '../facts/etcd-auth.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';

/**
 * An etcd that does not ask its clients who they are: a proxy that ends TLS would make one user of all of them, with the rights
 * of whoever that is. One member that says so is enough to refuse; members that do not answer decide nothing, for they may be yet to be made.
 */
export function noEtcdAuth(members: readonly Member[]): Resource {
  return {
    address: 'etcd-auth:off',
    paths: [],
    async plan(probe) {
      const answers = await Promise.all(
        members.map(async (member) => ({
          member,
          auth: await unlessLost(probe.on(member.host).ask(etcdAuth, etcdAuthKey(member))),
        })),
      );
      const on = answers.find(({ auth }) => !(auth instanceof RemoteError) && auth.kind === 'on');
      if (on === undefined) return UNCHANGED;
      throw new ProvisionError({
        code: 'etcd-auth-on',
        message: `etcd asks its clients who they are (auth is enabled, says ${on.member.host}), and etcd_lb_mode is terminate: all clients of the load balancer would be the one user that HAProxy's certificate names`,
        hint: 'set etcd_lb_mode to passthrough: members then see each client by its own certificate',
      });
    },
  };
}
