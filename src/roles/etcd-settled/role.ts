import { etcdSettled } from '../../resources/etcd-settled.js';
import { memberOn, type Role } from '../role.js';

/** The end of a bootstrap, once all members are healthy: a play of its own, after that of the members. */
export function etcdSettledRole(): Role {
  return {
    name: 'etcd-settled',
    summary: 'can create no second cluster',
    resources: (host, _, cluster) => [etcdSettled({ cluster, member: memberOn(cluster, host) })],
  };
}
