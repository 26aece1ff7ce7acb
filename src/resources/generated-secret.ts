import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import type { GeneratedSecret } from '../pki/authority.js';

/**
 * keepalived's generated password in the store on the control machine. It belongs to no host: give it to one only, the
 * first balancer, before its configuration, so that no host gets a password which a killed run would forget.
 */
export function authPassResource(secret: Pick<GeneratedSecret, 'isKept'>, store: string): Resource {
  return {
    address: 'secret:keepalived-auth-pass',
    paths: [],
    plan(): Promise<Outcome> {
      if (secret.isKept()) return Promise.resolve(UNCHANGED);
      const change = {
        summary: `keep a generated keepalived password in ${store}, on this machine`,
        diff: ['+ 8 random letters and digits'],
        actions: [{ kind: 'keep-secret', name: 'keepalived-auth-pass' }],
        effect: 'create',
        disruptive: false,
      } as const;
      return Promise.resolve(changed(change));
    },
  };
}
