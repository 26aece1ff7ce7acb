import { beforeAll, expect, test } from '@jest/globals';
import { powerCut, startHost } from '../../src/lab/faults.js';
import {
  CLUSTER_CA,
  CONTROL_PLANES,
  PATIENCE_S,
  apiserverVip,
  inventoryWithVip,
  problemOf,
  readyz,
  untilWell,
} from '../support/apiserver-vip.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, holdersOf, performedChanges, plannedChanges, runVerb } from '../support/main-job.js';

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
  });

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
