import { appendFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { createHandMadeCluster } from '../support/hand-made-cluster.js';
import { createKubernetes, kubectl, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, inventoryWith, plannedChanges, runVerb, vipOf } from '../support/main-job.js';

jest.setTimeout(300_000);

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{operator: Exists}]
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}
      containers:
      - name: web
        image: lab.invalid/busybox:1
        command: [/bin/sh, -c, 'hostname > /tmp/index.html; httpd -f -p 8080 -h /tmp']
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

describeOnLab(
  'a lab with a real Kubernetes',
  'k8s',
  { etcd: 1, controlPlanes: 1, workers: 1, kubernetes: 'real' },
  (lab) => {
    let before = '';

    beforeAll(async () => {
      before = (await lab.ssh('cp-1', 'pgrep -lx "kubelet|containerd|kube-apiserver|etcd"; kubeadm version -o short'))
        .stdout;
      await createKubernetes(lab, await createHandMadeCluster(lab, { members: ['package'] }));
    }, 300_000);

    test('its hosts are prepared, and nothing of Kubernetes runs on them before someone sets it up', () => {
      expect(before).toBe('v1.20.2\n');
    });

    test('pods on two hosts answer through a service, by name', async () => {
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], WEB);
      await until(lab, 'cp-1', kubectl('rollout status deployment web --timeout=1s'));
      await until(lab, 'cp-1', kubectl('-n kube-system rollout status deployment coredns --timeout=1s'));
      const pods = await lab.ssh('cp-1', kubectl('get pods -l app=web -o "jsonpath={.items[*].spec.nodeName}"'));
      expect(pods.stdout.split(' ').sort()).toEqual(['cp-1', 'worker-1']);
      const ask = kubectl('exec deployment/web -- curl -sS -m 3 http://web.default.svc.cluster.local/');
      const names = await until(lab, 'cp-1', `for n in 1 2 3 4 5 6 7 8; do ${ask}; done`);
      expect(new Set(names.stdout.trim().split('\n')).size).toBe(2);
    });

    test('its API server gets a virtual IP, and kubeadm puts that into what it shows and into its configuration', async () => {
      const vip = (await vipOf(lab)).replace(/\d+$/, '99');
      const inventory = await inventoryWith(lab, 'apiserver', [`kube_apiserver_lb_ip: ${vip}`]);
      // The nodes' image has no packages to install: the host of etcd has.
      await appendFile(inventory, '    kube_apiserver_lb:\n      children:\n        etcd: {}\n');
      for (const playbook of ['apiserver-lb', 'apiserver-names']) {
        const run = await runVerb(lab, 'apply', inventory, '--playbook', playbook);
        expect(run.status === 0 ? '' : endOf(run)).toBe('');
        expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', playbook))).toEqual([]);
      }
      const verified = await lab.provision('verify', inventory, '--playbook', 'apiserver-lb', '--format', 'json');
      const { items } = JSON.parse(verified.stdout) as { readonly items: readonly Record<string, string>[] };
      const answers = items.filter(
        ({ check, subject }) => check === 'virtual-ip-answers' && subject === 'kube-apiserver',
      );
      expect(answers.map(({ host, verdict }) => `${host ?? ''} ${verdict ?? ''}`)).toEqual([
        'etcd-1 ok',
        'cp-1 ok',
        'worker-1 ok',
      ]);
      const nodes = await lab.ssh('cp-1', kubectl(`--server https://${vip}:8443 get nodes --no-headers`));
      expect(nodes.stdout.match(/ Ready /g)).toHaveLength(2);
      const config = await lab.ssh('cp-1', kubectl('-n kube-system get configmap kubeadm-config -o yaml'));
      expect(config.stdout).toContain(`- '${vip}'`);
    });
  },
);
