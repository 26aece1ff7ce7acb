import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { aptRepositoryOn, type AptRepository } from '../support/apt-repository.js';
import { kubectl, LAB_SETTINGS, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, inventoryWith, performedChanges, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';

const NODES = ['cp-1', 'cp-2', 'worker-1'];

const SOURCE = '/etc/apt/sources.list.d/provision-kubernetes.sources';
const PIN = '/etc/apt/preferences.d/provision-kubernetes.pref';

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
      inventory = await inventoryWith(lab, 'packages', lines('repository.asc'));
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
  },
);
