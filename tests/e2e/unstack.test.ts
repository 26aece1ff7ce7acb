import { beforeAll, expect, jest, test } from '@jest/globals';
import type { LabHost } from '../../src/lab/topology.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  etcdctl,
  must,
  passphraseFile,
  plannedChanges,
  READYZ,
  runVerb,
  vipOf,
} from '../support/main-job.js';
import { listed, withWriters } from '../support/member-counts.js';
import { adoptStacked, createStackedCluster, waysAcross, type StackedCluster } from '../support/stacked-cluster.js';
import { disturbedRun } from '../support/stopped-run.js';

jest.setTimeout(900_000);

const CONTROL_PLANES = ['cp-1', 'cp-2', 'cp-3'];
const NEW_MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** What a kill -9 is tried after, one of them for each commit: something of every part. */
const MOMENTS = [
  /^member-add:etcd-1$/,
  /^member-start:etcd-2$/,
  /^member-promote:etcd-3$/,
  /^static-pod:.*kube-apiserver/,
  /^config-map:/,
  /^member-stop:cp-/,
  /^member-remove:cp-/,
  /^member-aside:cp-/,
];

describeOnLab('a stacked etcd', 'unstack', { etcd: 3, controlPlanes: 3 }, (lab) => {
  let cluster: StackedCluster;
  let said: string;

  beforeAll(async () => {
    cluster = await createStackedCluster(lab);
    said = await adoptStacked(lab, cluster);
  }, 300_000);

  test('is recognised, and nothing but where it is has to be written', () => {
    expect(said).toMatch(/etcd-process +cp-1 .*stacked: the static pod of \/etc\/kubernetes\/manifests\/etcd\.yaml/);
    expect(said).toMatch(/one cluster of 3 members/);
    expect(said).toMatch(/etcd-1, etcd-2, etcd-3 +runs no etcd: it can join this cluster/);
    expect(said).toContain('+ etcd_manifest: /etc/kubernetes/manifests/etcd.yaml');
    expect(said).toMatch(/provision ca import [\s\S]*\/etc\/kubernetes\/pki\/etcd\/ca\.key[\s\S]*--playbook unstack/);
  });

  test('moves to hosts of its own, killed on the way, and no client notices', async () => {
    const { hosts } = (await lab.host('cp-1')).lab;
    const members: readonly LabHost[] = hosts.filter(({ role }) => role === 'control-plane' || role === 'etcd');
    const ways = await waysAcross(lab, cluster, members);
    const unstack = ['--playbook', 'unstack'];
    const plan = await runVerb(lab, 'plan', cluster.inventory, ...unstack);
    console.log(endOf(plan));
    console.log(plannedChanges(plan).join('\n'));
    const [moment = /$^/] = partOfThisCommit(14)(MOMENTS, 1);
    const words = ['apply', cluster.inventory, ...unstack, '--yes', '--passphrase-file', await passphraseFile(lab)];
    const isThere = (event: EventJson): boolean => event.type === 'change-done' && moment.test(event.address);
    await withWriters(lab, ways, 'unstack', async () => {
      const killed = await disturbedRun(lab, words, isThere, (kill) => {
        kill('SIGKILL');
      });
      console.log(`killed after ${moment.source}: ${killed.status}`);
      if (killed.status !== 137) throw new Error(endOf(killed));
      return runVerb(lab, 'apply', cluster.inventory, ...unstack);
    });

    expect(plannedChanges(await runVerb(lab, 'plan', cluster.inventory, ...unstack))).toEqual([]);
    expect(await listed(lab)).toEqual(NEW_MEMBERS.map((name) => `${name} started`));
    const vip = await vipOf(lab);
    for (const host of CONTROL_PLANES) {
      expect((await lab.ssh(host, READYZ)).stdout).toBe('ok');
      expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
      const left = await lab.ssh(
        host,
        'pgrep -x etcd; ls /etc/kubernetes/manifests; ls /etc/kubernetes/*.removed; ls /var/lib/etcd | sed s/[0-9TZ]*$//',
      );
      expect(left.stdout).toBe('kube-apiserver.yaml\n/etc/kubernetes/etcd.yaml.removed\nmember.removed-\n');
    }
    const stored = await must(
      lab.ssh(
        'cp-1',
        'kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config -o yaml || kubeadm config view',
      ),
    );
    expect(stored).toContain(`https://${vip}:2379`);
    expect(stored).not.toContain('dataDir');
    expect(endOf(await lab.provision('verify', cluster.inventory))).toMatch(/^status 0/);
    expect((await lab.ssh('etcd-1', etcdctl(`https://${vip}:2379`, 'endpoint health'))).status).toBe(0);
  });
});
