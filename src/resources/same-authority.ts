import { certificateFiles, certificateFilesKey } from '../facts/certificate-files.js';
import { unlessLost } from '../facts/unless-lost.js';
import { UNCHANGED, type Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import { ProvisionError, RemoteError } from '../model/errors.js';
import type { AuthorityView } from '../pki/authority.js';
import { isSignedBy, readCertificates } from '../pki/inspect.js';
import { quote } from '../shell/quote.js';

/**
 * Stacked members trust the authority of the store, and show certificates of it: those that join them would else be let in by
 * nobody, and trust nobody.
 */
export function sameAuthority(members: readonly Member[], authority: AuthorityView, store: string): Resource {
  const stacked = members.filter(({ manifest }) => manifest !== undefined);
  return {
    address: 'authority:stacked',
    paths: [],
    async plan(probe) {
      const [own] = readCertificates(authority.certificate() ?? '');
      if (own === undefined) return UNCHANGED;
      await Promise.all(
        stacked.map(async ({ host, client, server }) => {
          const there = probe.on(host);
          const [trusted, shown] = await Promise.all([
            unlessLost(there.ask(certificateFiles, certificateFilesKey(client.ca))),
            unlessLost(there.ask(certificateFiles, certificateFilesKey(server.certificate))),
          ]);
          if (trusted instanceof RemoteError || shown instanceof RemoteError) return;
          // One that has left may have lost its files.
          if (trusted.pem === '' && shown.pem === '') return;
          const trusts = readCertificates(trusted.pem).some((each) => each?.fingerprint256 === own.fingerprint256);
          const [leaf] = readCertificates(shown.pem);
          if (trusts && leaf !== undefined && isSignedBy(leaf, own)) return;
          throw new ProvisionError({
            code: 'foreign-trust',
            message: `${store} holds another authority than that of the stacked etcd on ${host}, which ${trusts ? `did not sign ${server.certificate}` : `${client.ca} does not trust`}: members that join would not be let in`,
            hint: `import that of the stacked etcd into a store of its own (etcd_pki_store): provision ca import ${quote(store)} --certificate FILE --key FILE, with ca.crt and ca.key of ${host}`,
          });
        }),
      );
      return UNCHANGED;
    },
  };
}
