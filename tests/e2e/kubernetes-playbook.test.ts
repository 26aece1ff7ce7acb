import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { apiserverVip, BESIDE_ETCD, inventoryWithVip } from '../support/apiserver-vip.js';
import type { CheckItem } from '../../src/checks/check.js';
import { overlayChanges, overlayDifference } from '../../src/lab/overlay.js';
import { cutNetwork, powerCut, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { EXIT } from '../../src/model/errors.js';
import { smokeNamespace } from '../../src/shell/smoke-test.js';
import { kubectl, LAB_SETTINGS, until, WEB } from '../support/kubernetes-cluster.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { placeOnLab } from '../support/lab-page.js';
import {
  consentTyped,
  endOf,
  type JsonRun,
  must,
  PASSPHRASE,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
} from '../support/main-job.js';
import { readPage, readSteps, workThrough, type PagePlace } from '../support/page.js';
import { disturbedRun, stoppedOnce } from '../support/stopped-run.js';
import { bringFakeTime, hasWrongClocks, setClock } from '../support/wrong-clock.js';

const NODES = ['cp-1', 'cp-2', 'worker-1'];
/** What a registry of the lab has. */
const SMOKE = [
  'kube_cluster_smoke_test_image: lab.invalid/busybox:1',
  `kube_cluster_smoke_test_command: [/bin/sh, -c, 'touch /tmp/index.html; httpd -f -p 8080 -h /tmp']`,
];

/** What a health check as JSON has of its smoke test. */
function smokeItems(text: string): readonly CheckItem[] {
  const { items } = JSON.parse(text) as { readonly items: readonly CheckItem[] };
  return items.filter(({ check }) => check === 'smoke-test');
}

/** A moment in the middle of a join. */
interface KillPoint {
  readonly host: string;
  readonly moment: string;
  /** What is seen on the host then, while kubeadm is at work. */
  readonly seen: string;
  /** `held`: it does not start, so that kubeadm waits for it. Else what is waited for before the power goes, and after it is back. */
  readonly kubelet: 'held' | { readonly lives: string };
  /** What becomes of the join with the next run. */
  readonly next: 'reset' | 'finished';
}

const KUBELET_CONF = '/etc/kubernetes/kubelet.conf';
/** Asked on the host, with what its kubelet has. */
const REGISTERED = `kubectl --kubeconfig ${KUBELET_CONF} get node "$(hostname)" -o name`;

/** In kubeadm's order: a control plane's static pods have their manifests before its kubelet begins. */
const KILL_POINTS: readonly KillPoint[] = [
  {
    ...{ host: 'cp-2', moment: 'kubeadm has not looked at the host yet', next: 'reset' },
    ...{ seen: ':', kubelet: 'held' },
  },
  {
    ...{ host: 'cp-2', moment: 'its checks are passed', next: 'reset' },
    ...{ seen: '[ -e /etc/kubernetes/pki/ca.crt ]', kubelet: 'held' },
  },
  {
    ...{ host: 'cp-2', moment: 'static pods have manifests, the kubelet its bootstrap kubeconfig', next: 'reset' },
    ...{ seen: '[ -e /etc/kubernetes/bootstrap-kubelet.conf ]', kubelet: 'held' },
  },
  {
    ...{ host: 'cp-2', moment: 'static pods run, and the node has neither label nor taint', next: 'finished' },
    seen: `[ -e ${KUBELET_CONF} ]`,
    kubelet: { lives: `${REGISTERED} && test "$(curl -sk https://127.0.0.1:6443/readyz)" = ok` },
  },
  {
    ...{ host: 'worker-1', moment: 'the kubelet has its certificate', next: 'finished' },
    seen: `[ -e ${KUBELET_CONF} ]`,
    kubelet: { lives: REGISTERED },
  },
];

const HELD = '/etc/systemd/system/kubelet.service.d/99-held.conf';
const holdKubelet = (kubelet: KillPoint['kubelet']): string =>
  `${kubelet === 'held' ? `printf '[Service]\\nExecCondition=/bin/false\\n' > ${HELD}` : `rm -f ${HELD}`}; systemctl daemon-reload`;

/** Stops kubeadm at once: between two steps of it are milliseconds, in which no program may be started. */
const stopWhen = (seen: string): string =>
  `timeout 120 sh -c "until pid=\\$(pgrep -f '^kubeadm join '); do :; done; until ${seen}; do :; done; kill -STOP \\$pid"`;

/** What a plan said, and the files that it wrote. */
interface Refused extends Ended {
  readonly written: readonly string[];
}

/** A host that can be no node: another one's name, a port that is taken, no module, another cgroup driver. */
const PLANT_FAULTS = `hostname cp-1
systemd-run --quiet --unit taken -- socat TCP-LISTEN:10250,fork,reuseaddr EXEC:/bin/true
mount -t tmpfs none /proc/sys/net/bridge
if [ -e /sys/module/br_netfilter ]; then mount -t tmpfs none /sys/module; fi
mkdir -p /var/lib/kubelet; echo 'cgroupDriver: systemd' > /var/lib/kubelet/config.yaml`;
const REPAIR_FAULTS = `hostname worker-1; systemctl stop taken; rm /var/lib/kubelet/config.yaml
umount /proc/sys/net/bridge; if mountpoint -q /sys/module; then umount /sys/module; fi`;

describeOnLab(
  'bare hosts to a Kubernetes',
  'kube',
  { etcd: 3, controlPlanes: 2, workers: 1, kubernetes: 'real' },
  (lab) => {
    let inventory = '';
    let vip = '';
    let refused: Refused;
    /** One run for each of {@link KILL_POINTS}, and the last one, which comes to its end. */
    let tried: readonly JsonRun[];
    let second: readonly string[];

    beforeAll(async () => {
      vip = await apiserverVip(lab);
      const variables = [...SMOKE, ...LAB_SETTINGS];
      inventory = await inventoryWithVip(lab, 'kubernetes', vip, { ...BESIDE_ETCD, variables });
      await lab.ssh('worker-1', PLANT_SWAP);
      refused = await refusedPlan();
      const begun = Date.now();
      const killed: JsonRun[] = [];
      for (const point of KILL_POINTS) killed.push(await killedAt(point));
      const finished = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
      if (finished.status !== 0) throw new Error(endOf(finished));
      tried = [...killed, finished];
      console.log(
        `bare hosts to three Ready nodes, with ${KILL_POINTS.length} power cuts in joins: ${(Date.now() - begun) / 1000} s`,
      );
      second = plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'kubernetes'));
    });

    // Nothing there can be turned on: a host of the lab has no swap of its own, and must not have the machine's.
    const PLANT_SWAP = `printf '/nowhere.img none swap sw,nofail 0 0\\n' >> /etc/fstab
printf '[Swap]\\nWhat=/elsewhere.img\\n' > /usr/lib/systemd/system/elsewhere.img.swap
systemctl daemon-reload; systemctl --quiet add-wants multi-user.target elsewhere.img.swap`;

    /** Everything that kubeadm, or nobody, would refuse: on one host, but for the twin of its name. */
    async function refusedPlan(): Promise<Refused> {
      await lab.ssh('worker-1', PLANT_FAULTS);
      await until(lab, 'worker-1', "ss -Hltn 'sport = :10250' | grep .");
      if (hasWrongClocks) await bringFakeTime(lab, 'worker-1');
      if (hasWrongClocks) await setClock(lab, 'worker-1', '-10m');
      const hosts = await Promise.all(['etcd-1', ...NODES].map(async (host) => lab.host(host)));
      const before = await Promise.all(hosts.map(overlayChanges));
      const plan = await lab.provision('plan', inventory, '--playbook', 'kubernetes');
      const after = await Promise.all(hosts.map(overlayChanges));
      if (hasWrongClocks) await setClock(lab, 'worker-1', undefined);
      await lab.ssh('worker-1', REPAIR_FAULTS);
      const written = before.flatMap((changes, index) => overlayDifference(changes, after[index] ?? []));
      // apt's own, which it makes for whoever asks it first.
      const ofApt = /^\/var\/cache(?:\/apt(?:\/(?:src)?pkgcache\.bin)?)?$/;
      return { ...plan, written: written.flatMap(({ path }) => (ofApt.test(path) ? [] : [path])) };
    }

    /** kubeadm is stopped in the middle of a join; then the run is killed, and its host loses its power. */
    async function killedAt({ host, seen, kubelet }: KillPoint): Promise<JsonRun> {
      const file = await passphraseFile(lab);
      const words = ['apply', inventory, '--playbook', 'kubernetes', '--yes', '--passphrase-file', file];
      await must(lab.ssh(host, holdKubelet(kubelet)));
      const lives = async (): Promise<unknown> => (kubelet === 'held' ? undefined : until(lab, host, kubelet.lives));
      const run = await disturbedRun(
        lab,
        words,
        (event) => event.type === 'change-started' && event.address === 'kubernetes:joined' && event.host === host,
        async (kill) => {
          await must(lab.ssh(host, stopWhen(seen)));
          await lives();
          kill('SIGKILL');
          await powerCut(await lab.host(host));
        },
      );
      if (run.status !== 137) throw new Error(endOf(run));
      await startHost(await lab.host(host));
      await lives();
      return run;
    }

    test('what kubeadm would refuse is reported by one plan, before anything is changed', () => {
      const text = refused.stdout + refused.stderr;
      expect([refused.status === 0, refused.written]).toEqual([false, []]);
      expect(text).toContain('worker-1 calls itself cp-1, and so does cp-1: they would be one node');
      expect(text).toContain('worker-1 has socat on port 10250, which Kubernetes needs');
      expect(text).toContain('worker-1 has no module br_netfilter for its kernel, which Kubernetes needs');
      expect(text).toContain('worker-1: its kubelet has the cgroup driver systemd');
      if (hasWrongClocks) expect(text).toMatch(/worker-1: its clock is (?:9 min 5\d s|10 min) behind/);
      // Nothing to refuse: the plan of the first run says that it is turned off.
      const swap = plannedChanges(tried[0] ?? { events: [] }).filter((line) => line.includes('/ swap-off: '));
      expect(swap).toEqual([
        'Hosts of Kubernetes / worker-1 / swap-off: turn swap off, now and after a reboot (none is on)',
      ]);
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

    test.each(KILL_POINTS.map((point, index) => ({ ...point, index })))(
      'a join that was killed when $moment: the next run goes on ($next)',
      ({ host, next, index }) => {
        const [run, following] = [tried[index], tried[index + 1]];
        if (run === undefined || following === undefined) throw new Error('there was no such run');
        const isJoin = (line: string): boolean => line.includes(`/ ${host} / kubernetes:joined`);
        expect(performedChanges(run).filter(isJoin)).toEqual([]);
        const planned = plannedChanges(following).filter(isJoin);
        expect(planned.map((line) => line.includes('reset the host'))).toEqual([next === 'reset']);
        expect(planned.map((line) => line.includes('finish the join of the host'))).toEqual([next === 'finished']);
      },
    );

    test('nobody else is touched again, and each control plane has its own way to etcd', async () => {
      const again = tried.slice(1).flatMap(performedChanges);
      expect(again.map((line) => line.split(':')[0])).toEqual([
        'Control planes join / cp-2 / kubernetes',
        'Workers join / worker-1 / kubernetes',
      ]);
      const keys = await Promise.all(
        ['cp-1', 'cp-2'].map(async (host) => lab.ssh(host, 'sha256sum /etc/kubernetes/pki/apiserver-etcd-client.key')),
      );
      // kubeadm would have given the second one that of the first.
      expect(new Set(keys.map(({ stdout }) => stdout)).size).toBe(2);
      const marked = await lab.ssh(
        'cp-1',
        kubectl("get nodes -l node-role.kubernetes.io/master -o 'jsonpath={.items[*].metadata.name}'"),
      );
      expect(marked.stdout).toBe('cp-1 cp-2');
      const sockets = `get nodes -o 'jsonpath={.items[*].metadata.annotations.kubeadm\\.alpha\\.kubernetes\\.io/cri-socket}'`;
      expect((await lab.ssh('cp-1', kubectl(sockets))).stdout.split(' ')).toHaveLength(3);
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
      const names = await until(lab, 'cp-1', `( for n in $(seq 24); do ${ask} || exit 1; done )`);
      expect(new Set(names.stdout.trim().split('\n')).size).toBe(2);
    });

    test('the smoke test of verify asks pods on two nodes from every node; two at once, one that is stopped, and what a killed one has left', async () => {
      const words = ['verify', inventory, '--smoke-test', '--format', 'json'];
      const left = async (): Promise<string> =>
        (await lab.ssh('cp-1', kubectl('get namespaces -o name') + ' | grep smoke-test')).stdout;
      const started = Date.now();
      const both = await Promise.all([lab.provision(...words), lab.provision(...words)]);
      console.log(`verify --smoke-test, two at once: ${((Date.now() - started) / 1000).toFixed(1)} s`);
      for (const verified of both) {
        const found = smokeItems(verified.stdout);
        expect(found.map(({ host, verdict }) => [host, verdict])).toEqual([
          [undefined, 'ok'],
          ...NODES.map((host) => [host, 'ok']),
        ]);
        expect(found[0]?.evidence).toMatch(/^2 pods became ready, on (cp-\d|worker-1) and (cp-\d|worker-1)$/);
      }
      expect(await left()).toBe('');

      // As where it was killed; a namespace of others has the name alone.
      const [killed, others] = [smokeNamespace('0123abcd'), smokeNamespace('others')];
      const labels = 'app.kubernetes.io/managed-by=provision app.kubernetes.io/name=smoke-test';
      const planted = [
        `create namespace ${killed}`,
        `label namespace ${killed} ${labels}`,
        `create namespace ${others}`,
      ];
      // A second between two namespaces is a quarter of an hour then.
      const slower = String.raw`printf '#!/bin/sh\n[ "$3" = +%%s ] || exec /bin/date "$@"\necho $(($(/bin/date "$@") * 1000))\n' >/usr/local/bin/date; chmod 0755 /usr/local/bin/date`;
      await must(lab.ssh('cp-1', [...planted.map(kubectl), slower].join(' && ')));
      const stopped = await stoppedOnce(
        lab,
        words,
        async () => (await lab.ssh('cp-1', kubectl('get pods -A -l app=smoke-test -o name'))).stdout !== '',
      );
      await must(lab.ssh('cp-1', 'rm /usr/local/bin/date'));
      expect(stopped.status).toBe(EXIT.stopped);
      expect(smokeItems(stopped.stdout).map(({ evidence }) => evidence)).toEqual([
        expect.stringMatching(new RegExp(`^removes ${killed}: a test that began \\d+ minutes earlier has left it$`)),
        'stopped on request: what was started is removed',
      ]);
      await until(lab, 'cp-1', `! ${kubectl(`get namespace ${killed}`)}`);
      expect(await left()).toBe(`namespace/${others}\n`);
      await must(lab.ssh('cp-1', kubectl(`delete namespace ${others}`)));
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
      const restore = ['snapshot', 'restore', inventory, file, ...(await consentTyped(lab))];
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
