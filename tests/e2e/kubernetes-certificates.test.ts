import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { apiserverVip, BESIDE_ETCD, inventoryWithVip } from '../support/apiserver-vip.js';
import { certificatesSchema, type ListedCertificate } from '../../src/day-two/certificate-schema.js';
import { ALL_ANSWERED, askedSoFar, startAsking } from '../support/asking.js';
import { APISERVER_READY, kubectl, LAB_SETTINGS, until } from '../support/kubernetes-cluster.js';
import { describeOnLab } from '../support/lab.js';
import { placeWithInventory, runsAt, workThroughPage } from '../support/lab-page.js';
import { endOf, passphraseFile, performedChanges, plannedChanges, runVerb } from '../support/main-job.js';
import { shortenCertificates } from '../support/short-certificates.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';

const HOSTS = ['cp-1', 'cp-2'];
const PKI = '/etc/kubernetes/pki';

/** Of kubeadm in the order in which they are renewed, and what is restarted for them. */
const RENEWED = [
  'kubeadm-certificate:admin.conf',
  'kubeadm-certificate:apiserver',
  'kubeadm-certificate:apiserver-kubelet-client',
  'kubeadm-certificate:front-proxy-client',
  'kubeadm-certificate:controller-manager.conf',
  'kubeadm-certificate:scheduler.conf',
  'static-pod-start:/etc/kubernetes/manifests/kube-apiserver.yaml',
  'static-pod-start:/etc/kubernetes/manifests/kube-controller-manager.yaml',
  'static-pod-start:/etc/kubernetes/manifests/kube-scheduler.yaml',
];

/** Files of the administrator's own certificate, as it was before. */
const OLD_FILES = `sed -n 's/^ *client-certificate-data: //p' /etc/kubernetes/admin.conf | base64 -d >/run/asking.crt
sed -n 's/^ *client-key-data: //p' /etc/kubernetes/admin.conf | base64 -d >/run/asking.key`;

interface Item {
  readonly check: string;
  readonly host?: string;
  readonly subject?: string;
  readonly verdict: string;
  readonly evidence: string;
  readonly next?: string;
}

describeOnLab('certificates of kubeadm', 'kcert', { etcd: 1, controlPlanes: 2, kubernetes: 'real' }, (lab) => {
  let inventory = '';
  let vip = '';

  beforeAll(async () => {
    vip = await apiserverVip(lab);
    inventory = await inventoryWithVip(lab, 'certificates', vip, { ...BESIDE_ETCD, variables: LAB_SETTINGS });
    const made = await runVerb(lab, 'apply', inventory, '--playbook', 'kubernetes');
    if (made.status !== 0) throw new Error(endOf(made));
  });

  async function items(): Promise<readonly Item[]> {
    const verified = await lab.provision('verify', inventory, '--format', 'json');
    const { items: all } = JSON.parse(verified.stdout) as { readonly items: readonly Item[] };
    return all.filter(({ check }) => check.startsWith('kube'));
  }

  const told = (all: readonly Item[]): readonly string[] =>
    all
      .filter(({ verdict, check }) => verdict !== 'ok' && /^kube(?:rnetes|let)-/.test(check))
      .map(({ verdict, host, subject = '' }) => `${verdict} ${host ?? ''} ${subject}`);

  async function list(): Promise<readonly ListedCertificate[]> {
    const ended = await lab.provision('certs', 'list', inventory, '--format', 'json');
    if (ended.status !== 0) throw new Error(endOf(ended));
    return certificatesSchema.parse(JSON.parse(ended.stdout)).certificates;
  }

  /** Renews, and kills the run at the first event that is picked. */
  async function renew(
    words: readonly string[],
    when: Parameters<typeof disturbedRun>[2] = () => false,
  ): Promise<DisturbedRun> {
    const file = await passphraseFile(lab);
    return disturbedRun(lab, ['certs', 'renew', inventory, ...words, '--passphrase-file', file], when, (kill) => {
      kill('SIGKILL');
    });
  }

  const ends = (changes: readonly string[]): readonly string[] =>
    changes.map((line) => line.replace(/^.*? \/ (\S+) \/ ([^ ]+?): .*$/, '$1 $2'));

  const both = (addresses: readonly string[]): readonly string[] =>
    HOSTS.flatMap((host) => addresses.map((address) => `${host} ${address}`));

  const ofKubeadm = (listed: readonly ListedCertificate[]): readonly ListedCertificate[] =>
    listed.filter(({ kind, usages }) => kind === 'kubernetes' && usages.length > 0);

  test('what ends is reported; it is renewed one control plane after the other, no request fails, and what was killed in the middle is ended by the next run', async () => {
    const days = {
      apiserver: 5,
      'apiserver-kubelet-client': 5,
      'front-proxy-client': 5,
      'controller-manager.conf': 5,
      'admin.conf': 5,
    };
    await shortenCertificates(lab, 'cp-1', { ...days, 'scheduler.conf': 5 });
    await shortenCertificates(lab, 'cp-2', { ...days, 'scheduler.conf': 0 });
    await lab.ssh('cp-1', 'mkdir -p -m 0700 /root/.kube; cp /etc/kubernetes/admin.conf /root/.kube/config');
    const before = await items();
    const listed = ofKubeadm(await list());
    const planned = await renew(['kubeadm', '--dry-run']);
    await startAsking(lab, {
      from: 'cp-1',
      url: `https://${vip}:8443/api/v1/namespaces/default`,
      options: `--cacert ${PKI}/ca.crt --cert /run/asking.crt --key /run/asking.key`,
      before: OLD_FILES,
    });
    const begun = Date.now();
    const killed = await renew(
      ['kubeadm', '--yes'],
      (event) => event.type === 'change-started' && event.address.startsWith('static-pod-start:'),
    );
    const at = await placeWithInventory(lab);
    await copyFile(inventory, join(at.work, 'inventory.yaml'));
    await workThroughPage('runbooks/kubeadm-certificates', at);
    const again = (await runsAt(at)).flatMap(performedChanges);
    const asked = await askedSoFar(lab, 'cp-1');
    console.log(`renewed twice, once killed, in ${(Date.now() - begun) / 1000} s; the virtual IP answered: ${asked}`);

    expect(told(before)).toEqual([
      ...[
        'admin.conf',
        'pki/apiserver.crt',
        'pki/apiserver-kubelet-client.crt',
        'pki/front-proxy-client.crt',
        'controller-manager.conf',
        'scheduler.conf',
      ].map((path) => `warn cp-1 /etc/kubernetes/${path}`),
      'warn cp-1 kube-controller-manager',
      'warn cp-1 kube-scheduler',
      'warn cp-1 /root/.kube/config',
      ...[
        'admin.conf',
        'pki/apiserver.crt',
        'pki/apiserver-kubelet-client.crt',
        'pki/front-proxy-client.crt',
        'controller-manager.conf',
      ].map((path) => `warn cp-2 /etc/kubernetes/${path}`),
      'fail cp-2 /etc/kubernetes/scheduler.conf',
      'warn cp-2 kube-controller-manager',
      'warn cp-2 kube-scheduler',
    ]);
    expect(before.find(({ verdict }) => verdict === 'fail')?.next).toMatch(
      /^provision certs renew \S+ cp-2\/scheduler\.conf$/,
    );
    expect(listed.filter(({ daysLeft }) => (daysLeft ?? 0) < 6).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['cp-2/scheduler.conf', 'cp-1/apiserver', 'cp-1/root/.kube/config', 'cp-2/admin.conf']),
    );
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['cp-1/kubelet', 'cp-2/kubelet']));
    expect(ends(plannedChanges(planned))).toEqual(both(RENEWED));
    expect(planned.stdout).toContain('/root/.kube/config holds a copy, which stays as it is');
    expect(killed.status).toBe(137);
    expect(ends(again)).toEqual(both(RENEWED));
    expect(asked).toMatch(ALL_ANSWERED);
    expect((await lab.ssh('cp-2', 'pgrep -ax kube-apiserver')).stdout).toContain(' --shutdown-delay-duration=5s');
    expect(told(await items())).toEqual(['warn cp-1 /root/.kube/config']);
    const after = ofKubeadm(await list()).filter(({ name }) => !name.endsWith('/root/.kube/config'));
    expect(after.filter(({ daysLeft }) => (daysLeft ?? 0) < 360)).toEqual([]);
    // A serving certificate loses no name, and its key has changed.
    const of = (all: readonly ListedCertificate[]): ListedCertificate | undefined =>
      all.find(({ name }) => name === 'cp-2/apiserver');
    expect(of(after)?.names).toEqual(of(listed)?.names);
    const secret = /PRIVATE KEY|LS0tLS1CRUdJTi/;
    const kubeconfig = (await lab.ssh('cp-1', 'grep client-key-data /etc/kubernetes/admin.conf')).stdout;
    const printed = [kubeconfig, ...[planned, killed].map(({ stdout }) => stdout)];
    expect(printed.map((text) => secret.test(text))).toEqual([true, false, false]);
  });

  test('what has ended on both control planes at once, behind their virtual IP, is repaired by the same command', async () => {
    const names = ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'controller-manager.conf'];
    const days = Object.fromEntries([...names, 'scheduler.conf', 'admin.conf'].map((name) => [name, 0]));
    const ask = `curl -s --cacert ${PKI}/ca.crt -m 2 -o /dev/null https://${vip}:8443/readyz`;
    for (const host of HOSTS) await shortenCertificates(lab, host, days);
    // They would read the files again within a minute.
    for (const host of HOSTS) await lab.ssh(host, 'pkill -x kube-apiserver');
    await until(lab, 'cp-1', `! ${ask} && ! ${ask}`);
    const begun = Date.now();
    await until(lab, 'cp-1', APISERVER_READY);
    const ended = told(await items());
    const unanswered = (await lab.ssh('cp-1', ask)).status;
    // The kubelet pauses before it starts it again: in the middle of the repair, between two of the files that it reads.
    await lab.ssh('cp-2', 'pkill -x kube-apiserver');
    const repaired = await renew(['kubeadm', '--yes']);
    const again = (await lab.ssh('cp-1', ask)).status;
    console.log(`all had ended on two control planes: repaired in ${(Date.now() - begun) / 1000} s`);
    // First: what is waited for below never comes where it is not.
    expect(repaired.status === 0 ? '' : endOf(repaired)).toBe('');
    await until(lab, 'cp-1', `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = ${HOSTS.length}`);

    expect(ended.filter((line) => line.includes('/pki/apiserver.crt'))).toEqual(
      HOSTS.map((host) => `fail ${host} ${PKI}/apiserver.crt`),
    );
    expect(unanswered).not.toBe(0);
    expect(ends(performedChanges(repaired)).filter((line) => line.includes('certificate:apiserver'))).toEqual(
      both(['kubeadm-certificate:apiserver', 'kubeadm-certificate:apiserver-kubelet-client']),
    );
    expect(again).toBe(0);
    expect(told(await items()).filter((line) => !line.includes('/root/.kube/config'))).toEqual([]);
  });

  test('a host that was only taken out of its group is reported, as a node without a host', async () => {
    const text = await readFile(inventory, 'utf8');
    const alone = inventory.replace(/\.yaml$/, '-alone.yaml');
    await writeFile(alone, text.replace(/^ {8}cp-2:\n {10}ansible_host: .*\n/m, ''));
    const quiet = inventory.replace(/\.yaml$/, '-quiet.yaml');
    const others = '    kube_cluster_other_nodes: ["cp-*"]\n';
    await writeFile(quiet, (await readFile(alone, 'utf8')).replace('  vars:\n', `  vars:\n${others}`));
    const stray = async (file: string): Promise<readonly Item[]> => {
      const verified = await lab.provision('verify', file, '--format', 'json');
      const { items: all } = JSON.parse(verified.stdout) as { readonly items: readonly Item[] };
      return all.filter(({ check }) => check === 'node-without-host');
    };
    const [found, whole, silenced] = [await stray(alone), await stray(inventory), await stray(quiet)];
    const planned = await runVerb(lab, 'plan', alone, '--playbook', 'kubernetes');
    expect(found).toEqual([
      expect.objectContaining({
        subject: 'cp-2',
        verdict: 'warn',
        evidence: expect.stringMatching(
          /^Kubernetes has a node cp-2 \(\S+\), and no host of the inventory is it/,
        ) as unknown,
      }),
    ]);
    expect([whole, silenced]).toEqual([[], []]);
    expect(planned.stdout).toContain('Kubernetes has a node cp-2');
  });

  test('one that does not become ready in time is put back as it was; and without the key of its authority nothing is begun', async () => {
    const state = `cd /etc/kubernetes; sha256sum *.conf pki/*.crt pki/*.key`;
    const before = (await lab.ssh('cp-2', state)).stdout;
    const failed = await renew(['cp-2/kubeadm', '--gate-timeout', '1', '--yes']);
    await until(lab, 'cp-2', APISERVER_READY);
    const after = (await lab.ssh('cp-2', `${state}; find /etc/kubernetes -name '.provision*'`)).stdout;
    await lab.ssh('cp-2', `mv ${PKI}/ca.key /root/`);
    const elsewhere = await lab.provision('certs', 'renew', inventory, 'cp-2/apiserver', '--dry-run');
    await lab.ssh('cp-2', `mv /root/ca.key ${PKI}/`);
    expect(failed.status).not.toBe(0);
    expect(failed.stdout).toMatch(/gate apiserver-ready did not open within \d+ s/);
    expect(after).toBe(before);
    const text = elsewhere.stdout + elsewhere.stderr;
    expect(text).toContain(`can't be renewed here: the key of its authority is not on the host (${PKI}/ca.key)`);
    expect(text).toContain('kubeadm certs generate-csr');
  });
});
