import { stageOfLeaf, type RotationDirection, type RotationStage } from '../checks/rotation-stage.js';
import type { AuthorityMove } from '../model/authority-move.js';
import type { Resource } from '../model/change.js';
import type { Cluster } from '../model/cluster.js';
import { aboutService } from '../model/gate.js';
import { apiserverTrust, authorityProfile, balancerTrust, memberTrust } from '../pki/certificate-list.js';
import type { Play } from '../playbook/play.js';
import { etcdMember } from '../resources/etcd-member.js';
import type { CertificateRules } from '../resources/judge-certificate.js';
import { restartedApiserver } from '../resources/restarted-static-pod.js';
import { service as serviceResource } from '../resources/service.js';
import { trustBundleResource } from '../resources/trust-bundle.js';
import { fromManifest } from '../roles/kube-apiserver/client-files.js';
import { authorityMove } from './authority-move.js';
import { oneByOne, renewableCertificates, renewalPlays } from './renew-certificates.js';
import { nextAuthority, stageView, type StageAuthorities } from './rotation-view.js';

/** A stage of a rotation, on a cluster. */
export interface RotationOfStage {
  readonly cluster: Cluster;
  readonly stage: RotationStage;
  readonly direction: RotationDirection;
  /** Who signs now, as the store has it. */
  readonly signing: 'old' | 'new';
  readonly rules: CertificateRules;
  /** The store's directory, as the plan should name it. */
  readonly store: string;
}

/** How a stage makes its way: the step in the store before, what hosts get, and the step after. */
interface Way extends StageAuthorities {
  readonly before: AuthorityMove;
  readonly on: 'trusts' | 'clients' | 'members';
  readonly after?: 'finish';
}

/** The plays of one stage. Each resource finds from its host whether it is still to be done. */
export function rotationPlays(rotation: RotationOfStage): readonly Play[] {
  const { cluster, rules, store } = rotation;
  const way = wayOf(rotation);
  const authority = stageView(rules.authority, way);
  const profile = nextAuthority(rules.authority, authorityProfile(cluster));
  const step = (move: AuthorityMove): Resource =>
    authorityMove({ move, cluster, authority: rules.authority, profile, store });
  return [
    onStore('The authority on this machine', cluster, step(way.before)),
    ...(way.on === 'trusts'
      ? trustPlays(cluster, { ...rules, authority })
      : leafPlays(cluster, { ...rules, authority }, way.on)),
    ...(way.after === undefined ? [] : [onStore('The end of the rotation', cluster, step(way.after))]),
  ];
}

function wayOf({ stage, direction, signing }: RotationOfStage): Way {
  const isForward = direction === 'forward';
  switch (stage) {
    case 'bundle':
      return isForward
        ? { before: 'trust-both', signing, trusted: 'both', on: 'trusts' }
        : { before: 'trust-old', signing: 'old', trusted: 'old', on: 'trusts', after: 'finish' };
    case 'clients':
    case 'members':
      return isForward
        ? { before: 'sign-by-new', signing: 'new', trusted: 'both', on: stage }
        : { before: 'sign-by-old', signing: 'old', trusted: 'both', on: stage };
    case 'drop':
      return { before: 'trust-new', signing: 'new', trusted: 'new', on: 'trusts', after: 'finish' };
  }
}

/** What is done on this machine is planned with the first member, so that it is planned once. */
function onStore(name: string, cluster: Cluster, resource: Resource): Play {
  const hosts = cluster.members.slice(0, 1).map(({ host }) => host);
  return {
    name,
    hosts,
    batchSize: undefined,
    order: 'inventory',
    gatesBefore: ['etcd-healthy'],
    gatesAfter: [],
    resources: new Map(hosts.map((host) => [host, [resource]])),
  };
}

function leafPlays(cluster: Cluster, rules: CertificateRules, stage: 'clients' | 'members'): readonly Play[] {
  const chosen = renewableCertificates(cluster).filter(({ name }) => stageOfLeaf(name) === stage);
  return renewalPlays(cluster, chosen, rules);
}

/** Every file of trusted authorities, and a restart of what reads it only when it starts (etcd#11555). */
function trustPlays(cluster: Cluster, rules: CertificateRules): readonly Play[] {
  return [memberTrusts(cluster, rules), ...balancerTrusts(cluster, rules), apiserverTrusts(cluster, rules)].filter(
    ({ hosts }) => hosts.length > 0,
  );
}

function memberTrusts(cluster: Cluster, { authority }: CertificateRules): Play {
  const resources = cluster.members.map((member) => {
    const trust = trustBundleResource(memberTrust(cluster, member), authority);
    return [member.host, [trust, etcdMember({ cluster, member, runsWith: [trust] })]] as const;
  });
  return oneByOne('Whom the members trust', resources, {
    order: 'leader-last',
    gatesBefore: ['etcd-can-spare-batch'],
    gatesAfter: ['etcd-healthy'],
  });
}

function balancerTrusts(cluster: Cluster, { authority }: CertificateRules): readonly Play[] {
  return cluster.services.flatMap((service) => {
    const wanted = balancerTrust(service);
    if (wanted === undefined) return [];
    const resources = service.balancers.map(({ host, proxy: { unit } }) => {
      const trust = trustBundleResource(wanted, authority);
      return [host, [trust, serviceResource({ unit, runsWith: [trust], onChange: 'reload' })]] as const;
    });
    return [
      oneByOne(`Whom the balancers of ${service.name} trust`, resources, {
        order: aboutService('vip-holder-last', service.name),
        gatesBefore: [],
        gatesAfter: [aboutService('backends-up', service.name)],
      }),
    ];
  });
}

function apiserverTrusts(cluster: Cluster, { authority }: CertificateRules): Play {
  const resources = cluster.controlPlanes.map((controlPlane) => {
    const own = fromManifest(controlPlane, (files) => {
      const trust = trustBundleResource(apiserverTrust(cluster, files.ca), authority);
      return [trust, restartedApiserver(controlPlane, [trust])];
    });
    return [controlPlane.host, own] as const;
  });
  return oneByOne('Whom the API servers trust', resources, {
    order: 'apiserver-ready-last',
    gatesBefore: [],
    gatesAfter: ['apiserver-ready', aboutService('vip-answers-control-planes', 'etcd')],
  });
}
