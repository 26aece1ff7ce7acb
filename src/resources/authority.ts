import { etcdData, etcdDataKey } from '../facts/etcd-data.js';
import { hasDataSomewhere } from '../facts/etcd-phase.js';
import type { AuthorityProfile } from '../model/certificate.js';
import type { Cluster } from '../model/cluster.js';
import { changed, type Outcome, type Resource, UNCHANGED } from '../model/change.js';
import { counted } from '../model/counted.js';
import { ProvisionError } from '../model/errors.js';
import type { Probe } from '../model/remote.js';
import type { AuthorityView } from '../pki/authority.js';
import { authorityFaults } from '../pki/authority-faults.js';
import { readCertificates } from '../pki/inspect.js';
import { quote } from '../shell/quote.js';
import { nobodyToLeave } from './member-refusals.js';

/** Where an authority is kept, and for whom. */
export interface AuthorityPlace {
  /** Directory on the control machine, for who types a command. */
  readonly store: string;
  readonly now: Date;
  /** Those that trust it. */
  readonly cluster: Pick<Cluster, 'members' | 'formerMembers' | 'certificates'>;
}

/**
 * The certificate authority on the control machine. It belongs to no host: give it to one only, the first member, so
 * that it is planned once.
 */
export function authorityResource(
  profile: AuthorityProfile,
  authority: AuthorityView,
  { store, now, cluster }: AuthorityPlace,
): Resource {
  return {
    address: 'authority:etcd',
    paths: [],
    async plan(probe) {
      if (authority.certificate() === undefined) await refuseBesideCluster(store, cluster, probe);
      return decideAuthority(profile, authority, { store, now, cluster });
    },
  };
}

function decideAuthority(
  profile: AuthorityProfile,
  authority: AuthorityView,
  { store, now, cluster }: AuthorityPlace,
): Outcome {
  const pem = authority.certificate();
  if (pem === undefined) return created(profile, cluster.certificates.namedStore);
  const faults = faultsOf(pem, now);
  if (faults.length === 0) return UNCHANGED;
  throw new ProvisionError({
    code: 'authority-unusable',
    message: `the certificate authority in ${store} cannot sign anything: ${faults.join('; ')}`,
    hint: 'check the date of this machine, then: provision ca show STORE; another authority is imported with `provision ca import STORE --certificate FILE --key FILE`, into a new directory (etcd_pki_store)',
  });
}

/**
 * Members that have data trust an authority already: one that is made beside it would be trusted by nobody. Those that are to
 * leave are members of a cluster, seen or not.
 * @throws ProvisionError `authority-lost`, `etcd-unsure`
 */
async function refuseBesideCluster(store: string, cluster: AuthorityPlace['cluster'], probe: Probe): Promise<void> {
  const { formerMembers } = cluster;
  const members = [...cluster.members, ...formerMembers];
  const found = await Promise.allSettled(
    members.map((member) => probe.on(member.host).ask(etcdData, etcdDataKey(member))),
  );
  // A host that does not answer has plays of its own, which fail.
  const [first] = members.filter((_, index) => {
    const answer = found[index];
    return answer?.status === 'fulfilled' && hasDataSomewhere(answer.value);
  });
  if (first === undefined && formerMembers.length > 0) throw nobodyToLeave(formerMembers);
  if (first === undefined) return;
  throw new ProvisionError({
    code: 'authority-lost',
    message: `${store} holds no certificate authority, but etcd on ${first.host} has data in ${first.dataDir}: its cluster trusts another one, and a new one would be trusted by nobody`,
    hint: [
      'the store is the directory `pki` beside the inventory, or etcd_pki_store: name the one that made this cluster, or bring it back from a backup',
      `where only certificate and key are left: provision ca import ${quote(store)} --certificate FILE --key FILE`,
      `to give the old cluster up and start again, on each member: systemctl stop ${first.unit}; mv ${first.dataDir} ${first.dataDir}.old`,
    ].join('\n'),
  });
}

function faultsOf(pem: string, now: Date): readonly string[] {
  const [found] = readCertificates(pem);
  // What cannot be read is never "none": a new authority in its place would cut off all that trust the old one.
  return found === undefined ? ['its certificate cannot be read'] : authorityFaults(found, now);
}

/** @param store as a plan names it, wherever it is applied */
function created(profile: AuthorityProfile, store: string): Outcome {
  return changed({
    summary: `create the certificate authority in ${store}, on this machine`,
    diff: [
      `+ CN=${profile.commonName}, ${profile.keyType}, ${counted(profile.days, 'day')}`,
      '+ its key is encrypted with a passphrase, and never leaves this machine',
    ],
    actions: [{ kind: 'create-authority', profile }],
    effect: 'create',
    disruptive: false,
  });
}
