import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { powerCut, startHost } from '../../src/lab/faults.js';
import type { KeptRun } from '../../src/report/journal.js';
import {
  CLUSTER_CA,
  CONTROL_PLANES,
  PATIENCE_S,
  apiserverVip,
  problemOf,
  readyz,
  untilReady,
  untilWell,
  waiting,
} from '../support/apiserver-vip.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import {
  countSessions,
  endOf,
  etcdctl,
  holdersOf,
  performedChanges,
  plannedChanges,
  runVerb,
  sessionsOn,
  verifyUntil,
  vipOf,
} from '../support/main-job.js';
import { waitingActs } from '../support/runbook-acts.js';

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;

describeOnLab('both services on the same three hosts', 'both', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let etcdVip: string;
  let vip: string;
  let url: string;
  let inventory: string;
  let runs: readonly KeptRun[];

  beforeAll(async () => {
    etcdVip = await vipOf(lab);
    vip = await apiserverVip(lab);
    url = `https://${vip}:8443`;
    const acts: Record<string, () => unknown> = {};
    const at = await placeWithInventory(lab, acts);
    inventory = join(at.work, 'inventory.yaml');
    Object.assign(
      acts,
      waitingActs(lab, () => inventory),
    );
    const curl = 'apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install curl';
    for (const host of CONTROL_PLANES) await lab.ssh(host, curl);
    const before = await runVerb(lab, 'apply', inventory);
    if (before.status !== 0) throw new Error(endOf(before));
    await copyFile(inventory, join(at.work, 'without.yaml'));
    await workThroughPage('runbooks/apiserver-virtual-ip', at, { before: 'Clients' });
    runs = (await runsAt(at)).filter(({ command }) => command === 'apply');
  });

  test('the second one touches nothing of the first', () => {
    const [before, ...applied] = runs.map(performedChanges);
    const others = applied
      .flat()
      .filter((change) => !/^(Load balancer|Virtual IP|Names in the certificates) of the API servers \//.test(change));
    expect(others).toEqual([]);
    expect(applied.flat().length).toBeGreaterThan(10);
    expect(before?.filter((change) => /API servers \/ .*haproxy/.test(change))).toEqual([]);
  });

  test('every control plane reaches the API servers through it, verified', async () => {
    for (const host of CONTROL_PLANES) expect(await readyz(lab, host, url, CLUSTER_CA)).toBe('ok');
  });

  test('is checked, and a second plan is empty', async () => {
    const hosts = [...MEMBERS, ...CONTROL_PLANES];
    await countSessions(lab, hosts);
    const sessions = await Promise.all(hosts.map(async (host) => sessionsOn(lab, host)));
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    const counted = await Promise.all(hosts.map(async (host) => sessionsOn(lab, host)));
    // The plan's exec, and the one that counts.
    expect(counted.map((count, index) => count - (sessions[index] ?? 0))).toEqual(hosts.map(() => 2));
    const verified = await lab.provision('verify', inventory);
    expect(problemOf(verified)).toBe('');
    expect(verified.stdout).toContain('kube-apiserver answers through it, verified');
  });

  test('an inventory without it plans nothing either: what serves etcd is as it was', async () => {
    expect(plannedChanges(await runVerb(lab, 'plan', inventory.replace('inventory.yaml', 'without.yaml')))).toEqual([]);
  });

  test('an API server that is down is seen, and clients do not meet it', async () => {
    const stop = 'mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/';
    await lab.ssh('cp-2', `${stop}; until ! pgrep -x kube-apiserver; do sleep 0.2; done`);
    // HAProxy's checks take seconds to find it.
    const down = /HAProxy on etcd-\d finds cp-2 DOWN/;
    const verified = await verifyUntil(lab, inventory, ({ stdout }) => down.test(stdout));
    const answers = [];
    for (let asked = 0; asked < 6; asked += 1) answers.push(await untilReady(lab, 'cp-1', url));
    await lab.ssh('cp-2', 'mv /root/kube-apiserver.yaml /etc/kubernetes/manifests/');
    expect(verified.stdout).toMatch(down);
    expect(answers).toEqual(Array(6).fill('ok'));
    const ready = `until=$((SECONDS + ${PATIENCE_S})); until [ "$(curl -sk https://127.0.0.1:6443/readyz)" = ok ] || [ $SECONDS -ge $until ]; do sleep 1; done; curl -sk https://127.0.0.1:6443/readyz`;
    expect((await lab.ssh('cp-2', ready)).stdout).toBe('ok');
    await untilWell(lab, inventory);
  });

  test('that answer 401, for nobody may ask without a certificate, are alive, and one that is down is seen', async () => {
    await untilWell(lab, inventory);
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    const edit = (sed: string): string => `sed '${sed}' ${manifest} >/root/edited && mv /root/edited ${manifest}`;
    const answers = (status: number): string =>
      waiting(`[ "$(curl -sk -o /dev/null -w '%{http_code}' https://127.0.0.1:6443/readyz)" = ${status} ]`);
    const known = `--cert /etc/kubernetes/pki/apiserver-kubelet-client.crt --key /etc/kubernetes/pki/apiserver-kubelet-client.key`;
    const ask = (words: string): string =>
      `curl -sS -m 5 --noproxy '*' --cacert ${CLUSTER_CA} ${words} -w ' %{http_code}' ${url}/readyz`;
    const close = String.raw`s/^\( *\)- --allow-privileged=true/&\n\1- --anonymous-auth=false/`;
    for (const host of CONTROL_PLANES) {
      expect(problemOf(await lab.ssh(host, edit(close)))).toBe('');
      expect(problemOf(await lab.ssh(host, answers(401)))).toBe('');
    }
    await untilWell(lab, inventory);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    const shown = await lab.ssh('cp-1', `${ask('-o /dev/null')}; ${ask(known)}`);
    expect(shown.stdout).toBe(' 401ok 200');
    await lab.ssh('cp-2', `mv ${manifest} /root/; until ! pgrep -x kube-apiserver; do sleep 0.2; done`);
    const down = await verifyUntil(lab, inventory, ({ stdout }) => /finds cp-2 DOWN/.test(stdout));
    expect((await lab.ssh('cp-1', waiting(ask(known)))).stdout).toContain('ok 200');
    expect(down.stdout).toMatch(/finds cp-2 DOWN/);
    await lab.ssh('cp-2', `mv /root/kube-apiserver.yaml ${manifest}`);
    for (const host of CONTROL_PLANES) {
      expect(problemOf(await lab.ssh(host, edit('/--anonymous-auth=false/d')))).toBe('');
      expect(problemOf(await lab.ssh(host, answers(200)))).toBe('');
    }
    await untilWell(lab, inventory);
  });

  test('etcd fails over in a drill, and what the drill of the API servers has left is whole', async () => {
    const drill = await lab.provision('drill', inventory, '--yes', '--service', 'etcd');
    expect(problemOf(drill)).toBe('');
    for (const address of [vip, etcdVip]) expect(await holdersOf(lab, MEMBERS, address)).toHaveLength(1);
  });

  /** Lets a host hold the virtual IP of the API servers: the others are out for a moment, and take nothing back. */
  async function moveTo(host: string): Promise<void> {
    const others = MEMBERS.filter((each) => each !== host);
    const unit = 'provision-kube-apiserver-keepalived';
    for (const other of others) await lab.ssh(other, `systemctl stop ${unit}`);
    await lab.ssh(host, waiting(`ip -br address show to ${vip} | grep -q .`));
    for (const other of others) await lab.ssh(other, `systemctl start ${unit}`);
    expect(await holdersOf(lab, MEMBERS, vip)).toEqual([host]);
  }

  test.each(['the same host', 'different hosts'])(
    'with one host lost both go on: the virtual IPs on %s',
    async (where) => {
      await untilWell(lab, inventory);
      const [ofEtcd = ''] = await holdersOf(lab, MEMBERS, etcdVip);
      const host = where === 'the same host' ? ofEtcd : (MEMBERS.find((each) => each !== ofEtcd) ?? '');
      await moveTo(host);
      const machine = await lab.host(host);
      await powerCut(machine);
      const others = MEMBERS.filter((each) => each !== host);
      expect(await untilReady(lab, 'cp-1', url)).toBe('ok');
      expect(await holdersOf(lab, others, vip)).toHaveLength(1);
      const [other = ''] = others;
      const health = etcdctl(`https://${etcdVip}:2379`, 'endpoint health');
      expect(problemOf(await lab.ssh(other, waiting(health)))).toBe('');
      await startHost(machine);
      await untilWell(lab, inventory);
    },
  );
});
