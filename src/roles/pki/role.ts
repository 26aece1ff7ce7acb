import { ProvisionError } from '../../model/errors.js';
import { authorityProfile } from '../../pki/certificate-list.js';
import { authorityResource } from '../../resources/authority.js';
import { sameAuthority } from '../../resources/same-authority.js';
import { quote } from '../../shell/quote.js';
import type { Role, RoleTools } from '../role.js';

/** The certificate authority on the control machine: planned with the first member, so that it is planned once. */
export function pkiRole(tools: RoleTools): Role {
  return {
    name: 'pki',
    summary: 'has a certificate authority, on the control machine',
    resources(host, _, cluster) {
      if (host.name !== cluster.members[0]?.host) return [];
      const { directory: store, authority } = tools.pki;
      if (!cluster.isManaged && authority.certificate() === undefined) throw noAuthority(store);
      return [
        ...(cluster.formerMembers.some(({ manifest }) => manifest !== undefined)
          ? [sameAuthority(cluster.formerMembers, authority, store)]
          : []),
        authorityResource(authorityProfile(cluster), authority, { store, now: tools.now, cluster }),
      ];
    },
  };
}

/** A new authority would be one that nobody in the running cluster trusts. */
function noAuthority(store: string): ProvisionError {
  return new ProvisionError({
    code: 'authority-missing',
    message: `${store} holds no certificate authority, and etcd_managed is false: it must be the one that etcd trusts`,
    hint: `import it: provision ca import ${quote(store)} --certificate FILE --key FILE`,
  });
}
