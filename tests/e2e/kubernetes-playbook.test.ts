import { appendFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { cutNetwork, powerCut, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { kubectl, LAB_SETTINGS, until, WEB } from '../support/kubernetes-cluster.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { placeOnLab } from '../support/lab-page.js';
import {
  endOf,
  inventoryWith,
  must,
  PASSPHRASE,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { readPage, readSteps, workThrough, type PagePlace } from '../support/page.js';
import { disturbedRun } from '../support/stopped-run.js';

const NODES = ['cp-1', 'cp-2', 'worker-1'];

describeOnLab(
  'bare hosts to a Kubernetes',
  'kube',
  { etcd: 3, controlPlanes: 2, workers: 1, kubernetes: 'real' },
  (lab) => {
    let inventory = '';
    let vip = '';
    let refused: Ended;
    let killed: JsonRun;
    let again: readonly string[];
    let finished: JsonRun;
    let second: readonly string[];

    beforeAll(async () => {
      vip = (await vipOf(lab)).replace(/\d+$/, '99');
      inventory = await inventoryWith(lab, 'kubernetes', [`kube_apiserver_lb_ip: ${vip}`, ...LAB_SETTINGS]);
      await appendFile(inventory, '    kube_apiserver_lb:\n      children:\n        etcd: {}\n');
      await lab.ssh('worker-1', PLANT_SWAP);
      refused = await refusedPlan();
      const begun = Date.now();
      killed = await killedInJoin();
      again = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes'));
      finished = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (finished.status !== 0) throw new Error(endOf(finished));
      console.log(`bare hosts to three Ready nodes, with a power cut in a join: ${(Date.now() - begun) / 1000} s`);
      second = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes'));
    });

    // Nothing there can be turned on: a host of the lab has no swap of its own, and must not have the machine's.
    const PLANT_SWAP = `printf '/nowhere.img none swap sw,nofail 0 0\\n' >> /etc/fstab
printf '[Swap]\\nWhat=/elsewhere.img\\n' > /usr/lib/systemd/system/elsewhere.img.swap
systemctl daemon-reload; systemctl --quiet add-wants multi-user.target elsewhere.img.swap`;

    async function refusedPlan(): Promise<Ended> {
      await lab.ssh(
        'worker-1',
        'hostname cp-1; systemd-run --quiet --unit taken -- socat TCP-LISTEN:10250,fork,reuseaddr EXEC:/bin/true',
      );
      await until(lab, 'worker-1', "ss -Hltn 'sport = :10250' | grep .");
      const plan = await lab.provision('plan', inventory, '--playbook', 'kubernetes');
      await lab.ssh('worker-1', 'hostname worker-1; systemctl stop taken');
      return plan;
    }

    /** The second control plane loses its power in the middle of its join, and the run is killed. */
    async function killedInJoin(): Promise<JsonRun> {
      const file = await passphraseFile(lab);
      const words = ['apply', inventory, '--playbook', 'kubernetes', '--yes', '--passphrase-file', file];
      const run = await disturbedRun(
        lab,
        words,
        (event) => event.type === 'change-started' && event.address === 'kubernetes:joined' && event.host === 'cp-2',
        async (kill) => {
          await until(lab, 'cp-2', 'test -e /etc/kubernetes/manifests/kube-apiserver.yaml');
          kill('SIGKILL');
          await powerCut(await lab.host('cp-2'));
        },
      );
      if (run.status !== 137) throw new Error(endOf(run));
      await startHost(await lab.host('cp-2'));
      return run;
    }

    test('what kubeadm would refuse is told by the plan, before anything is changed', () => {
      const text = refused.stdout + refused.stderr;
      expect(refused.status).toBe(1);
      expect(text).toContain('worker-1 calls itself cp-1, and so does cp-1: they would be one node');
      expect(text).toContain('worker-1 has socat on port 10250, which Kubernetes needs');
    });

    test('hosts are prepared for a kubelet', async () => {
      const shown = await lab.ssh(
        'worker-1',
        `grep nowhere /etc/fstab; systemctl is-enabled elsewhere.img.swap; cat /etc/modules-load.d/60-provision-kubernetes.conf; sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; apt-mark showhold; sed -n '/^# BEGIN provision/,/^# END provision/p' /etc/hosts | wc -l; systemctl is-enabled containerd`,
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
        '5',
        'enabled',
        '',
      ]);
    });

    test('all nodes are Ready, and reach the API servers through their virtual IP; the second plan is empty', async () => {
      const nodes = await lab.ssh('cp-1', kubectl(`--server https://${vip}:8443 get nodes --no-headers`));
      expect(nodes.stdout.match(/^\S+ +Ready +\S+ +\S+ +v1\.20\.2$/gm)).toHaveLength(3);
      for (const host of NODES) {
        const { stdout } = await lab.ssh(host, "sed -n 's/^ *server: //p' /etc/kubernetes/kubelet.conf");
        expect(stdout).toBe(`https://${vip}:8443\n`);
      }
      expect(second).toEqual([]);
      const verified = await lab.provision('verify', inventory, '--playbook', 'kubernetes', '--format', 'json');
      const { items } = JSON.parse(verified.stdout) as { readonly items: readonly Record<string, string>[] };
      const ofNodes = items.filter(({ check }) => check === 'node');
      expect(ofNodes.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 9 }, () => 'ok'));
    });

    test('a control plane that lost its power in its join is reset, and joins; nobody else is touched again', async () => {
      const isJoin = (line: string): boolean => line.includes('kubernetes:joined');
      expect(performedChanges(killed).filter(isJoin)).toEqual([]);
      const reset = 'reset the host, on which a join was interrupted, and join the cluster';
      expect(again.filter((line) => line.includes('/ cp-2 / ') && line.includes(reset))).toHaveLength(1);
      expect(performedChanges(finished).map((line) => line.split(' / ')[1])).toEqual(['cp-2', 'worker-1']);
      const keys = await Promise.all(
        ['cp-1', 'cp-2'].map(async (host) => lab.ssh(host, 'sha256sum /etc/kubernetes/pki/apiserver-etcd-client.key')),
      );
      // Each has its own: kubeadm would have given the second one that of the first.
      expect(new Set(keys.map(({ stdout }) => stdout)).size).toBe(2);
    });

    test('where a run was killed at the very end of a join, no node that is Ready is reset; and a crictl.yaml of others stays', async () => {
      const uids = async (): Promise<string> =>
        (await lab.ssh('cp-1', kubectl("get nodes -o 'jsonpath={.items[*].metadata.uid}'"))).stdout;
      const before = await uids();
      const mark = 'echo joining >/var/lib/provision/kubernetes';
      const foreign = "printf 'runtime-endpoint: unix:///run/crio/crio.sock\\n'";
      await lab.ssh('cp-2', mark);
      await lab.ssh('worker-1', `${mark}; cp /etc/crictl.yaml /root/; ${foreign} >/etc/crictl.yaml`);
      const planned = await runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes');
      const applied = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      const kept = (await lab.ssh('worker-1', 'cat /etc/crictl.yaml; mv /root/crictl.yaml /etc/')).stdout;
      const changes = plannedChanges(planned).map((line) => line.replace(/.* \/ (\S+) \/ [^:]*:[^:]*: /, '$1: '));
      expect(changes).toEqual(
        ['cp-2', 'worker-1'].map(
          (host) => `${host}: note that its join is finished: the run that began it was killed at the end`,
        ),
      );
      expect(planned.stdout).toContain('/etc/crictl.yaml was written by another tool, and stays');
      expect(applied.status === 0 ? '' : endOf(applied)).toBe('');
      expect([await uids(), kept]).toEqual([before, 'runtime-endpoint: unix:///run/crio/crio.sock\n']);
      const marks = await Promise.all(NODES.map(async (host) => lab.ssh(host, '[ -e /var/lib/provision/kubernetes ]')));
      expect(marks.map(({ status }) => status)).toEqual(NODES.map(() => 1));
    });

    test('tokens and certificates that were made for the run are gone', async () => {
      const left = await lab.ssh(
        'cp-1',
        kubectl('-n kube-system get secrets -o name | grep -E "bootstrap-token|kubeadm-certs"'),
      );
      expect(left.stdout).toBe('');
      const marks = await Promise.all(NODES.map(async (host) => lab.ssh(host, 'ls /var/lib/provision')));
      // But for the notes of a restore, which another test makes.
      expect(marks.map(({ stdout }) => stdout.replace('restore\n', ''))).toEqual(NODES.map(() => ''));
    });

    test('pods on two hosts answer through a service, by name', async () => {
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], WEB);
      await until(lab, 'cp-1', kubectl('rollout status deployment web --timeout=1s'));
      await until(lab, 'cp-1', kubectl('-n kube-system rollout status deployment coredns --timeout=1s'));
      const ask = kubectl('exec deployment/web -- curl -sS -m 3 http://web.default.svc.cluster.local/');
      const names = await until(lab, 'cp-1', `( for n in 1 2 3 4 5 6 7 8; do ${ask} || exit 1; done )`);
      expect(new Set(names.stdout.trim().split('\n')).size).toBe(2);
    });

    /** A pod on each node, whose process a search on the host finds. */
    async function podOnEach(name: string, seconds: number): Promise<void> {
      const pods = NODES.map((nodeName) => ({
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: `${name}-${nodeName}` } },
        spec: {
          ...{ nodeName, terminationGracePeriodSeconds: 1, tolerations: [{ operator: 'Exists' }] },
          containers: [{ name: 'main', image: 'lab.invalid/busybox:1', command: ['sleep', String(seconds)] }],
        },
      }));
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods });
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], list);
      for (const host of NODES) await until(lab, host, runs(seconds));
    }

    const runs = (seconds: number): string => `pgrep -x -f 'sleep ${seconds}'`;
    /** What remembers revisions on a node, with when it was started. */
    const STARTS = "ps -eo lstart=,comm= | grep -E ' (kubelet|kube-controller|kube-scheduler)$' | sort";
    const startsOn = async (host: string): Promise<readonly string[]> =>
      (await lab.ssh(host, STARTS)).stdout.trim().split('\n');

    /** The kubelets that `verify` reports after a restore. */
    async function staleKubelets(): Promise<readonly (string | undefined)[]> {
      const verified = await lab.provision('verify', inventory, '--format', 'json');
      const { items } = JSON.parse(verified.stdout) as { readonly items: readonly Record<string, string>[] };
      return items.filter((each) => each.check === 'restored-kubelet' && each.verdict !== 'ok').map(({ host }) => host);
    }

    test('a snapshot is restored: what remembers revisions is started again, and of a later pod nothing stays; a worker that is away holds up nothing', async () => {
      const file = join(dirname(inventory), 'before.db');
      await podOnEach('kept', 31415);
      await must(lab.provision('snapshot', 'save', inventory, '-o', file));
      await podOnEach('late', 27182);
      const before = await Promise.all(NODES.map(startsOn));
      expect(before.map(({ length }) => length)).toEqual([3, 3, 1]);
      const isNew = async (host: string): Promise<boolean> =>
        (await startsOn(host)).every((line) => !before[NODES.indexOf(host)]?.includes(line));
      const begun = Date.now();
      const restore = ['snapshot', 'restore', inventory, file, '--yes', '--confirm', 'etcd-cluster'];
      const worker = await lab.host('worker-1');
      await cutNetwork(worker);
      const killed = await disturbedRun(
        lab,
        restore,
        (event) => event.type === 'change-started' && event.address === 'restore:done',
        (kill) => {
          kill('SIGKILL');
        },
      );
      await restoreNetwork(worker);
      expect(killed.stdout).toContain('ssh worker-1 sudo systemctl restart kubelet');
      expect(await isNew('worker-1')).toBe(false);
      expect(await staleKubelets()).toEqual(['worker-1']);
      const again = await disturbedRun(
        lab,
        restore,
        () => false,
        () => undefined,
      );
      console.log(`restored under Kubernetes, with a kill, in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      expect(again.status === 0 ? '' : endOf(again)).toBe('');
      expect(performedChanges(again).filter((line) => !line.startsWith('Note that it is done'))).toEqual([
        'Start again what remembers old revisions / cp-1 / restore:workers-restarted: restart the kubelets of workers: worker-1',
      ]);
      for (const [index, host] of NODES.entries()) {
        await until(lab, host, `test "$(${STARTS} | wc -l)" = ${before[index]?.length ?? 0}`);
        expect([host, await isNew(host)]).toEqual([host, true]);
      }
      expect(await staleKubelets()).toEqual([]);
      await until(lab, 'cp-1', `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = 3`);
      for (const host of NODES) {
        await until(lab, host, `! ${runs(27182)}`);
        expect((await lab.ssh(host, runs(31415))).status).toBe(0);
      }
      const { stdout } = await lab.ssh('cp-1', kubectl('get pods -o name'));
      const pods = stdout.split('\n').filter((line) => /^pod\/(?:kept|late)-/.test(line));
      expect(pods.toSorted()).toEqual(['pod/kept-cp-1', 'pod/kept-cp-2', 'pod/kept-worker-1']);
    });

    /** Beside the inventory of this test, which stands for that of the pages. */
    async function placeOfPages(): Promise<PagePlace> {
      const place = await placeOnLab(lab);
      const work = dirname(inventory);
      await writeFile(join(work, '.variables'), `export PROVISION_CA_PASSPHRASE=${PASSPHRASE}\n`, { mode: 0o600 });
      const here = (text: string): string => place.here(text).replaceAll('inventory.yaml', basename(inventory));
      return { ...place, work, here };
    }

    test('the commands of the tutorial, where all is done: its plans have nothing to do, and its nodes are Ready', async () => {
      const steps = readSteps(readPage('tutorials/kubernetes'));
      await workThrough(
        // Its inventory is of other hosts.
        steps.filter(({ kind }) => kind === 'command'),
        await placeOfPages(),
      );
    });
  },
);
