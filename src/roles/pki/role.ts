import { authorityProfile } from '../../pki/certificate-list.js';
import { authorityResource } from '../../resources/authority.js';
import type { Role, RoleTools } from '../role.js';

/** The certificate authority on the control machine: planned with the first member, so that it is planned once. */
export function pkiRole(tools: RoleTools): Role {
  return {
    name: 'pki',
    summary: 'has a certificate authority, on the control machine',
    resources(host, _, cluster) {
      if (host.name !== cluster.members[0]?.host) return [];
      const { directory: store, authority } = tools.pki;
      return [authorityResource(authorityProfile(cluster), authority, { store, now: tools.now })];
    },
  };
}
