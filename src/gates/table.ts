import type { Cluster } from '../model/cluster.js';
import { aboutService, type Gate } from '../model/gate.js';
import { SERVICE_NAMES, serviceNamed, type ServiceName, type VirtualService } from '../model/virtual-service.js';
import { aptUnlocked } from './apt-unlocked.js';
import { apiserverCanSpareBatch, apiserverCanSpareBatchButForLost } from './apiserver-can-spare-batch.js';
import { apiserverReady } from './apiserver-ready.js';
import { backendsNamed } from './backends-named.js';
import { backendsUp, batchBackendsUp } from './backends-up.js';
import { formerMembersMayLeave } from './former-members-may-leave.js';
import { formerNodesMayLeave } from './former-nodes-may-leave.js';
import { formerBalancersFreed } from './former-balancers-freed.js';
import { controllersReady } from './controllers-ready.js';
import { etcdAnswersDirectly } from './etcd-answers-directly.js';
import { externalAnswers } from './external-answers.js';
import { etcdKeepsQuorum } from './etcd-keeps-quorum.js';
import { hostRebooted } from './host-rebooted.js';
import { etcdHasRoom } from './etcd-has-room.js';
import { etcdCanSpareBatch, etcdHealthy, etcdHealthyButForSpace, etcdHealthyButForStopped } from './etcd-healthy.js';
import { etcdLearnerCaughtUp, etcdServesWithoutBatch } from './etcd-without-batch.js';
import { firewallLetsIn } from './firewall-lets-in.js';
import { keepalivedOneHolder } from './keepalived-one-holder.js';
import { kubeProxySettled } from './kube-proxy-settled.js';
import { kubeletReady } from './kubelet-ready.js';
import { peersTakeWrites } from './peers-take-writes.js';
import { runtimeReady } from './runtime-ready.js';
import { vipAnswers, vipForwards } from './vip-answers.js';
import { vipAnswersControlPlanes } from './vip-answers-control-planes.js';
import { vipCanSpareBatch } from './vip-can-spare-batch.js';
import { vipAnswersKubeconfigs } from './vip-answers-kubeconfigs.js';

/**
 * Every gate that a play or an action can name, for this cluster.
 * @param now what certificates are judged by
 */
export function gateTable(cluster: Cluster, now: () => Date): ReadonlyMap<string, Gate> {
  const gates = [
    etcdCanSpareBatch(cluster, now),
    etcdKeepsQuorum(cluster, now),
    etcdHealthy(cluster, now),
    etcdHealthyButForSpace(cluster, now),
    etcdHealthyButForStopped(cluster, now),
    etcdHasRoom(cluster),
    etcdServesWithoutBatch(cluster, now),
    etcdLearnerCaughtUp(cluster),
    formerMembersMayLeave(cluster),
    formerNodesMayLeave(cluster),
    peersTakeWrites(cluster),
    ...SERVICE_NAMES.flatMap((name) => serviceGates(name, cluster)),
    etcdAnswersDirectly(cluster),
    apiserverReady(cluster),
    apiserverCanSpareBatch(cluster),
    apiserverCanSpareBatchButForLost(cluster),
    controllersReady(cluster),
    kubeletReady(cluster),
    runtimeReady(cluster),
    kubeProxySettled(cluster),
    firewallLetsIn(cluster),
    aptUnlocked(),
    hostRebooted(),
  ];
  return new Map(gates.map((gate) => [gate.name, gate]));
}

/** The gates of a service. Where the inventory has none, they have the same names, and are open. */
function serviceGates(name: ServiceName, cluster: Cluster): readonly Gate[] {
  const service = serviceNamed(cluster, name);
  const external = name === 'etcd' ? cluster.external : undefined;
  return SERVICE_GATES.map(([gate, build]) => {
    if (service !== undefined) return build(service, cluster);
    const isAboutWay = external !== undefined && WAY_GATES.includes(gate);
    return isAboutWay ? externalAnswers(gate, external, cluster) : noService(gate, name);
  });
}

/** Those that ask whether the service answers, whoever runs its balancer. */
const WAY_GATES = ['vip-answers', 'vip-answers-control-planes'];

const SERVICE_GATES: readonly (readonly [string, (service: VirtualService, cluster: Cluster) => Gate])[] = [
  ['backends-up', backendsUp],
  ['batch-backends-up', batchBackendsUp],
  ['backends-named', backendsNamed],
  ['former-balancers-freed', formerBalancersFreed],
  ['keepalived-one-holder', keepalivedOneHolder],
  ['vip-can-spare-batch', vipCanSpareBatch],
  ['vip-answers', vipAnswers],
  ['vip-forwards', vipForwards],
  ['vip-answers-control-planes', vipAnswersControlPlanes],
  ['vip-answers-kubeconfigs', vipAnswersKubeconfigs],
];

function noService(gate: string, service: ServiceName): Gate {
  return {
    name: aboutService(gate, service),
    deadlineMs: 0,
    check: () => Promise.resolve({ open: true, note: `there is no virtual IP of ${service}` }),
  };
}
