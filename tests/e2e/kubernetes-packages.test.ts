import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from '@jest/globals';
import type { CheckItem } from '../../src/checks/check.js';
import { CORDONED } from '../../src/shell/drain-node.js';
import { aptRepositoryOn, type AptRepository } from '../support/apt-repository.js';
import { kubectl, LAB_SETTINGS, until } from '../support/kubernetes-cluster.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import {
  endOf,
  etcdctl,
  inventoryWith,
  must,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
  type JsonRun,
} from '../support/main-job.js';
import { disturbedRun } from '../support/stopped-run.js';

const NODES = ['cp-1', 'cp-2', 'worker-1'];

/** One pod, which would rather be on worker-1, and may be anywhere. */
const MOVED = `apiVersion: apps/v1
kind: Deployment
metadata: {name: moved}
spec:
  replicas: 1
  selector: {matchLabels: {app: moved}}
  template:
    metadata: {labels: {app: moved}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{operator: Exists, effect: NoSchedule, key: node-role.kubernetes.io/master}]
      affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [worker-1]}]}}]}}
      containers:
      - {name: main, image: 'lab.invalid/busybox:1', command: [sleep, '31415']}
`;

/** Nobody may evict it. */
const HELD = `apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: held}
spec: {minAvailable: 1, selector: {matchLabels: {app: moved}}}
`;

const MOVED_RUNS = "pgrep -x -f 'sleep 31415'";

const SOURCE = '/etc/apt/sources.list.d/provision-kubernetes.sources';
const PIN = '/etc/apt/preferences.d/provision-kubernetes.pref';

/** The control planes have members of etcd and its load balancers, too. */
async function withMembersOnControlPlanes(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/( {4}etcd:\n {6}hosts:\n)/, '$1        cp-1:\n        cp-2:\n'));
  return file;
}

/** Nodes of the lab have nothing that could be installed: what another host has. */
async function givePackages(lab: TestLab, ...hosts: readonly string[]): Promise<void> {
  const ssh = `ssh -F ${lab.files.sshConfig}`;
  for (const host of hosts) {
    const copied = `${ssh} etcd-1 'tar -C /var -cf - lib/apt/lists cache/apt/archives' | ${ssh} ${host} 'tar -C /var -xf -'`;
    await must(lab.onControlSide(['sh', '-c', copied]));
  }
}

describeOnLab(
  'nodes with packages of a repository',
  'packages',
  { etcd: 1, controlPlanes: 2, workers: 1, kubernetes: 'real' },
  (lab) => {
    let repository: AptRepository;
    let inventory = '';
    let refusals: Awaited<ReturnType<typeof tryWhatIsRefused>>;
    let made: JsonRun;

    beforeAll(async () => {
      await givePackages(lab, 'cp-1', 'cp-2');
      repository = await aptRepositoryOn(lab, 'cp-1');
      // Newer than what is wanted.
      await repository.add('kubelet', '1.20.9-0');
      const beside = dirname(lab.files.inventory);
      await copyFile(repository.key, join(beside, 'repository.asc'));
      await copyFile(repository.otherKey, join(beside, 'other.gpg'));
      const lines = (key: string): readonly string[] => [
        `kube_cluster_packages_repository: ${repository.uri}`,
        `kube_cluster_packages_key: ${key}`,
        'kube_cluster_packages_version: 1.20.2',
        ...LAB_SETTINGS,
      ];
      inventory = await withMembersOnControlPlanes(await inventoryWith(lab, 'packages', lines('repository.asc')));
      refusals = await tryWhatIsRefused(await inventoryWith(lab, 'wrong', lines('other.gpg')));
      const begun = Date.now();
      made = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (made.status !== 0) throw new Error(endOf(made));
      console.log(`bare hosts to three nodes, with packages: ${(Date.now() - begun) / 1000} s`);
      await until(lab, 'cp-1', `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = ${NODES.length}`);
    });

    const onAll = async (script: string): Promise<readonly string[]> =>
      Promise.all(NODES.map(async (node) => (await lab.ssh(node, script)).stdout));

    /** On bare hosts; afterwards they have no programs of Kubernetes. @param wrong names another key than that of the repository */
    async function tryWhatIsRefused(wrong: string) {
      const prepare = ['--playbook', 'node-prepare'];
      const shadowed = await lab.provision('plan', inventory, ...prepare);
      await onAll(
        'cd /usr/local/bin && rm kubelet kubeadm kubectl; rm -r /etc/systemd/system/kubelet.service*; systemctl daemon-reload',
      );
      await lab.ssh('worker-1', `echo 'deb [trusted=yes] ${repository.uri} ./' >/etc/apt/sources.list.d/lab.list`);
      const taken = await lab.provision('plan', inventory, ...prepare);
      await lab.ssh('worker-1', 'rm /etc/apt/sources.list.d/lab.list');
      const refused = await runVerb(lab, 'apply', wrong, ...prepare);
      const left = await onAll(`ls ${SOURCE} ${PIN}; dpkg -l kubelet; ls -d /run/provision-apt.*; apt-get -qq check`);
      return { shadowed, taken, refused, left };
    }

    test('nothing is installed of a repository that another key signed, that others name, or beside programs of others', () => {
      const { shadowed, taken, refused, left } = refusals;
      expect(shadowed.stdout + shadowed.stderr).toContain(
        '/usr/local/bin/kubelet, /usr/local/bin/kubeadm, /usr/local/bin/kubectl would run in place of',
      );
      expect(taken.stdout + taken.stderr).toContain(`/etc/apt/sources.list.d/lab.list names ${repository.uri} /, too`);
      expect(refused.status).not.toBe(0);
      expect(endOf(refused)).toContain(`${repository.uri} is not signed by`);
      expect(endOf(refused)).toContain('NO_PUBKEY');
      expect(left).toEqual(['', '', '']);
    });

    test('bare hosts become nodes with packages of the version that is wanted, pinned and held', async () => {
      const versions = await onAll(
        "dpkg-query -W -f '${db:Status-Abbrev}${Version} ' kubelet kubeadm kubectl; readlink /proc/$(pgrep -x kubelet)/exe; apt-mark showhold | tr '\\n' ' '; apt-cache policy kubelet | grep Candidate",
      );
      for (const each of versions) {
        expect(each).toContain('hi 1.20.2-0 hi 1.20.2-0 hi 1.20.2-0 /usr/bin/kubelet');
        expect(each).toMatch(/kubeadm kubectl kubelet .*Candidate: 1\.20\.2-0/s);
      }
      expect(performedChanges(made).filter((line) => line.includes('/ file:/etc/apt/'))).toHaveLength(6);
      const again = await runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes');
      expect(plannedChanges(again)).toEqual([]);
    });

    const UPGRADE = ['--playbook', 'upgrade-nodes'];
    const node = async (name: string, path: string): Promise<string> =>
      (await lab.ssh('cp-1', kubectl(`get node ${name} -o "jsonpath=${path}"`))).stdout;
    const cordoned = async (): Promise<readonly string[]> =>
      Promise.all(NODES.map(async (name) => node(name, '{.spec.unschedulable}')));
    const mark = async (name: string): Promise<string> => node(name, "{.metadata.annotations['provision/cordoned']}");
    const places = async (): Promise<string> =>
      (await lab.ssh('cp-1', kubectl("get pods -l app=moved -o 'jsonpath={.items[*].spec.nodeName}'"))).stdout;

    /** An older version on all nodes, and a newer one in the repository, which has all but cp-1 rebooted. */
    async function publishNewer(): Promise<void> {
      await repository.add('lab-tool', '1');
      const [source, from] = ['-o Dir::Etc::sourceparts=/etc/apt/sources.list.d', 'Dir::Etc::sourcelist=/dev/null'];
      for (const name of NODES) {
        const script = `mv /etc/apt/sources.list /root/; apt-get -qq ${source} -o ${from} update && apt-get -qq -y install lab-tool=1 && rm -f /var/lib/provision/package-lists`;
        await must(lab.ssh(name, script));
      }
      // As after a power cut in the middle of dpkg.
      await must(lab.ssh('cp-1', 'dpkg --unpack /srv/repo/lab-tool_1_amd64.deb'));
      await repository.add('lab-tool', '2', '[ "$(uname -n)" = cp-1 ] || touch /run/reboot-required');
    }

    const apply = async (text: string): Promise<unknown> =>
      must(lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], text));

    /** A run that may not evict a pod. */
    async function heldUp() {
      await apply(HELD);
      const impatient = await inventoryWith(lab, 'impatient', []);
      const text = await readFile(inventory, 'utf8');
      await writeFile(impatient, text.replace('  vars:\n', '  vars:\n    kube_cluster_drain_timeout: 10\n'));
      const ended = await runVerb(lab, 'apply', impatient, ...UPGRADE, '--limit', 'worker-1');
      const left = [await cordoned(), await mark('worker-1')];
      await must(lab.ssh('cp-1', kubectl('delete poddisruptionbudget held')));
      return { ended, left };
    }

    /** Ended by force while its first node reboots. */
    async function killedInReboot() {
      const words = ['apply', inventory, ...UPGRADE, '--yes', '--passphrase-file', await passphraseFile(lab)];
      const killed = await disturbedRun(
        lab,
        words,
        (event) => event.type === 'change-started' && event.address === 'node-upgrade:reboot',
        async (kill) => {
          while ((await lab.ssh('worker-1', 'true')).status === 0) await sleep(100);
          kill('SIGKILL');
        },
      );
      while ((await lab.ssh('worker-1', 'systemctl is-active --quiet kubelet')).status !== 0) await sleep(500);
      const left = [await cordoned(), await mark('worker-1'), await places()];
      // As a run leaves it that ends in a drain; and on cp-1 as where the administrator has cordoned it again since.
      const patch = JSON.stringify({ metadata: { annotations: { [CORDONED]: 'x' } }, spec: { unschedulable: true } });
      const marked = kubectl(`patch node cp-2 --field-manager=provision --type merge -p '${patch}'`);
      await must(lab.ssh('cp-1', `${marked} && ${kubectl(`annotate node cp-1 ${CORDONED}=x`)}`));
      const { stdout } = await lab.provision('verify', inventory, '--format', 'json');
      const { items } = JSON.parse(stdout) as { readonly items: readonly CheckItem[] };
      const named = items.filter(({ check }) => check === 'node-cordoned').map(({ subject }) => subject);
      return { killed, left, named };
    }

    test('packages are upgraded by the runbook, one node at a time, drained and rebooted where needed; killed in a reboot, the next run goes on', async () => {
      await publishNewer();
      await apply(MOVED);
      await until(lab, 'worker-1', MOVED_RUNS);
      await lab.ssh('cp-1', kubectl('cordon cp-1'));
      const boots = await onAll('cat /proc/sys/kernel/random/boot_id');
      const planned = await lab.provision('plan', inventory, ...UPGRADE);
      const still = await onAll("dpkg-query -W -f '${Version}' lab-tool");
      let held: Awaited<ReturnType<typeof heldUp>> | undefined;
      let between: Awaited<ReturnType<typeof killedInReboot>> | undefined;
      const at = await placeWithInventory(lab, {
        'a run ends in the middle': async () => {
          held = await heldUp();
          between = await killedInReboot();
        },
      });
      await copyFile(inventory, join(at.work, 'inventory.yaml'));
      await copyFile(repository.key, join(at.work, 'repository.asc'));
      await workThroughPage('runbooks/upgrade-nodes', at);

      const [lists, ...runs] = (await runsAt(at)).map(performedChanges);
      const after = await onAll('cat /proc/sys/kernel/random/boot_id');
      const versions = await onAll("dpkg-query -W -f '${Version} ' lab-tool kubelet; readlink /run/provision/lock");
      const members = await must(
        lab.ssh('etcd-1', `${etcdctl('https://127.0.0.1:2379', 'endpoint health --cluster')} 2>&1`),
      );
      expect(planned.stdout).toContain('read the lists of packages again');
      expect(planned.stdout).toContain('which packages are upgraded is known once apt has read its lists again');
      expect(still).toEqual(['1', '1', '1']);
      expect(held?.ended.status).not.toBe(0);
      expect(held?.ended.stdout).toContain("violate the pod's disruption budget");
      expect(held?.left).toEqual([['true', '', ''], '']);
      expect(between?.killed.status === 137 ? '' : endOf(between?.killed ?? planned)).toBe('');
      expect(between?.left).toEqual([['true', '', 'true'], expect.stringMatching(/^[0-9a-f-]{36}$/), 'cp-2']);
      expect(between?.named).toEqual(['cp-2', 'worker-1']);
      expect(lists).toHaveLength(NODES.length);
      const steps = runs.flat().map((line) => line.replace(/^.*? \/ |: .*/g, '').replace('node-upgrade:', ''));
      // Pods of the cluster itself may be on it.
      expect(steps.filter((each) => each !== 'cp-1 / drained')).toEqual([
        'worker-1 / uncordoned',
        ...['finished', 'packages'].map((each) => `cp-1 / ${each}`),
        ...['drained', 'packages', 'reboot', 'uncordoned'].map((each) => `cp-2 / ${each}`),
      ]);
      expect(after.map((id, index) => id !== boots[index])).toEqual([false, true, true]);
      expect(versions).toEqual(['1.20.2-0 2 ', '1.20.2-0 2 ', '1.20.2-0 2 ']);
      expect(members.match(/is healthy/g)).toHaveLength(3);
      expect([await cordoned(), await mark('worker-1'), await mark('cp-2')]).toEqual([['true', '', ''], '', '']);
      expect(await mark('cp-1')).toBe('x');
    });
  },
);
