import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { powerCut, startHost } from '../../src/lab/faults.js';
import { describeOnLab, type Ended, type TestLab } from '../support/lab.js';
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
  type JsonRun,
} from '../support/main-job.js';

jest.setTimeout(600_000);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'] as const;
const CONTROL_PLANES = ['cp-1', 'cp-2'] as const;

/** A host may be slow to see that another one is gone. */
const PATIENCE_S = 180;

/** An address of the lab's network that no host has, beside etcd's virtual IP. */
async function apiserverVip(lab: TestLab): Promise<string> {
  return (await vipOf(lab)).replace(/\d+$/, '99');
}

/** The lab's inventory with a virtual IP of the API servers, which the hosts of a group balance. */
async function inventoryWithVip(lab: TestLab, name: string, vip: string, given: Given): Promise<string> {
  const text = await readFile(lab.files.inventory, 'utf8');
  const variables = [`kube_apiserver_lb_ip: ${vip}`, ...(given.variables ?? [])];
  const lines = variables.map((line) => `    ${line}\n`).join('');
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
  await writeFile(file, `${text.replace('  vars:\n', `  vars:\n${lines}`)}    kube_apiserver_lb:\n${given.group}`);
  return file;
}

interface Given {
  /** What is in the group `kube_apiserver_lb`. */
  readonly group: string;
  readonly variables?: readonly string[];
}

/** The serving certificates of the API servers name the virtual IP, as with `certSANs` from the beginning. */
async function nameVip(lab: TestLab, vip: string): Promise<void> {
  const script = `set -e
    sed -i 's|^  certSANs:$|&\\n  - ${vip}|' /etc/kubernetes/kubeadm.yaml
    cd /etc/kubernetes/pki && mkdir -p /root/old-pair && mv apiserver.crt apiserver.key /root/old-pair/
    kubeadm init phase certs apiserver --config /etc/kubernetes/kubeadm.yaml`;
  for (const host of CONTROL_PLANES) {
    const ended = await lab.ssh(host, script);
    if (ended.status !== 0) throw new Error(endOf(ended));
  }
}

/** `/readyz` through the virtual IP from a host, verified by the cluster's authority; `ok` when it answers. */
async function readyz(lab: TestLab, host: string, url: string, ca: string): Promise<string> {
  const ended = await lab.ssh(host, `curl -sS -m 5 --noproxy '*' --cacert ${ca} ${url}/readyz 2>&1`);
  return ended.stdout;
}

const CLUSTER_CA = '/etc/kubernetes/pki/ca.crt';

/** The same until it answers, for as long as a slow machine may need. */
async function untilReady(lab: TestLab, host: string, url: string): Promise<string> {
  const ask = `curl -sS -m 5 --noproxy '*' --cacert ${CLUSTER_CA} ${url}/readyz 2>&1`;
  // The answer that ended the wait: the next one may come from an API server that is about to be taken out.
  const script = `until=$((SECONDS + ${PATIENCE_S})); until answer=$(${ask}); [ "$answer" = ok ] || [ $SECONDS -ge $until ]; do sleep 1; done; printf %s "$answer"`;
  return (await lab.ssh(host, script)).stdout;
}

/** A script that succeeds once a command does, for as long as a slow machine may need. */
function waiting(command: string): string {
  return `until=$((SECONDS + ${PATIENCE_S})); until ${command}; do [ $SECONDS -lt $until ] || exit 1; sleep 1; done`;
}

/** Waits until a check-up finds all well, whatever a test has stopped before. */
async function untilWell(lab: TestLab, inventory: string): Promise<void> {
  const verified = await verifyUntil(lab, inventory);
  expect(problemOf(verified)).toBe('');
}

/** The error of a run that should have been good; nothing where it was. */
function problemOf(ended: Ended): string {
  return ended.status === 0 ? '' : endOf(ended);
}

describeOnLab('both services on the same three hosts', 'both', { etcd: 3, controlPlanes: 2 }, (lab) => {
  let etcdVip: string;
  let vip: string;
  let url: string;
  let inventory: string;
  let before: JsonRun;
  let applied: JsonRun;

  beforeAll(async () => {
    etcdVip = await vipOf(lab);
    vip = await apiserverVip(lab);
    url = `https://${vip}:8443`;
    inventory = await inventoryWithVip(lab, 'both', vip, { group: '      children:\n        etcd: {}\n' });
    await nameVip(lab, vip);
    const curl = 'apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install curl';
    for (const host of CONTROL_PLANES) await lab.ssh(host, curl);
    before = await runVerb(lab, 'apply');
    if (before.status !== 0) throw new Error(endOf(before));
    applied = await runVerb(lab, 'apply', inventory);
    if (applied.status !== 0) throw new Error(endOf(applied));
  }, 900_000);

  test('the second one touches nothing of the first', () => {
    const others = performedChanges(applied).filter(
      (change) => !/^(Load balancer|Virtual IP) of the API servers \//.test(change),
    );
    expect(others).toEqual([]);
    expect(performedChanges(before).filter((change) => /API servers \/ .*haproxy/.test(change))).toEqual([]);
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
    expect(plannedChanges(await runVerb(lab, 'plan'))).toEqual([]);
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

  test.each(['kube-apiserver', 'etcd'])('fails over in a drill: %s', async (service) => {
    const drill = await lab.provision('drill', inventory, '--yes', '--service', service);
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

describeOnLab('API servers behind hosts of their own', 'apart', { etcd: 3, controlPlanes: 2, hosts: 2 }, (lab) => {
  let vip: string;
  const group = '      hosts:\n        host-1: {}\n        host-2: {}\n';
  const withProxy = async (proxy: string): Promise<string> =>
    inventoryWithVip(lab, `apart-${proxy}`, vip, {
      group,
      variables: ['kube_apiserver_lb_port: 6443', `kube_apiserver_lb_proxy: ${proxy}`],
    });

  beforeAll(async () => {
    vip = await apiserverVip(lab);
    const curl = 'apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install curl';
    for (const host of CONTROL_PLANES) await lab.ssh(host, curl);
    const run = await runVerb(lab, 'apply', await withProxy('haproxy'));
    if (run.status !== 0) throw new Error(endOf(run));
  }, 900_000);

  test('a port that an API server has on the same host is refused while planning', async () => {
    const same = await inventoryWithVip(lab, 'same', vip, {
      group: '      hosts:\n        cp-1: {}\n        cp-2: {}\n',
      variables: ['kube_apiserver_lb_port: 6443'],
    });
    const plan = await lab.provision('plan', same);
    expect(plan.status).not.toBe(0);
    expect(plan.stdout + plan.stderr).toMatch(
      /kube_apiserver_lb_port: 6443: the kube-apiserver of cp-1 listens there on all addresses/,
    );
  });

  test.each(['nginx', 'haproxy'])('through %s: it serves, and a second plan is empty', async (proxy) => {
    const inventory = await withProxy(proxy);
    const run = await runVerb(lab, 'apply', inventory);
    expect(problemOf(run)).toBe('');
    expect(plannedChanges(await runVerb(lab, 'plan', inventory))).toEqual([]);
    const asked = await lab.ssh('cp-1', `curl -sS -m 5 --noproxy '*' -k https://${vip}:6443/readyz`);
    expect(asked.stdout).toBe('ok');
    expect(await holdersOf(lab, ['host-1', 'host-2'], vip)).toHaveLength(1);
  });

  test('where certificates do not name it yet, the check says so, and kubeadm puts it there', async () => {
    const inventory = await withProxy('haproxy');
    const put = await runVerb(lab, 'apply', inventory);
    expect(problemOf(put)).toBe('');
    const pids = async (): Promise<readonly string[]> =>
      Promise.all(CONTROL_PLANES.map(async (host) => (await lab.ssh(host, 'pgrep -x kube-apiserver')).stdout));
    const before = await pids();
    const verified = await lab.provision('verify', inventory);
    const named = await runVerb(lab, 'apply', inventory, '--playbook', 'apiserver-names');
    expect(problemOf(named)).toBe('');
    const changes = performedChanges(named).length;
    // Once; what a test before has done stays.
    if (changes > 0) {
      expect(changes).toBe(2);
      expect(verified.status).not.toBe(0);
      expect(verified.stdout).toMatch(
        /no alternative certificate subject name matches[\s\S]*--playbook apiserver-names/,
      );
    }
    for (const host of CONTROL_PLANES) expect(await readyz(lab, host, `https://${vip}:6443`, CLUSTER_CA)).toBe('ok');
    expect(await pids()).toEqual(before);
    expect(plannedChanges(await runVerb(lab, 'plan', inventory, '--playbook', 'apiserver-names'))).toEqual([]);
    await untilWell(lab, inventory);
  });

  test('with one of them lost it goes on', async () => {
    const inventory = await withProxy('haproxy');
    expect(problemOf(await runVerb(lab, 'apply', inventory))).toBe('');
    const [holder = ''] = await holdersOf(lab, ['host-1', 'host-2'], vip);
    const machine = await lab.host(holder);
    await powerCut(machine);
    const ask = `curl -sS -m 5 --noproxy '*' -k https://${vip}:6443/readyz`;
    const script = `until=$((SECONDS + ${PATIENCE_S})); until [ "$(${ask})" = ok ]; do [ $SECONDS -lt $until ] || break; sleep 1; done; ${ask}`;
    expect((await lab.ssh('cp-1', script)).stdout).toBe('ok');
    await startHost(machine);
    expect(await holdersOf(lab, ['host-1', 'host-2'], vip)).toHaveLength(1);
  });
});
