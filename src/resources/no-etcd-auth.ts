import { etcdAuth, etcdAuthKey } from '../facts/etcd-auth.js';
import { hasDataSomewhere, lookAtMembers, quorum } from '../facts/etcd-phase.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';

/**
 * An etcd that does not ask its clients who they are: a proxy that ends TLS would make one user of all of them, with the rights
 * of whoever that is. One member that says so is enough to refuse; that nobody has to say who he is, most members must say,
 * for their users are those of the whole cluster. Where there is no cluster yet it has no users; of one that does not answer nothing is known
 * until it does.
 */
export function noEtcdAuth(cluster: Cluster): Resource {
  return {
    address: 'etcd-auth:off',
    paths: [],
    async plan(probe) {
      const [seen, ...answers] = await Promise.all([
        lookAtMembers(cluster, probe),
        ...cluster.members.map(async (member) => ({
          host: member.host,
          auth: await unlessLost(probe.on(member.host).ask(etcdAuth, etcdAuthKey(member))),
        })),
      ]);
      const [on] = answers.filter(({ auth }) => !(auth instanceof RemoteError) && auth.kind === 'on');
      if (on !== undefined)
        throw new ProvisionError({
          code: 'etcd-auth-on',
          message: `etcd asks its clients who they are (auth is enabled, says ${on.host}), and etcd_lb_mode is terminate: all clients of the load balancer would be the one user that HAProxy's certificate names`,
          hint: 'set etcd_lb_mode to passthrough: members then see each client by its own certificate',
        });
      const present = seen.present.members.map(({ host }) => host);
      const off = answers.filter(
        ({ host, auth }) => present.includes(host) && !(auth instanceof RemoteError) && auth.kind === 'off',
      );
      const isBegun = seen.away.length > 0 || seen.states.some(hasDataSomewhere);
      if (!isBegun || off.length >= quorum(present.length)) return UNCHANGED;
      return {
        kind: 'unknown',
        because: `whether etcd asks its clients who they are is known once most members answer; ${off.length} of ${present.length} say that it does not`,
      };
    },
  };
}
