import { USUAL_CLIENT_FILES } from '../facts/apiserver-manifest.js';
import type { Resource } from '../model/change.js';
import type { Cluster, Member } from '../model/cluster.js';
import { ProvisionError } from '../model/errors.js';
import { aboutService } from '../model/gate.js';
import type { VirtualService } from '../model/virtual-service.js';
import {
  apiserverCertificates,
  balancerCertificates,
  memberCertificates,
  type WantedCertificate,
} from '../pki/certificate-list.js';
import type { Play } from '../playbook/play.js';
import { adoptedMember } from '../resources/adopted-member.js';
import { certificateResource } from '../resources/certificate.js';
import type { CertificateRules } from '../resources/judge-certificate.js';
import { service as serviceResource } from '../resources/service.js';
import { fromManifest } from '../roles/kube-apiserver/client-files.js';

/** A certificate that can be renewed: `etcd-1/etcd-server`. */
export interface RenewableCertificate {
  readonly host: string;
  /** Its name in the list of certificates. */
  readonly name: string;
  /** A word for all of its kind, which are not meant by the name of their host alone. */
  readonly group?: string;
  /** Which words mean it; absent: its name alone does, too. `by-group`: neither its name nor `HOST/NAME`. */
  readonly called?: 'by-host' | 'by-group';
}

/** Every certificate of the list, on every host that should have it. */
export function renewableCertificates(cluster: Cluster): readonly RenewableCertificate[] {
  const on = (host: string, certificates: readonly WantedCertificate[]): readonly RenewableCertificate[] =>
    certificates.map(({ name }) => ({ host, name }));
  return [
    ...cluster.members.flatMap((member) => on(member.host, memberCertificates(cluster, member))),
    ...cluster.services.flatMap((service) =>
      service.balancers.flatMap(({ host }) => on(host, balancerCertificates(cluster, service))),
    ),
    ...cluster.controlPlanes.flatMap(({ host }) => on(host, apiserverCertificates(cluster, USUAL_PATHS))),
  ];
}

/** Only their names count here. */
const USUAL_PATHS = { certificatePath: USUAL_CLIENT_FILES.certificate, keyPath: USUAL_CLIENT_FILES.key };

/**
 * The certificates that these words name: `etcd-1/etcd-server`, a host, or a name of the list on all hosts.
 * @throws ProvisionError `unknown-certificate`
 */
export function chooseCertificates(
  words: readonly string[],
  all: readonly RenewableCertificate[],
): readonly RenewableCertificate[] {
  const named = (word: string) => (each: RenewableCertificate) => wordsFor(each).includes(word);
  const unknown = words.filter((word) => !all.some(named(word)));
  if (unknown.length === 0) return all.filter((each) => words.some((word) => named(word)(each)));
  throw new ProvisionError({
    code: 'unknown-certificate',
    message: `no certificate that is renewed here is named ${unknown.join(', ')}`,
    hint: [
      `expected HOST/NAME, HOST or NAME, as in: ${[...new Set(all.map(({ name }) => name))].join(', ')}`,
      ...(all.some(({ group }) => group === 'kubeadm') ? ['all that kubeadm made: kubeadm, or HOST/kubeadm'] : []),
      'list them with: provision certs list INVENTORY',
    ].join('\n'),
  });
}

function wordsFor({ host, name, group, called }: RenewableCertificate): readonly string[] {
  const groups = group === undefined ? [] : [group];
  const kinds = called === 'by-group' ? groups : [name, ...groups];
  const alone = called === undefined ? kinds : groups;
  return [...(group === undefined ? [host] : []), ...alone, ...kinds.map((kind) => `${host}/${kind}`)];
}

/**
 * Plays that renew just these certificates, each behind the gates that guard its host's work in the shipped playbooks: the
 * members first, for the health checks and API servers verify them.
 * @param rules with the renewal that is asked for
 */
export function renewalPlays(
  cluster: Cluster,
  chosen: readonly RenewableCertificate[],
  rules: CertificateRules,
): readonly Play[] {
  const isChosen = (host: string, { name }: WantedCertificate): boolean =>
    chosen.some((each) => each.host === host && each.name === name);
  const renewed = (host: string, certificates: readonly WantedCertificate[]): readonly Resource[] =>
    certificates.filter((wanted) => isChosen(host, wanted)).map((wanted) => certificateResource(wanted, rules));
  return [
    membersPlay(cluster, (member) => renewed(member.host, memberCertificates(cluster, member))),
    ...cluster.services.map((service) =>
      balancersPlay(service, (host) => renewed(host, balancerCertificates(cluster, service))),
    ),
    controlPlanesPlay(cluster, isChosen, rules),
  ].filter(({ hosts }) => hosts.length > 0);
}

function membersPlay(cluster: Cluster, renewed: (member: Member) => readonly Resource[]): Play {
  const resources = cluster.members.map((member) => {
    const certificates = renewed(member);
    // A managed etcd reads its certificates at each handshake; why an adopted one is restarted: docs/adr/.
    const restart =
      cluster.isManaged || certificates.length === 0 ? [] : [adoptedMember({ member, runsWith: certificates })];
    return [member.host, [...certificates, ...restart]] as const;
  });
  return oneByOne('Renew certificates of the members', resources, {
    order: 'leader-last',
    gatesBefore: ['etcd-can-spare-batch'],
    gatesAfter: ['etcd-healthy'],
  });
}

function balancersPlay(service: VirtualService, renewed: (host: string) => readonly Resource[]): Play {
  const resources = service.balancers.map(({ host, proxy: { unit } }) => {
    const certificates = renewed(host);
    const reload =
      certificates.length === 0 ? [] : [serviceResource({ unit, runsWith: certificates, onChange: 'reload' })];
    return [host, [...certificates, ...reload]] as const;
  });
  return oneByOne(`Renew certificates of the balancers of ${service.name}`, resources, {
    order: aboutService('vip-holder-last', service.name),
    gatesBefore: [],
    gatesAfter: [aboutService('backends-up', service.name)],
  });
}

function controlPlanesPlay(
  cluster: Cluster,
  isChosen: (host: string, wanted: WantedCertificate) => boolean,
  rules: CertificateRules,
): Play {
  const resources = cluster.controlPlanes.map((controlPlane) => {
    const own = fromManifest(controlPlane, (files) =>
      apiserverCertificates(cluster, { certificatePath: files.certificate, keyPath: files.key })
        .filter((wanted) => isChosen(controlPlane.host, wanted))
        .map((wanted) => certificateResource(wanted, rules)),
    );
    return [controlPlane.host, own] as const;
  });
  return oneByOne('Renew certificates of the API servers', resources, {
    order: 'inventory',
    gatesBefore: [],
    // The API server reads its client certificate at each handshake, and may have one connection for hours.
    gatesAfter: ['apiserver-ready', aboutService('vip-answers-control-planes', 'etcd')],
  });
}

/** A play of the hosts that have something to do, one after the other. */
export function oneByOne(
  name: string,
  resources: readonly (readonly [host: string, resources: readonly Resource[]])[],
  care: Pick<Play, 'order' | 'gatesBefore' | 'gatesAfter'>,
): Play {
  const busy = resources.filter(([, own]) => own.length > 0);
  return { name, hosts: busy.map(([host]) => host), batchSize: 1, ...care, resources: new Map(busy) };
}
