import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { replaceMachine } from '../../src/lab/faults.js';
import { kubectl, LAB_SETTINGS, until, WEB } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, workThroughPage } from '../support/lab-page.js';
import { losePower } from '../support/lost-machine.js';
import { must, PASSPHRASE } from '../support/main-job.js';
import { listed } from '../support/member-counts.js';
import { writePassphrase } from '../support/runbook-acts.js';

// The hosts of the guide that people follow by hand (three members, a control plane, a worker), and the failure with which it ends.

describeOnLab(
  'a member is lost under a real Kubernetes',
  'lost',
  { etcd: 3, controlPlanes: 1, workers: 1, kubernetes: 'real' },
  (lab) => {
    test('Kubernetes says so where it names the members; the runbook replaces it, and what runs goes on', async () => {
      const acts: Record<string, () => unknown> = {};
      const at = await placeWithInventory(lab, acts, LAB_SETTINGS);
      const inventory = join(at.work, 'inventory.yaml');
      const secret = ['--passphrase-file', join(at.work, 'passphrase')];
      writePassphrase(join(at.work, 'passphrase'), PASSPHRASE);
      const bypass = async (way: string): Promise<void> => {
        await must(lab.provision('bypass', inventory, way, '--yes', ...secret));
        await until(lab, 'cp-1', kubectl('get --raw /readyz'));
      };
      Object.assign(acts, {
        'lose the machine of etcd-3': () => losePower(lab, 'etcd-3'),
        'API servers name the members themselves': () => bypass('on'),
        'API servers use the virtual IP': () => bypass('off'),
        'put a bare machine in the place of etcd-3': async () => replaceMachine(await lab.host('etcd-3')),
      });

      const begun = Date.now();
      await must(lab.provision('apply', inventory, '--playbook', 'kubernetes', '--yes', ...secret));
      console.log(`bare hosts to two nodes: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], WEB);
      await until(lab, 'cp-1', kubectl('rollout status deployment web --timeout=1s'));
      const pods = "get pods -l app=web -o 'jsonpath={.items[*].metadata.uid}'";
      const before = (await lab.ssh('cp-1', kubectl(pods))).stdout;

      await workThroughPage('runbooks/member-lost-under-kubernetes', at);
      expect(await listed(lab)).toEqual(['etcd-1 started', 'etcd-2 started', 'etcd-3 started']);
      expect((await lab.ssh('cp-1', kubectl(pods))).stdout).toBe(before);
      expect(before.split(' ')).toHaveLength(2);
      await until(lab, 'cp-1', kubectl('exec deployment/web -- curl -sS -m 3 http://web.default.svc/'));
    });
  },
);
