import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Way } from '../support/cluster-client.js';
import { APISERVER_PEERS, createKubernetes, kubectl, until } from '../support/kubernetes-cluster.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { endOf, must, passphraseFile, plannedChanges, runVerb, vipOf } from '../support/main-job.js';
import { listed, whileWriting } from '../support/member-counts.js';
import type { PagePlace } from '../support/page.js';
import { stackedFiles, waysAcross, type StackedCluster } from '../support/stacked-cluster.js';
import { disturbedRun } from '../support/stopped-run.js';

const NEW_MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];

const PKI = '/etc/kubernetes/pki/etcd';
const CTL = `ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=${PKI}/ca.crt --cert=${PKI}/healthcheck-client.crt --key=${PKI}/healthcheck-client.key`;

/**
 * Each takes as long as a lab file may, so that a commit has one of them; a sweep has all. Two members are the smallest cluster that loses
 * its quorum with one of them, so that no step may be out of order; of one, the first that joins is the other half.
 */
const STORIES = [
  { name: 'half of the way, and back', suffix: 'kstack0', controlPlanes: ['cp-1', 'cp-2'] },
  { name: 'all of the way', suffix: 'kstack1', controlPlanes: ['cp-1', 'cp-2'] },
  { name: 'all of the way, from one member', suffix: 'kstack2', controlPlanes: ['cp-1'] },
] as const;

/** An API server that has no other beside it is away while it restarts: its clients wait so long. */
const AWAY_MS = 120_000;

describe.each(partOfThisCommit(18)(STORIES, 1))('a stacked etcd under real kubelets: $name', (story) => {
  const { name, suffix, controlPlanes: CONTROL_PLANES } = story;
  const size = { etcd: 3, controlPlanes: CONTROL_PLANES.length, kubernetes: 'real' } as const;
  describeOnLab('on control planes', suffix, size, (lab) => {
    let cluster: StackedCluster;
    let at: PagePlace;
    let inventory = '';
    let secret: readonly string[] = [];

    beforeAll(async () => {
      await createKubernetes(lab, 'stacked');
      cluster = { controlPlanes: CONTROL_PLANES, files: await stackedFiles(lab, 'cp-1') };
      at = await placeWithInventory(lab);
      inventory = join(at.work, 'inventory.yaml');
      secret = ['--passphrase-file', await passphraseFile(lab)];
      const former = CONTROL_PLANES.map((host) => `        ${host}: {}\n`).join('');
      await appendFile(inventory, `    etcd_former:\n      hosts:\n${former}`);
      await must(lab.provision('adopt', inventory, '--yes'));
      const pki = join(at.work, 'pki');
      const key = `ssh -F '${lab.files.sshConfig}' -l root cp-1 cat ${PKI}/ca.key`;
      const words = ['ca', 'import', pki, '--certificate', join(pki, 'ca.crt'), ...secret];
      await must(
        lab.onControlSide([
          'bash',
          '-c',
          `exec "$@" --key <(${key})`,
          'bash',
          process.execPath,
          'dist/main.js',
          ...words,
        ]),
      );
    });

    async function waysTo(...names: readonly string[]): Promise<readonly Way[]> {
      const { hosts } = (await lab.host('cp-1')).lab;
      const members = hosts.filter((host) => names.includes(host.name));
      const ways = await waysAcross(lab, cluster, members);
      const isAlone = CONTROL_PLANES.length === 1;
      return ways.map((way) => (isAlone && way.kind === 'api' ? { ...way, patienceMs: AWAY_MS } : way));
    }

    const stackedMembers = async (): Promise<readonly string[]> => {
      const list = await must(lab.ssh('cp-2', `${CTL} member list`));
      const fields = list
        .trim()
        .split('\n')
        .map((line) => line.split(', '));
      return fields.map(([, state = '', member = '']) => `${member} ${state}`).toSorted();
    };

    /** The first one of the inventory leaves first then. */
    async function leadWithTheOther(): Promise<void> {
      const id = `$(${CTL} member list | sed -n 's/, started, cp-2, .*//p')`;
      await lab.ssh('cp-1', `${CTL} move-leader "${id}"`);
    }

    async function until1stHasLeft(): Promise<void> {
      const words = ['apply', inventory, '--playbook', 'unstack', '--yes', ...secret];
      const killed = await disturbedRun(
        lab,
        words,
        (event) => event.type === 'change-done' && event.address === 'member-aside:cp-1',
        (kill) => {
          kill('SIGKILL');
        },
      );
      if (killed.status !== 137) throw new Error(endOf(killed));
      expect(await stackedMembers()).toEqual(['cp-2 started', ...NEW_MEMBERS.map((member) => `${member} started`)]);
    }

    /** Where the API servers are connected to etcd, once old processes have ended; a member is connected to itself, too. */
    async function untilConnectedTo(server: string): Promise<void> {
      for (const host of CONTROL_PLANES) await until(lab, host, `test "$(${APISERVER_PEERS})" = '${server}'`);
    }

    /** By the runbook. */
    async function halfAndBack(): Promise<void> {
      await leadWithTheOther();
      const ways = (await waysTo(...CONTROL_PLANES, ...NEW_MEMBERS)).filter((way) => way.name !== 'vip');
      const stacked = (await waysTo(...CONTROL_PLANES)).filter((way) => way.name !== 'vip');
      const work = async (): Promise<void> => {
        await until1stHasLeft();
        await workThroughPage('runbooks/stacked-to-external', at, { from: 'The way back' });
      };
      await whileWriting(lab, ways, 'back', work, stacked);
      expect(await stackedMembers()).toEqual(['cp-1 started', 'cp-2 started']);
      await untilConnectedTo('127.0.0.1:2379');
      expect(await must(lab.ssh('cp-1', 'kubeadm config view'))).toContain('etcd: {local: {dataDir: /var/lib/etcd}}');
      const nodes = await must(lab.ssh('cp-1', kubectl('get nodes --no-headers')));
      expect(nodes.match(/ Ready /g)).toHaveLength(CONTROL_PLANES.length);
      // And the way forward is there again, from its beginning.
      const planned = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'unstack'));
      expect(planned.filter((line) => line.includes('member-add:')).map((line) => line.split(' / ')[1])).toEqual(
        NEW_MEMBERS,
      );
    }

    async function allTheWay(): Promise<void> {
      const [ways, afterwards] = await Promise.all([waysTo(...CONTROL_PLANES, ...NEW_MEMBERS), waysTo(...NEW_MEMBERS)]);
      const work = async (): Promise<string> =>
        must(lab.provision('apply', inventory, '--playbook', 'unstack', '--yes', ...secret));
      await whileWriting(lab, ways, 'forward', work, afterwards);
      expect(await listed(lab)).toEqual(NEW_MEMBERS.map((member) => `${member} started`));
      await untilConnectedTo(`${await vipOf(lab)}:2379`);
      expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'unstack'))).toEqual([]);
      for (const host of CONTROL_PLANES)
        expect((await lab.ssh(host, 'pgrep -x etcd; ls /etc/kubernetes/manifests')).stdout.split('\n')).toEqual([
          'kube-apiserver.yaml',
          'kube-controller-manager.yaml',
          'kube-scheduler.yaml',
          '',
        ]);
      const nodes = await must(lab.ssh('cp-1', kubectl('get nodes --no-headers')));
      expect(nodes.match(/ Ready /g)).toHaveLength(CONTROL_PLANES.length);
    }

    test('no client notices, and what was acknowledged is there', async () => {
      await (name === 'half of the way, and back' ? halfAndBack() : allTheWay());
    });
  });
});
