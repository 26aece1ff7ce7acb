import { unpackedRelease } from '../../resources/etcd-release.js';
import { memberOn, type Role } from '../role.js';

/** What an upgrade needs on every host before the first member is touched. */
export function etcdReleaseRole(): Role {
  return {
    name: 'etcd-release',
    summary: 'has the release of etcd that the inventory names, unpacked and tried; nothing runs from it yet',
    resources(host, _, cluster) {
      const member = memberOn(cluster, host);
      const { release } = member;
      return release === undefined ? [] : [unpackedRelease({ member, release })];
    },
  };
}
