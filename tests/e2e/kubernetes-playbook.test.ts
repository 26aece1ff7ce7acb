import { beforeAll, expect, jest, test } from '@jest/globals';
import { describeOnLab } from '../support/lab.js';
import { endOf, inventoryWith, performedChanges, plannedChanges, runVerb } from '../support/main-job.js';

jest.setTimeout(300_000);

describeOnLab(
  'bare hosts of Kubernetes',
  'kube',
  { etcd: 1, controlPlanes: 1, workers: 1, kubernetes: 'real' },
  (lab) => {
    const SWAP_UNIT = '[Swap]\nWhat=/elsewhere.img\n';
    let inventory = '';

    beforeAll(async () => {
      inventory = await inventoryWith(lab, 'kubernetes', [
        'kube_cluster_hosts_entries: true',
        'kube_cluster_image_repository: lab.invalid',
        'kube_cluster_cgroup_driver: cgroupfs',
        'kube_cluster_cni_bin_dir: /usr/lib/cni',
      ]);
      // Nothing there can be turned on: a host of the lab has no swap of its own, and must not have the machine's.
      await lab.ssh(
        'worker-1',
        `printf '/nowhere.img none swap sw,nofail 0 0\\n' >> /etc/fstab
printf '%s' '${SWAP_UNIT}' > /usr/lib/systemd/system/elsewhere.img.swap
systemctl daemon-reload; systemctl --quiet add-wants multi-user.target elsewhere.img.swap`,
      );
    });

    test('what kubeadm would refuse is told by the plan, before anything is changed', async () => {
      const setUp = `hostname cp-1; systemd-run --quiet --unit taken -- socat TCP-LISTEN:10250,fork,reuseaddr EXEC:/bin/true; for n in $(seq 100); do ss -Hltn 'sport = :10250' | grep -q . && break; sleep 0.1; done`;
      await lab.ssh('worker-1', setUp);
      try {
        const plan = await lab.provision('plan', inventory, '--playbook', 'node-prepare');
        expect(plan.status).toBe(1);
        expect(plan.stderr + plan.stdout).toContain(
          'worker-1 calls itself cp-1, and so does cp-1: they would be one node',
        );
        expect(plan.stderr + plan.stdout).toContain('worker-1 has socat on port 10250, which Kubernetes needs');
      } finally {
        await lab.ssh('worker-1', 'hostname worker-1; systemctl stop taken');
      }
    });

    test('hosts are prepared for a kubelet, once', async () => {
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'node-prepare');
      if (applied.status !== 0) throw new Error(endOf(applied));
      expect(performedChanges(applied).filter((line) => line.includes('swap'))).toHaveLength(1);
      expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'node-prepare'))).toEqual([]);
      const shown = await lab.ssh(
        'worker-1',
        `grep nowhere /etc/fstab; systemctl is-enabled elsewhere.img.swap; cat /etc/modules-load.d/60-provision-kubernetes.conf; sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; apt-mark showhold; sed -n '/^# BEGIN provision/,/^# END provision/p' /etc/hosts | wc -l`,
      );
      expect(shown.stdout.split('\n')).toEqual([
        '# provision: no swap under Kubernetes: /nowhere.img none swap sw,nofail 0 0',
        'masked',
        '# Kept by provision.',
        'overlay',
        'br_netfilter',
        '1',
        '1',
        'containerd',
        '4',
        '',
      ]);
    });

    test('containerd runs as the kubelet expects it, and is restarted for nothing', async () => {
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'containerd');
      if (applied.status !== 0) throw new Error(endOf(applied));
      const shown = await lab.ssh(
        'worker-1',
        'systemctl is-active containerd; systemctl is-enabled containerd; containerd config dump',
      );
      expect(shown.stdout).toMatch(/^active\nenabled\n/);
      for (const line of [
        'sandbox_image = "lab.invalid/pause:3.2"',
        'SystemdCgroup = false',
        'restrict_oom_score_adj = true',
      ])
        expect(shown.stdout).toContain(line);
      expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'containerd'))).toEqual([]);
    });
  },
);
