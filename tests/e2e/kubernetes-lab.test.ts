import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { apiserverVip, BESIDE_ETCD, inventoryWithVip } from '../support/apiserver-vip.js';
import type { EventJson } from '../../src/report/event-schema.js';
import { createHandMadeCluster } from '../support/hand-made-cluster.js';
import { APISERVER_READY, createKubernetes, kubectl, until, WEB } from '../support/kubernetes-cluster.js';
import { partOfThisCommit } from '../support/kill-points.js';
import { describeOnLab, type Ended } from '../support/lab.js';
import { placeBeside, runsAt, workThroughPage } from '../support/lab-page.js';
import { endOf, passphraseFile, performedChanges, plannedChanges, runVerb, type JsonRun } from '../support/main-job.js';
import { whileWriting } from '../support/member-counts.js';
import { disturbedRun } from '../support/stopped-run.js';
import { apiWay } from '../support/writers.js';

describeOnLab(
  'a lab with a real Kubernetes',
  'k8s',
  { etcd: 1, controlPlanes: 2, workers: 1, kubernetes: 'real' },
  (lab) => {
    let before = '';
    let vip = '';
    let inventory = '';
    let move: Move;

    /** The API servers behind their virtual IP, which their certificates name. @returns the inventory */
    async function serveVip(): Promise<string> {
      const inventory = await inventoryWithVip(lab, 'apiserver', vip, BESIDE_ETCD);
      // The nodes' image has no packages to install: the host of etcd has.
      for (const playbook of ['apiserver-lb', 'apiserver-names']) {
        const run = await runVerb(lab, 'apply', inventory, '--playbook', playbook);
        if (run.status !== 0) throw new Error(endOf(run));
      }
      return inventory;
    }

    beforeAll(async () => {
      before = (await lab.ssh('cp-1', 'pgrep -lx "kubelet|containerd|kube-apiserver|etcd"; kubeadm version -o short'))
        .stdout;
      await createKubernetes(lab, await createHandMadeCluster(lab, { members: ['package'] }));
      vip = await apiserverVip(lab);
      inventory = await serveVip();
      move = await moveClients();
    });

    test('its hosts are prepared, and nothing of Kubernetes runs on them before someone sets it up', () => {
      expect(before).toBe('v1.20.2\n');
    });

    test('pods on two hosts answer through a service, by name', async () => {
      await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('apply -f -')], WEB);
      await until(lab, 'cp-1', kubectl('rollout status deployment web --timeout=1s'));
      await until(lab, 'cp-1', kubectl('-n kube-system rollout status deployment coredns --timeout=1s'));
      const pods = await lab.ssh('cp-1', kubectl('get pods -l app=web -o "jsonpath={.items[*].spec.nodeName}"'));
      expect(new Set(pods.stdout.split(' ')).size).toBe(2);
      const ask = kubectl('exec deployment/web -- curl -sS -m 3 http://web.default.svc.cluster.local/');
      const names = await until(lab, 'cp-1', `( for n in $(seq 24); do ${ask} || exit 1; done )`);
      expect(new Set(names.stdout.trim().split('\n')).size).toBe(2);
    });

    test('takes the Jobs of a fleet as they are printed, and would notice another', async () => {
      const fleet = await lab.onControlSide(['mktemp', '-d']);
      const directory = fleet.stdout.trim();
      await lab.onControlSide([
        'sh',
        '-c',
        `mkdir '${directory}/eu' && cp '${inventory}' '${directory}/eu/inventory.yaml'`,
      ]);
      const printed = await lab.provision('fleet', 'list', directory, '--format', 'kubernetes');
      // This server is older than that word, and names it; a newer one has it.
      const known = printed.stdout.replace(/^ {2}podFailurePolicy:\n(?: {4,}.*\n)+/m, '');
      expect(known).not.toBe(printed.stdout);
      const create = ['ssh', '-F', lab.files.sshConfig, 'cp-1', kubectl('create --dry-run=server -f - 2>&1')];
      expect((await lab.onControlSide(create, known)).stdout).toBe('job.batch/provision-eu created (server dry run)\n');
      const planted = await lab.onControlSide(create, known.replace('workingDir:', 'workDir:'));
      expect(planted).toMatchObject({ status: 1, stdout: expect.stringContaining('workDir') as unknown });
    });

    test('its API server gets a virtual IP, and kubeadm puts that into what it shows and into its configuration', async () => {
      for (const playbook of ['apiserver-lb', 'apiserver-names'])
        expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', playbook))).toEqual([]);
      const verified = await lab.provision('verify', inventory, '--playbook', 'apiserver-lb', '--format', 'json');
      const { items } = JSON.parse(verified.stdout) as { readonly items: readonly Record<string, string>[] };
      const answers = items.filter(
        ({ check, subject }) => check === 'virtual-ip-answers' && subject === 'kube-apiserver',
      );
      expect(answers.map(({ host, verdict }) => `${host ?? ''} ${verdict ?? ''}`)).toEqual([
        'etcd-1 ok',
        'cp-1 ok',
        'cp-2 ok',
        'worker-1 ok',
      ]);
      const clients = items.filter(({ check }) => check === 'api-client');
      expect(clients.map(({ host, verdict }) => `${host ?? ''} ${verdict ?? ''}`).toSorted()).toEqual([
        'cp-1 ok',
        'cp-2 ok',
        'worker-1 ok',
      ]);
      const nodes = await lab.ssh('cp-1', kubectl(`--server https://${vip}:8443 get nodes --no-headers`));
      expect(nodes.stdout.match(/ Ready /g)).toHaveLength(3);
      const config = await lab.ssh('cp-1', kubectl('-n kube-system get configmap kubeadm-config -o yaml'));
      expect(config.stdout).toContain(`- '${vip}'`);
    });

    const NODES = ['worker-1', 'cp-1', 'cp-2'];
    const KUBELET = '/etc/kubernetes/kubelet.conf';

    /** The kubeconfigs of a host: their owners, modes, servers, and the digest of all else. */
    async function kubeconfigsOf(host: string): Promise<readonly string[]> {
      const script = `for f in /etc/kubernetes/*.conf; do echo "$f $(stat -c '%U:%G %a' $f) $(sed -n 's/^ *server: //p' $f) $(grep -v '^ *server: ' $f | sha256sum)"; done`;
      return (await lab.ssh(host, script)).stdout.trim().split('\n');
    }

    async function pidsOf(program: string, hosts: readonly string[]): Promise<readonly string[]> {
      return Promise.all(hosts.map(async (host) => (await lab.ssh(host, `pgrep -x ${program}`)).stdout.trim()));
    }

    interface Move {
      readonly was: readonly (readonly string[])[];
      readonly after: readonly (readonly string[])[];
      /** What the runbook's commands printed. */
      readonly texts: readonly string[];
      /** Of all three runs: play, host and address. */
      readonly changes: ReadonlySet<string>;
      /** The run that met a kubelet which does not start. */
      readonly refused: JsonRun | undefined;
      /** The kubeconfigs of that kubelet's host after it. */
      readonly leftAsItWas: readonly string[];
      /** Kubelets that were not restarted. */
      readonly oldPids: readonly string[];
      /** No API server was restarted. */
      readonly isServing: boolean;
    }

    /** The kubelet of the last node does not start with the new server; once it has started again, it can. */
    async function moveWithBrokenKubelet(url: string): Promise<JsonRun> {
      const directory = '/etc/systemd/system/kubelet.service.d';
      const lines = `[Service]\nExecStartPre=/bin/sh -c "! grep -qF ${url} ${KUBELET}"\n`;
      const planted = `mkdir -p ${directory} && printf '${lines}' >${directory}/broken.conf && systemctl daemon-reload`;
      expect(await lab.ssh('cp-2', planted)).toMatchObject({ status: 0 });
      const run = await runVerb(lab, 'apply', inventory, '--playbook', 'apiserver-clients');
      expect(await lab.ssh('cp-2', 'systemctl is-active kubelet')).toMatchObject({ stdout: 'active\n' });
      await lab.ssh('cp-2', `rm ${directory}/broken.conf && systemctl daemon-reload`);
      return run;
    }

    /** Killed before or after one of the changes that are left, another one for each commit. */
    async function killedMove(): Promise<JsonRun> {
      const moments = [
        'kubelet-server',
        'config-map:kube-system/kubeadm-config',
        'config-map:kube-public/cluster-info',
        'config-map:kube-system/kube-proxy',
      ];
      const [at] = partOfThisCommit(16)(
        moments.flatMap((address) => (['change-started', 'change-done'] as const).map((type) => ({ type, address }))),
        1,
      );
      const isThere = (event: EventJson): boolean =>
        event.type === at?.type && 'address' in event && event.address.startsWith(at.address);
      const words = ['apply', inventory, '--playbook', 'apiserver-clients', '--yes'];
      const killed = await disturbedRun(
        lab,
        [...words, '--passphrase-file', await passphraseFile(lab)],
        isThere,
        (kill) => {
          kill('SIGKILL');
        },
      );
      console.log(`killed at ${at?.type ?? ''} of ${at?.address ?? ''}`);
      expect(killed.status).toBe(137);
      return killed;
    }

    /** All clients are moved while writers write: past a kubelet that does not start, and a run that is killed. */
    async function moveClients(): Promise<Move> {
      const url = `https://${vip}:8443`;
      const was = await Promise.all(NODES.map(kubeconfigsOf));
      const servers = await pidsOf('kube-apiserver', ['cp-1', 'cp-2']);
      const pids = await pidsOf('kubelet', NODES);
      const direct = await apiWay(lab, 'direct', ['cp-1', 'cp-2']);
      const ways = [direct, { ...direct, name: 'vip', endpoints: [url] }];
      // A run was killed before the kubelet was restarted.
      await lab.ssh('worker-1', `sed -i 's|server: .*|server: ${url}|' ${KUBELET}`);
      const disturbed: JsonRun[] = [];
      const leftAsItWas: string[] = [];
      const place = await placeBeside(lab, inventory, {
        'runs fail and end in the middle': async () => {
          disturbed.push(await moveWithBrokenKubelet(url));
          leftAsItWas.push(...(await kubeconfigsOf('cp-2')));
          disturbed.push(await killedMove());
        },
      });
      const texts: string[] = [];
      const run = async (command: readonly string[]): Promise<Ended> => {
        const ended = await place.run(command);
        texts.push(ended.stdout);
        return ended;
      };
      const move = async (): Promise<void> =>
        workThroughPage('runbooks/apiserver-virtual-ip', { ...place, run }, { from: 'Clients' });
      await whileWriting(lab, ways, 'clients', move);
      const runs = [...disturbed, ...(await runsAt(place)).slice(-1)];
      const now = await pidsOf('kubelet', NODES);
      return {
        ...{ was, texts, refused: disturbed[0], leftAsItWas },
        changes: new Set(runs.flatMap(performedChanges).map((line) => line.replace(/: .*/s, ''))),
        after: await Promise.all(NODES.map(kubeconfigsOf)),
        oldPids: now.filter((pid) => pids.includes(pid)),
        isServing: isDeepStrictEqual(await pidsOf('kube-apiserver', ['cp-1', 'cp-2']), servers),
      };
    }

    test('kubelets and administrators move to it, one node after the other, and no client notices', () => {
      const url = `https://${vip}:8443`;
      const { was, after, texts, refused, leftAsItWas, changes, oldPids, isServing } = move;
      expect(texts.length).toBeGreaterThan(2);
      expect(texts.join('')).not.toMatch(/LS0tLS1/);
      // One kubelet, two kubelets and administrators, three ConfigMaps.
      expect([...changes]).toHaveLength(8);
      expect(refused?.status).not.toBe(0);
      expect(refused === undefined ? '' : endOf(refused)).toMatch(/cp-2[\s\S]*kubelet/);
      expect(leftAsItWas).toEqual(was[NODES.indexOf('cp-2')]);
      expect(isServing).toBe(true);
      expect(oldPids).toEqual([]);
      const isMoved = (line: string): boolean => /\/(admin|kubelet)\.conf /.test(line);
      const wanted = (line: string): string => (isMoved(line) ? line.replace(/https:\S+/, url) : line);
      expect(after).toEqual(was.map((lines) => lines.map(wanted)));
    });

    test('what hosts that join are given names it, and kube-proxy uses it on every node', async () => {
      const maps = ['-n kube-system kubeadm-config', '-n kube-public cluster-info', '-n kube-system kube-proxy'];
      for (const map of maps) {
        const [, namespace = '', name = ''] = map.split(' ');
        const { stdout } = await lab.ssh('cp-1', kubectl(`-n ${namespace} get configmap ${name} -o yaml`));
        expect(stdout).toMatch(new RegExp(`(?:server: https://|controlPlaneEndpoint: ')${vip}:8443`));
      }
      const connected = `ss -Htnp state established | grep '"kube-proxy"' | grep -F '${vip}:8443'`;
      for (const host of NODES) await until(lab, host, connected);
    });

    test('with the first API server stopped, every node stays Ready', async () => {
      const manifest = 'kube-apiserver.yaml';
      const { stdout: stopped } = await lab.ssh(
        'cp-1',
        `mv /etc/kubernetes/manifests/${manifest} /root/; until ! pgrep -x kube-apiserver >/dev/null; do sleep 0.2; done; date -u +%s`,
      );
      const leases = kubectl('-n kube-node-lease get leases -o "jsonpath={.items[*].spec.renewTime}"');
      const renewed = `for time in $(${leases}); do [ "$(date -d "$time" +%s)" -gt ${stopped.trim()} ] || exit 1; done`;
      await until(lab, 'cp-2', `( ${renewed} )`);
      const nodes = await lab.ssh('cp-1', kubectl('get nodes --no-headers'));
      await lab.ssh('cp-1', `mv /root/${manifest} /etc/kubernetes/manifests/`);
      await until(lab, 'cp-1', APISERVER_READY);
      expect(nodes.stdout.match(/ Ready /g)).toHaveLength(3);
    });
  },
);
