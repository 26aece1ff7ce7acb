import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import type { CheckItem } from '../../src/checks/check.js';
import { waitUntil } from '../../src/lab/process.js';
import { describeOnLab, type TestLab } from '../support/lab.js';
import { endOf, ETCD_PEERS, plannedChanges, READYZ, runVerb, vipOf, type JsonRun } from '../support/main-job.js';

const DIRECTORY = '/etc/kubernetes/manifests';
const MANIFEST = `${DIRECTORY}/kube-apiserver.yaml`;

/** A group etcd that includes the control plane. */
async function inventoryOf(lab: TestLab, name: string, lines: readonly string[]): Promise<string> {
  const text = await readFile(lab.files.inventory, 'utf8');
  const file = lab.files.inventory.replace(/inventory\.yaml$/, `${name}.yaml`);
  const withVariables = text.replace('  vars:\n', `  vars:\n${lines.map((line) => `    ${line}\n`).join('')}`);
  const balancers = '    etcd_lb:\n      hosts: {etcd-1: , etcd-2: }\n';
  await writeFile(
    file,
    withVariables
      .replace('  children:\n', `  children:\n${balancers}`)
      .replace(/( {4}etcd:\n {6}hosts:\n)/, '$1        cp-1:\n'),
  );
  return file;
}

/** An etcd of another tool on the control plane, from the package's binary, without TLS and with data of its own. */
function stackedEtcd(unit: string, port: number): string {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 10_001}`];
  const flags = [
    `--data-dir /var/lib/${unit} --listen-client-urls ${client} --advertise-client-urls ${client}`,
    `--listen-peer-urls ${peer} --initial-advertise-peer-urls ${peer} --initial-cluster default=${peer}`,
  ];
  return [
    'set -eu; [ -e /opt/stacked ] || dpkg-deb -x /var/cache/apt/archives/etcd-server_*.deb /opt/stacked',
    `systemd-run -q --unit ${unit} /opt/stacked/usr/bin/etcd ${flags.join(' ')}`,
  ].join('\n');
}

describeOnLab('whose etcd an API server uses', 'whose', { etcd: 2, controlPlanes: 1 }, (lab) => {
  let vip: string;
  let inventory: string;
  let stacked: JsonRun;
  let applied: JsonRun;
  let peersAfterApply: string;

  async function until(script: string, wanted: (stdout: string) => boolean): Promise<void> {
    const isSo = async (): Promise<boolean> => wanted((await lab.ssh('cp-1', script)).stdout);
    if (await waitUntil(isSo, 150_000, 500)) return;
    throw new Error(
      `not in time: ${script}\n${(await lab.ssh('cp-1', `${script}; journalctl -n 40 -u kubelet`)).stdout}`,
    );
  }

  /** Another `--etcd-servers`, and an API server that is ready with it, alone. */
  async function useServers(servers: string): Promise<void> {
    const edit = `sed 's,--etcd-servers=.*,--etcd-servers=${servers},' ${MANIFEST} > /root/edited && cat /root/edited > ${MANIFEST}`;
    await lab.ssh('cp-1', edit);
    const told = `for c in $(grep -lx kube-apiserver /proc/[0-9]*/comm); do tr '\\0' '\\n' < \${c%comm}cmdline | grep -e --etcd-servers=; done`;
    await until(told, (stdout) => stdout === `--etcd-servers=${servers}\n`);
    await until(READYZ, (stdout) => stdout === 'ok');
  }

  beforeAll(async () => {
    vip = await vipOf(lab);
    await lab.ssh('cp-1', `cp ${MANIFEST} /root/original.yaml; ${stackedEtcd('stacked', 2379)}`);
    await lab.ssh('cp-1', `sed -i '/--etcd-\\(ca\\|cert\\|key\\)file/d' ${MANIFEST}`);
    await useServers('http://127.0.0.1:2379');
    stacked = await runVerb(lab, 'plan', await inventoryOf(lab, 'stacked', ['etcd_client_port: 2479']));
    await lab.ssh('cp-1', `systemctl stop stacked; cat /root/original.yaml > ${MANIFEST}`);
    // What still runs with the stacked one keeps the API server from being moved, and rightly so.
    await until('cat /proc/[0-9]*/cmdline', (stdout) => !stdout.includes('--etcd-servers=http://127.0.0.1:2379'));
    inventory = await inventoryOf(lab, 'ours', []);
    applied = await runVerb(lab, 'apply', inventory);
    // Now: the tests come in any order, and others move the API server.
    peersAfterApply = (await lab.ssh('cp-1', ETCD_PEERS)).stdout;
  });

  test('a stacked etcd is not left for a cluster that is still to be made', () => {
    expect(stacked.status).toBe(EXIT.unsafe);
    expect(stacked.stdout).toMatch(
      /kube-apiserver on cp-1 uses http:\/\/127\.0\.0\.1:2379, and etcd cluster [0-9a-f]+ at revision \d+ answers there; this inventory's members have no data yet/,
    );
    expect(stacked.events.filter(({ type }) => type === 'planned')).toEqual([]);
  });

  test('on bare hosts, where nothing answers yet, all is made as before', () => {
    expect(endOf(applied)).toMatch(/^status 0/);
    expect(peersAfterApply).toContain(`${vip}:2379\n`);
  });

  test("its own host's member, under another name, is the same cluster", async () => {
    await useServers('https://localhost:2379');
    const plan = await runVerb(lab, 'plan', inventory);
    expect(plannedChanges(plan)).toEqual([
      `Repoint the API servers / cp-1 / static-pod:${MANIFEST}: set --etcd-servers of kube-apiserver: the kubelet restarts it`,
    ]);
  });

  test('one foreign server in a list is enough to refuse', async () => {
    await lab.ssh('cp-1', stackedEtcd('foreign', 12379));
    // An API server does not come up with such a list, but its manifest is judged all the same.
    await lab.ssh(
      'cp-1',
      `sed -i 's,--etcd-servers=.*,--etcd-servers=https://localhost:2379\\,http://127.0.0.1:12379,' ${MANIFEST}`,
    );
    const plan = await runVerb(lab, 'plan', inventory);
    expect(plan.status).toBe(EXIT.unsafe);
    expect(plan.stdout).toMatch(
      /uses http:\/\/127\.0\.0\.1:12379, and etcd cluster [0-9a-f]+ at revision \d+ answers there, not this inventory's/,
    );
    await useServers('https://localhost:2379');
  });

  test('a copy of the manifest is named, and refuses the move while it is there', async () => {
    const copy = `${MANIFEST}.backup`;
    // Something to move: this test may be the first one after the apply.
    await useServers('https://localhost:2379');
    await lab.ssh('cp-1', `cp /root/original.yaml ${copy}`);
    const refused = await runVerb(lab, 'apply', inventory);
    await lab.ssh('cp-1', `rm ${copy}`);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toContain(`${copy} claims the pod of ${MANIFEST} too`);
    expect(endOf(await runVerb(lab, 'apply', inventory))).toMatch(/^status 0/);
    await lab.ssh('cp-1', `cp /root/original.yaml ${copy}`);
    const plan = await runVerb(lab, 'plan', inventory);
    expect([plan.status, plannedChanges(plan)]).toEqual([0, []]);
    expect(plan.events).toContainEqual(
      expect.objectContaining({ type: 'notice', host: 'cp-1', message: expect.stringContaining(copy) as unknown }),
    );
    const verified = await lab.provision('verify', inventory, '--format', 'json');
    const { items } = JSON.parse(verified.stdout) as { items: readonly CheckItem[] };
    expect(items).toContainEqual(
      expect.objectContaining({ check: 'apiserver-manifest', subject: copy, verdict: 'fail' }),
    );
    await lab.ssh('cp-1', `rm ${copy}`);
  });
});
