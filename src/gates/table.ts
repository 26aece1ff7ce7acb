import type { Cluster } from '../model/cluster.js';
import type { Gate } from '../model/gate.js';
import { aptUnlocked } from './apt-unlocked.js';
import { apiserverReady } from './apiserver-ready.js';
import { etcdAnswersDirectly } from './etcd-answers-directly.js';
import { etcdCanSpareBatch, etcdHealthy } from './etcd-healthy.js';
import { haproxySeesEtcd } from './haproxy-sees-etcd.js';
import { keepalivedOneHolder } from './keepalived-one-holder.js';
import { vipAnswers, vipForwards } from './vip-answers.js';
import { vipAnswersControlPlanes } from './vip-answers-control-planes.js';

/** Every gate that a play or an action can name, for this cluster. */
export function gateTable(cluster: Cluster): ReadonlyMap<string, Gate> {
  const gates = [
    etcdCanSpareBatch(cluster),
    etcdHealthy(cluster),
    haproxySeesEtcd(cluster),
    keepalivedOneHolder(cluster),
    vipAnswers(cluster),
    vipForwards(cluster),
    vipAnswersControlPlanes(cluster),
    etcdAnswersDirectly(cluster),
    apiserverReady(cluster),
    aptUnlocked(),
  ];
  return new Map(gates.map((gate) => [gate.name, gate]));
}
