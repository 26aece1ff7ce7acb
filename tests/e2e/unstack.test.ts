import { beforeAll, expect, test } from '@jest/globals';
import type { EventJson } from '../../src/report/event-schema.js';
import { partOfThisCommit } from '../support/kill-points.js';
import type { Way } from '../support/cluster-client.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  ETCD_PEERS,
  must,
  passphraseFile,
  plannedChanges,
  READYZ,
  runVerb,
  verifyUntil,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { listed, withWriters } from '../support/member-counts.js';
import { adoptStacked, createStackedCluster, waysAcross, type StackedCluster } from '../support/stacked-cluster.js';
import { disturbedRun } from '../support/stopped-run.js';

const CONTROL_PLANES = ['cp-1', 'cp-2', 'cp-3'];
const NEW_MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

/** After what a run is killed, one of them for each commit: something of every part. */
const MOMENTS = [
  /^member-add:etcd-1$/,
  /^member-start:etcd-2$/,
  /^member-promote:etcd-3$/,
  /^static-pod:/,
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
  });

  test('is recognised, and nothing but where it is has to be written', () => {
    expect(said).toMatch(/etcd-process +cp-1 .*stacked: the static pod of \/etc\/kubernetes\/manifests\/etcd\.yaml/);
    expect(said).toMatch(/one cluster of 3 members/);
    expect(said).toMatch(/etcd-1, etcd-2, etcd-3 +runs no etcd: it can join this cluster/);
    expect(said).toContain('+ etcd_manifest: /etc/kubernetes/manifests/etcd.yaml');
    expect(said).toMatch(/provision ca import [\s\S]*\/etc\/kubernetes\/pki\/etcd\/ca\.key[\s\S]*--playbook unstack/);
  });

  async function waysTo(...names: readonly string[]): Promise<readonly Way[]> {
    const { hosts } = (await lab.host('cp-1')).lab;
    const members = hosts.filter(({ name }) => names.includes(name));
    return waysAcross(lab, cluster, members);
  }

  /** With writers on all ways in; killed once, and run again. */
  async function unstackKilledOnce(): Promise<void> {
    const [moment = /$^/] = partOfThisCommit(14)(MOMENTS, 1);
    const words = [cluster.inventory, '--playbook', 'unstack'];
    const isThere = (event: EventJson): boolean => event.type === 'change-done' && moment.test(event.address);
    const apply = ['apply', ...words, '--yes', '--passphrase-file', await passphraseFile(lab)];
    // A client that knows all members goes on with those that are there.
    const [ways, afterwards] = await Promise.all([waysTo(...CONTROL_PLANES, ...NEW_MEMBERS), waysTo(...NEW_MEMBERS)]);
    const work = async (): Promise<JsonRun> => {
      const killed = await disturbedRun(lab, apply, isThere, (kill) => {
        kill('SIGKILL');
      });
      if (killed.status !== 137) throw new Error(failureOf(killed));
      console.log(`killed after ${moment.source}`);
      const finished = await runVerb(lab, 'apply', ...words);
      if (finished.status !== 0) throw new Error(failureOf(finished));
      return finished;
    };
    await withWriters(lab, ways, 'unstack', work, afterwards);
    expect(plannedChanges(await runVerb(lab, 'plan', ...words))).toEqual([]);
  }

  async function storedConfiguration(): Promise<string> {
    return must(lab.ssh('cp-1', 'kubeadm config view'));
  }

  test('moves to hosts of its own, killed on the way, and no client notices', async () => {
    await unstackKilledOnce();
    expect(await listed(lab)).toEqual(NEW_MEMBERS.map((name) => `${name} started`));
    const vip = await vipOf(lab);
    for (const host of CONTROL_PLANES) {
      expect((await lab.ssh(host, READYZ)).stdout).toBe('ok');
      expect((await lab.ssh(host, ETCD_PEERS)).stdout).toBe(`${vip}:2379\n`);
      const left = await lab.ssh(host, LEFT);
      expect(left.stdout).toBe('kube-apiserver.yaml\n/etc/kubernetes/etcd.yaml.removed\nmember.removed-\n');
    }
    const stored = await storedConfiguration();
    expect(stored).toContain(`https://${vip}:2379`);
    expect(stored).not.toContain('dataDir');
    expect(endOf(await verifyUntil(lab, cluster.inventory))).toMatch(/^status 0/);
  });
});

/** What a stacked member leaves: no process, no manifest where the kubelet looks, its data aside. */
const LEFT =
  'pgrep -x etcd; ls /etc/kubernetes/manifests; ls /etc/kubernetes/*.removed; ls /var/lib/etcd | sed s/[0-9TZ]*$//';

function failureOf({ status, events }: JsonRun): string {
  return `status ${status}: ${JSON.stringify(events.findLast(({ type }) => type === 'run-failed') ?? {})}`;
}
