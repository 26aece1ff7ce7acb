import { beforeAll, expect, test } from '@jest/globals';
import { adopt, createHandMadeCluster } from '../support/hand-made-cluster.js';
import { APISERVER_PEERS, APISERVER_READY, createKubernetes, kubectl, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import {
  endOf,
  inventoryWith,
  must,
  passphraseFile,
  performedChanges,
  plannedChanges,
  runVerb,
  vipOf,
  type JsonRun,
} from '../support/main-job.js';
import { whileWriting } from '../support/member-counts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { waysInto } from '../support/writers.js';

// The main job where kubelets are real: a cluster of kubeadm with an external etcd, all made by hand, gets a load balancer of etcd, and its
// API servers move to it.

const CONTROL_PLANES = ['cp-1', 'cp-2'];
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
/** As its owner sees it: the bytes, the owner and mode, and that nothing lies beside it. */
const MANIFESTS = `sha256sum ${MANIFEST}; stat -c '%U:%G %a' ${MANIFEST}; ls -A /etc/kubernetes/manifests`;

/** A repoint of an API server that is not ready there. */
interface Fault {
  readonly run: JsonRun;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly peers: string;
  readonly rule: string;
}

describeOnLab(
  'API servers under real kubelets',
  'repoint',
  { etcd: 3, controlPlanes: 2, kubernetes: 'real' },
  (lab) => {
    let vip = '';
    let fault: Fault;
    /** Killed while the API server of cp-1 is replaced, then that of cp-2, then before kubeadm-config; and the run that finishes. */
    let runs: readonly JsonRun[];

    const onEach = async (script: string): Promise<readonly string[]> =>
      Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, script)).stdout));
    const untilNamed = async (host: string): Promise<unknown> => until(lab, host, `grep -q '${vip}:2379' ${MANIFEST}`);

    /** The network cuts the virtual IP off as soon as the manifest names it: the proof before has passed. */
    async function notReadyThere(): Promise<Fault> {
      const inventory = await inventoryWith(lab, 'impatient', ['kube_apiserver_ready_timeout: 12']);
      const before = await onEach(MANIFESTS);
      const rule = `OUTPUT -d ${vip} -p tcp --dport 2379 -j DROP`;
      const cutting = lab.ssh(
        'cp-1',
        `for n in $(seq 6000); do ! grep -q '${vip}:2379' ${MANIFEST} || break; sleep 0.1; done; iptables -I ${rule}`,
      );
      const run = await runVerb(lab, 'apply', inventory, '--playbook', 'migrate');
      await must(cutting);
      await until(lab, 'cp-1', APISERVER_READY);
      const peers = (await lab.ssh('cp-1', APISERVER_PEERS)).stdout;
      const counted = (await lab.ssh('cp-1', `iptables -vnL OUTPUT | grep DROP; iptables -D ${rule}`)).stdout;
      return { run, before, after: await onEach(MANIFESTS), peers, rule: counted };
    }

    /** @param seen what is waited for before the run is killed at that change */
    async function killedAt(address: string, host: string, seen: () => Promise<unknown>): Promise<JsonRun> {
      const words = ['apply', lab.files.inventory, '--playbook', 'repoint', '--yes'];
      const killed = await disturbedRun(
        lab,
        [...words, '--passphrase-file', await passphraseFile(lab)],
        (event) => event.type === 'change-started' && event.host === host && event.address.startsWith(address),
        async (kill) => {
          await seen();
          kill('SIGKILL');
        },
      );
      if (killed.status !== 137) throw new Error(endOf(killed));
      return killed;
    }

    async function movedByKilledRuns(): Promise<readonly JsonRun[]> {
      return [
        await killedAt('static-pod:', 'cp-1', async () => untilNamed('cp-1')),
        // At once: the API server of cp-1 is on its way up.
        await killedAt('static-pod:', 'cp-2', async () => untilNamed('cp-2')),
        await killedAt('config-map:', 'cp-1', async () => Promise.resolve()),
        await runVerb(lab, 'apply', '--playbook', 'repoint'),
      ];
    }

    beforeAll(async () => {
      const made = await createHandMadeCluster(lab);
      await createKubernetes(lab, made);
      await adopt(lab, made);
      vip = await vipOf(lab);
      const ways = (await waysInto(lab, made, CONTROL_PLANES)).filter(({ begins }) => begins === 'at-once');
      fault = await whileWriting(lab, ways, 'fault', notReadyThere);
      runs = await whileWriting(lab, ways, 'moved', movedByKilledRuns);
    });

    test('one that is not ready at the virtual IP goes back to its manifest, the other one is not touched, and no client notices', () => {
      const { run, before, after, peers, rule } = fault;
      expect(run.status).toBe(1);
      expect(run.stdout).toMatch(/gate apiserver-ready did not open within \d+ s: cp-1: /);
      expect(run.stdout).toContain('rolled back: files and services are as before this play');
      const moved = run.events.flatMap((event) =>
        event.type === 'change-started' && event.address.startsWith('static-pod:') ? [event.host] : [],
      );
      expect(moved).toEqual(['cp-1']);
      expect(after).toEqual(before);
      expect(peers).not.toContain(vip);
      expect(rule).toMatch(/^ *[1-9]/);
    });

    test('killed while kubelets replace them, the next run goes on: the second one waits for the first', () => {
      const last = runs.at(-1);
      expect(last === undefined ? '' : endOf(last)).toMatch(/^status 0/);
      const [, second] = runs;
      const gates = (second?.events ?? []).filter((event) => 'gate' in event).map((event) => JSON.stringify(event));
      expect(gates.join('\n')).toContain('apiserver-can-spare-batch-but-for-lost');
      const moved = runs.map((run) =>
        run.events.flatMap((event) =>
          event.type === 'change-started' && event.address.startsWith('static-pod:') ? [event.host] : [],
        ),
      );
      expect(moved).toEqual([['cp-1'], ['cp-2'], [], []]);
      // A change that is killed may have ended by then: the last run has at most that one left to do.
      const left = last === undefined ? [] : performedChanges(last).map((line) => line.split(' / ')[0]);
      expect(['kubeadm configuration', '']).toContain(left.join());
    });

    test('afterwards all of them use the virtual IP, kubeadm knows it, nodes are Ready, and there is nothing to do', async () => {
      for (const host of CONTROL_PLANES)
        await until(lab, host, `test "$(${APISERVER_PEERS})" = '${vip}:2379' && ${APISERVER_READY}`);
      expect(await must(lab.ssh('cp-1', 'kubeadm config view'))).toContain(`https://${vip}:2379`);
      const nodes = await must(lab.ssh('cp-1', kubectl('get nodes --no-headers')));
      expect(nodes.match(/ Ready /g)).toHaveLength(CONTROL_PLANES.length);
      expect(plannedChanges(await runVerb(lab, 'plan', '--playbook', 'migrate'))).toEqual([]);
    });
  },
);
