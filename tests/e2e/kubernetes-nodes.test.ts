import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { apiserverVip, BESIDE_ETCD } from '../support/apiserver-vip.js';
import { powerCut, startHost } from '../../src/lab/faults.js';
import { ALL_ANSWERED, askedSoFar, startAsking } from '../support/asking.js';
import { kubectl, LAB_SETTINGS, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import { endOf, passphraseFile, performedChanges, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import type { PagePart, PagePlace } from '../support/page.js';
import { runtimeReleases } from '../support/runtime-release.js';
import { disturbedRun } from '../support/stopped-run.js';

/** One pod, which would rather be on worker-2, and a budget that lets nobody evict it. */
const HELD = `apiVersion: apps/v1
kind: Deployment
metadata: {name: held}
spec:
  replicas: 1
  selector: {matchLabels: {app: held}}
  template:
    metadata: {labels: {app: held}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [worker-2]}]}}]}}
      containers:
      - {name: main, image: 'lab.invalid/busybox:1', command: [sleep, '31415']}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: held}
spec: {minAvailable: 1, selector: {matchLabels: {app: held}}}
`;

const ALONE = `apiVersion: v1
kind: Pod
metadata: {name: alone}
spec:
  nodeName: worker-2
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: 'lab.invalid/busybox:1', command: [sleep, '27182']}
`;

/** As a network of pods comes: a namespace, a kind of its own with an object of it, a secret, and an agent on every node. */
const NETWORK = `apiVersion: v1
kind: Namespace
metadata: {name: net}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pools.net.example.com}
spec:
  group: net.example.com
  scope: Cluster
  names: {kind: Pool, plural: pools, singular: pool}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: net.example.com/v1
kind: Pool
metadata: {name: pods}
spec: {cidr: 10.9.0.0/16}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: net}
data: {mtu: "1400"}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: net}
stringData: {psk: planted-one}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: net}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: 'lab.invalid/busybox:1', command: [sleep, '16180']}]
`;

const PINNED = "pgrep -x -f 'sleep 31415'";

const FORMER = ['--playbook', 'former-nodes'];

describeOnLab(
  'nodes that leave a Kubernetes',
  'nodes',
  { etcd: 1, controlPlanes: 2, workers: 2, kubernetes: 'real' },
  (lab) => {
    let inventory = '';
    let vip = '';

    let at: PagePlace;
    const acts: Record<string, () => unknown> = {};

    beforeAll(async () => {
      vip = await apiserverVip(lab);
      const lines = [
        `kube_apiserver_lb_ip: ${vip}`,
        'kube_cluster_drain_timeout: 45',
        'kube_cluster_cni_manifest: network.yaml',
        ...LAB_SETTINGS,
      ];
      at = await placeWithInventory(lab, acts, lines);
      inventory = join(at.work, 'nodes.yaml');
      const text = await readFile(join(at.work, 'inventory.yaml'), 'utf8');
      await writeFile(inventory, `${text}    kube_apiserver_lb:\n${BESIDE_ETCD.group}`);
      await writeFile(join(at.work, 'network.yaml'), NETWORK);
      const begun = Date.now();
      const made = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (made.status !== 0) throw new Error(endOf(made));
      console.log(`bare hosts to four nodes: ${(Date.now() - begun) / 1000} s`);
      await create(HELD);
      await until(lab, 'worker-2', PINNED);
    });

    /** Works a part of the runbook through, from an inventory with all four nodes. */
    async function workThroughRunbook(
      part: PagePart,
      byHand: Record<string, () => unknown>,
    ): Promise<readonly string[]> {
      await copyFile(inventory, join(at.work, 'inventory.yaml'));
      Object.assign(acts, byHand);
      const before = (await runsAt(at)).length;
      await workThroughPage('runbooks/remove-a-node', at, part);
      return (await runsAt(at)).slice(before).flatMap(performedChanges);
    }

    const create = async (objects: string): Promise<unknown> =>
      lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], objects);
    const ask = async (words: string): Promise<string> => (await lab.ssh('cp-1', kubectl(words))).stdout;
    const nodeNames = async (): Promise<readonly string[]> =>
      (await ask("get nodes -o 'jsonpath={.items[*].metadata.name}'")).trim().split(' ');

    /** The inventory with a host in the group of former nodes alone. */
    async function without(host: string): Promise<string> {
      const text = await readFile(inventory, 'utf8');
      const lines = new RegExp(`^ {8}${host}:\\n {10}ansible_host: .*\\n`, 'm').exec(text)?.[0] ?? '';
      const file = inventory.replace(/\.yaml$/, `-without-${host}.yaml`);
      const group = `    kube_node_former:\n      hosts:\n${lines}`;
      await writeFile(file, `${text.replace(lines, '')}${group}`);
      return file;
    }

    /** Makes sure that all four are nodes: the other tests need them. */
    async function joinAgain(): Promise<readonly string[]> {
      const joined = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (joined.status !== 0) throw new Error(endOf(joined));
      expect(await nodeNames()).toEqual(['cp-1', 'cp-2', 'worker-1', 'worker-2']);
      return performedChanges(joined);
    }

    const ends = (changes: readonly string[]): readonly string[] =>
      changes.map((line) => line.split(' / ').slice(1).join(' / '));

    /** A pod that nobody would make again is refused; a budget that allows nothing is reported, and holds the drain up. */
    async function heldUp(former: string): Promise<void> {
      await create(ALONE);
      const refused = await lab.provision('plan', former, ...FORMER);
      await ask('delete pod alone --now');
      expect(refused.stdout + refused.stderr).toContain('nobody would make these pods again elsewhere: default/alone');

      await lab.ssh('cp-1', 'rm -rf /root/.kube');
      const planned = await runVerb(lab, 'plan', former, ...FORMER);
      const caches = await lab.ssh('cp-1', 'ls -d /.kube /root/.kube /run/LIVE-* 2>/dev/null');
      expect(ends(plannedChanges(planned))).toEqual([
        'worker-2 / kubernetes:drained: drain node worker-2: its pods go elsewhere, as their disruption budgets let them',
        'worker-2 / kubernetes:reset: take Kubernetes off the host (kubeadm reset)',
        'worker-2 / kubernetes:node: delete node worker-2',
      ]);
      expect(planned.stdout).toContain('1 disruption budget allows nothing now');
      expect(planned.stdout).toMatch(/- default\/held-/);
      expect(caches.stdout).toBe('');

      const ended = await lab.provision('apply', former, ...FORMER, '--yes');
      const text = ended.stdout + ended.stderr;
      expect(ended.status).not.toBe(0);
      expect(text).toMatch(/held-\S+" -n "default".*disruption budget/);
      expect(text).toContain('the node takes pods again');
      expect(await ask("get node worker-2 -o 'jsonpath={.spec.unschedulable}'")).toBe('');
      expect((await lab.ssh('worker-2', PINNED)).status).toBe(0);
    }

    /** In the middle of the reset the run is killed, and the host loses its power. */
    async function killedInReset(former: string): Promise<void> {
      const words = ['apply', former, ...FORMER, '--yes', '--passphrase-file', await passphraseFile(lab)];
      const killed = await disturbedRun(
        lab,
        words,
        (event) => event.type === 'change-started' && event.address === 'kubernetes:reset',
        async (kill) => {
          await until(lab, 'worker-2', '! systemctl is-enabled --quiet kubelet');
          kill('SIGKILL');
          await powerCut(await lab.host('worker-2'));
        },
      );
      expect(killed.status === 137 ? '' : endOf(killed)).toBe('');
      await startHost(await lab.host('worker-2'));
      await until(lab, 'worker-2', 'test -e /var/lib/provision/kubernetes');
    }

    test('a worker leaves by the runbook: a budget holds it up; killed in its reset, with the power of the host cut, the next run ends it', async () => {
      const former = await without('worker-2');
      await heldUp(former);
      await ask('delete poddisruptionbudget held');
      const performed = await workThroughRunbook(
        { before: 'What may hold it up' },
        { 'a run ends in the middle': () => killedInReset(former) },
      );
      // What the killed run has done is in its journal, too.
      const drained = ends(performed).filter((line) => line.startsWith('worker-2 / kubernetes:drained'));
      expect([1, 2]).toContain(drained.length);
      expect(
        ends(performed)
          .map((line) => line.replace(/: .*/, ''))
          .slice(-2),
      ).toEqual(['worker-2 / kubernetes:reset', 'worker-2 / kubernetes:node']);
      await until(lab, 'worker-1', PINNED);
      const left = await lab.ssh(
        'worker-2',
        'find /etc/kubernetes /var/lib/provision -type f; systemctl is-enabled kubelet; systemctl is-active kubelet; pgrep -c kube',
      );
      expect(left.stdout).toBe('disabled\ninactive\n0\n');

      // The hosts that stay get its name again, too.
      const joined = (await joinAgain()).filter((line) => line.includes('kubernetes:'));
      expect(joined.map((line) => line.split(' / ')[1])).toEqual(['worker-2']);
    });

    test('the network of pods is that of the file: applied with its own kinds, and what differs is shown', async () => {
      const file = join(dirname(inventory), 'network.yaml');
      const plan = async (): Promise<JsonRun> => runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes');
      const empty = plannedChanges(await plan());
      const made = await ask("-n net get daemonset,configmap,secret,pool -o 'jsonpath={.items[*].metadata.name}'");
      await writeFile(file, NETWORK.replace('1400', '1450').replace('planted-one', 'planted-two'));
      const planned = await plan();
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      const mtu = await ask("-n net get configmap settings -o 'jsonpath={.data.mtu}'");
      const again = plannedChanges(await plan());
      await ask('-n net create configmap other --from-literal a=1');
      await writeFile(
        file,
        `${NETWORK}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: net}\ndata: {a: "2"}\n`,
      );
      const conflict = await lab.provision('plan', inventory, '--playbook', 'kubernetes');
      await ask('-n net delete configmap other');
      const less = await withoutObjects(file);
      await writeFile(file, NETWORK);
      await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      expect(empty).toEqual([]);
      expect(made.split(' ')).toEqual(expect.arrayContaining(['agent', 'settings', 'key', 'pods']));
      expect(ends(plannedChanges(planned))).toEqual([
        'cp-1 / kubernetes:manifest:network.yaml: apply network.yaml (kubectl apply --server-side)',
      ]);
      expect(planned.stdout).toContain(String.raw`"-  mtu: \"1400\"","+  mtu: \"1450\""`);
      expect(planned.stdout).toContain('~ v1.Secret.net.key: [redacted]');
      expect(planned.stdout + applied.stdout).not.toMatch(/planted-|cGxhbnRlZC/);
      expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
      expect([mtu, again]).toEqual(['1450', []]);
      expect(conflict.stdout + conflict.stderr).toContain('fields of it were set otherwise by others');
      expect(less.told.length).toBe(3);
      expect(less.applied.status === 0 ? '' : endOf(less.applied)).toBe('');
      expect(less.stayed.split('\n')).toHaveLength(4);
      expect(less.left).toBe('daemonset.apps/agent');
      expect([plannedChanges(less.again), less.again.stdout.includes('has no more')]).toEqual([[], false]);
    });

    /** The file loses a kind with an object of it, and a ConfigMap: they stay, and the plan's own commands delete them. */
    async function withoutObjects(file: string) {
      const lost = /name: (?:pools\.net\.example\.com|pods|settings)[,}]/;
      const documents = NETWORK.split('---\n').filter((each) => !lost.test(each));
      await writeFile(file, documents.join('---\n'));
      const plan = async (): Promise<JsonRun> => runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes');
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      const there = async (): Promise<string> =>
        (
          await ask(
            '-n net get crd/pools.net.example.com configmap/settings daemonset/agent -o name --ignore-not-found',
          )
        ).trim();
      const told = (await plan()).stdout.match(/kubectl delete \S+ [^;"]+/g) ?? [];
      const stayed = `${await there()}\n${(await ask('get pools -o name')).trim()}`;
      for (const command of told) await ask(command.replace('kubectl ', ''));
      return { told, applied, stayed, left: await there(), again: await plan() };
    }

    test('containerd of a release, with proxies: one node after the other, pods run on, no client notices; killed before a restart, the next run goes on', async () => {
      const lines = [
        ...(await runtimeReleases(lab, 'worker-1')),
        'kube_cluster_https_proxy: http://proxy.lab.invalid:3128',
        'kube_cluster_no_proxy: [registry.lab.invalid]',
      ];
      const released = join(at.work, 'released.yaml');
      const text = (await readFile(inventory, 'utf8')).replace(
        'cni_bin_dir: /usr/lib/cni',
        'cni_bin_dir: /opt/cni/bin',
      );
      await writeFile(released, text.replace('  vars:\n', `  vars:\n${lines.map((line) => `    ${line}\n`).join('')}`));
      const CONTAINERD = ['--playbook', 'containerd'];
      const on = async (script: string): Promise<readonly string[]> =>
        Promise.all((await nodeNames()).map(async (name) => (await lab.ssh(name, script)).stdout.trim()));
      const pods = await on('pgrep -x "kube-.*" | sort');
      const before = await on('pgrep -x containerd');
      const planned = await runVerb(lab, 'plan', released, ...CONTAINERD);
      await startAsking(lab, { from: 'cp-1', url: `https://${vip}:8443/readyz`, options: '-k' });
      const killed = await disturbedRun(
        lab,
        ['apply', released, ...CONTAINERD, '--yes', '--passphrase-file', await passphraseFile(lab)],
        (event) => event.type === 'change-started' && event.address === 'service:containerd',
        (kill) => {
          kill('SIGKILL');
        },
      );
      const applied = await runVerb(lab, 'apply', released, ...CONTAINERD);
      const asked = await askedSoFar(lab, 'cp-1');
      console.log(`while containerd was exchanged on four nodes, the virtual IP answered: ${asked}`);
      expect([killed.status, applied.status === 0 ? '' : endOf(applied)]).toEqual([137, '']);
      expect(asked).toMatch(ALL_ANSWERED);
      const restarts = plannedChanges(planned).filter((line) =>
        line.endsWith('service:containerd: restart containerd'),
      );
      expect(restarts).toHaveLength(4);
      expect(await on('pgrep -x "kube-.*" | sort')).toEqual(pods);
      const after = await on('pgrep -x containerd');
      expect(after.filter((pid) => before.includes(pid))).toEqual([]);
      for (const program of await on('readlink /proc/$(pgrep -x containerd)/exe'))
        expect(program).toMatch(/^\/usr\/local\/lib\/provision-releases\/containerd-[0-9a-f]{12}\/containerd$/);
      for (const environment of await on("tr '\\0' '\\n' </proc/$(pgrep -x containerd)/environ")) {
        expect(environment).toContain('HTTPS_PROXY=http://proxy.lab.invalid:3128');
        expect(environment).toMatch(new RegExp(`^NO_PROXY=.*,${vip},.*registry\\.lab\\.invalid`, 'm'));
      }
      expect(plannedChanges(await runVerb(lab, 'plan', released, ...CONTAINERD))).toEqual([]);
      // A new pod: its runc and its network are of the releases.
      await create(ALONE);
      await until(lab, 'worker-2', "pgrep -x -f 'sleep 27182'");
      await ask('delete pod alone --now');
      const completed = await on(
        'for name in kubectl kubeadm; do bash -c ". /usr/local/share/bash-completion/completions/$name; complete -p $name"; done',
      );
      for (const each of completed) expect(each).toMatch(/^complete .* kubectl\ncomplete .* kubeadm$/);
      // The other tests of this file plan with an inventory without all this.
      const back = await runVerb(lab, 'apply', inventory, ...CONTAINERD);
      expect(back.status === 0 ? '' : endOf(back)).toBe('');
    });

    test('the node of a lost host is deleted by the runbook when --limit leaves it out, and not while its kubelet reports', async () => {
      const former = await without('worker-2');
      const lose = async (): Promise<void> => {
        await lab.ssh('worker-2', 'systemctl stop ssh.socket; systemctl stop ssh');
        const alive = await lab.provision('plan', former, ...FORMER, '--limit', 'all:!worker-2');
        await powerCut(await lab.host('worker-2'));
        const unlimited = await lab.provision('apply', former, ...FORMER, '--yes');
        await until(lab, 'cp-1', kubectl('get node worker-2 --no-headers | grep NotReady'));
        expect(alive.stdout + alive.stderr).toContain('its node worker-2 is Ready');
        expect(unlimited.status).not.toBe(0);
        await copyFile(former, join(at.work, 'inventory.yaml'));
      };
      const performed = await workThroughRunbook({ from: 'The host is lost for good' }, { 'worker-2 is lost': lose });
      const nodes = await nodeNames();
      await startHost(await lab.host('worker-2'));
      // Its kubelet registers it again: it was never reset.
      await until(lab, 'cp-1', kubectl('get node worker-2 --no-headers | grep -w Ready'));
      expect(performed).toEqual([
        "Former nodes that are lost / cp-1 / kubernetes:lost-node:worker-2: delete node worker-2: its host can't be asked",
      ]);
      expect(nodes).toEqual(['cp-1', 'cp-2', 'worker-1']);
    });

    test('a control plane leaves: its backend first, no client notices, and what let it use etcd is gone', async () => {
      const former = await without('cp-2');
      const copies = 'ls /var/backups/provision | grep apiserver-etcd-client; :';
      const keys = (await lab.ssh('cp-2', copies)).stdout;
      const early = await lab.provision('apply', former, ...FORMER, '--yes', '--gate-timeout', '5');
      expect(early.stdout + early.stderr).toContain('leads to the API server of cp-2, which is about to leave');
      await startAsking(lab, { from: 'cp-1', url: `https://${vip}:8443/readyz`, options: '-k' });
      const applied = await runVerb(lab, 'apply', former, '--playbook', 'kubernetes');
      const asked = await askedSoFar(lab, 'cp-1');
      console.log(`while a control plane left, the virtual IP answered: ${asked}`);
      expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
      const performed = ends(performedChanges(applied)).map((line) => line.replace(/: .*/, ''));
      expect(performed.slice(-4)).toEqual([
        'cp-2 / kubernetes:drained',
        'cp-2 / kubernetes:reset',
        'cp-2 / kubernetes:etcd-client',
        'cp-2 / kubernetes:node',
      ]);
      expect(asked).toMatch(ALL_ANSWERED);
      expect(await nodeNames()).toEqual(['cp-1', 'worker-1', 'worker-2']);
      // Of its pair and of the copies that were kept of it.
      expect([keys === '', (await lab.ssh('cp-2', copies)).stdout]).toEqual([false, '']);
      const left = await lab.ssh('cp-2', 'pgrep -c kube; ls /etc/kubernetes/pki');
      expect(left.stdout.split('\n')).toEqual(['0', 'etcd', '']);
      await joinAgain();
    });
  },
);
