import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import { certificatesSchema, type ListedCertificate } from '../../src/day-two/certificate-schema.js';
import { describeOnLab } from '../support/lab.js';
import { endOf, inventoryWith, must, passphraseFile, performedChanges } from '../support/main-job.js';
import { whileWriting } from '../support/member-counts.js';
import { shortenCertificates } from '../support/short-certificates.js';
import { createStackedCluster, waysAcross, type StackedCluster } from '../support/stacked-cluster.js';
import { disturbedRun, type DisturbedRun } from '../support/stopped-run.js';

const HOSTS = ['cp-1', 'cp-2', 'cp-3'];
const PKI = '/etc/kubernetes/pki';
const STACKED = ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client'];

/** All of the first one, with its API server's; of the others those of etcd. */
const WORDS = ['cp-1/kubeadm', ...['cp-2', 'cp-3'].flatMap((host) => STACKED.map((name) => `${host}/${name}`))];

/** Whether a member shows what is on its disk. */
function shown(place: string, name: string): string {
  const file = `${PKI}/etcd/${name}`;
  const serial = 'openssl x509 -noout -serial';
  return `test "$(openssl s_client -connect ${place} -cert ${file}.crt -key ${file}.key </dev/null 2>/dev/null | ${serial})" = "$(${serial} -in ${file}.crt)"`;
}

describeOnLab('certificates of a stacked etcd', 'scert', { etcd: 1, controlPlanes: 3 }, (lab) => {
  let cluster: StackedCluster;
  let inventory = '';

  beforeAll(async () => {
    cluster = await createStackedCluster(lab);
    inventory = await inventoryWith(lab, 'stacked', []);
    const former = HOSTS.map((host) => `        ${host}:\n`).join('');
    await writeFile(inventory, `${await readFile(inventory, 'utf8')}    etcd_former:\n      hosts:\n${former}`);
    const adopted = await lab.provision('adopt', inventory, '--yes');
    if (adopted.status !== 0) throw new Error(endOf(adopted));
  });

  async function list(): Promise<readonly ListedCertificate[]> {
    const ended = await lab.provision('certs', 'list', inventory, '--format', 'json');
    const { certificates } = certificatesSchema.parse(JSON.parse(ended.stdout));
    return certificates.filter(({ host, kind }) => HOSTS.includes(host ?? '') && kind === 'kubernetes');
  }

  const daysOf = (all: readonly ListedCertificate[], name: string): readonly (number | null | undefined)[] =>
    HOSTS.map((host) => all.find((each) => each.name === `${host}/${name}`)?.daysLeft);

  async function renew(when: Parameters<typeof disturbedRun>[2] = () => false): Promise<DisturbedRun> {
    const words = ['certs', 'renew', inventory, ...WORDS, '--yes', '--passphrase-file', await passphraseFile(lab)];
    return disturbedRun(lab, words, when, (kill) => {
      kill('SIGKILL');
    });
  }

  const told = async (): Promise<readonly string[]> => {
    const verified = await lab.provision('verify', inventory, '--format', 'json');
    const { items } = JSON.parse(verified.stdout) as {
      readonly items: readonly { check: string; verdict: string; host?: string; subject?: string }[];
    };
    return items
      .filter(
        ({ check, verdict, subject = '' }) =>
          check.startsWith('kubernetes-cert') && verdict !== 'ok' && /etcd/.test(subject),
      )
      .map(({ verdict, host = '', subject = '' }) => `${verdict} ${host} ${subject}`);
  };

  test('what ends, and has ended, is reported and renewed, one member after the other; none is restarted, and no client notices', async () => {
    const days = { 'etcd/server': 5, 'etcd/peer': 5, 'etcd/healthcheck-client': 5, 'apiserver-etcd-client': 5 };
    for (const host of HOSTS) await shortenCertificates(lab, host, days);
    await shortenCertificates(lab, 'cp-3', { 'etcd/peer': 0 });
    const pids = async (): Promise<readonly string[]> =>
      Promise.all(HOSTS.map(async (host) => must(lab.ssh(host, 'pgrep -x etcd'))));
    const [before, warned, running] = [await list(), await told(), await pids()];
    const { hosts } = (await lab.host('cp-1')).lab;
    const [members] = await waysAcross(
      lab,
      cluster,
      hosts.filter(({ name }) => HOSTS.includes(name)),
    );
    if (members === undefined) throw new Error('there is no way to the members');
    let killed: DisturbedRun | undefined;
    let again: DisturbedRun | undefined;
    const begun = Date.now();
    await whileWriting(lab, [members], 'stacked certificates', async () => {
      killed = await renew(
        (event) => event.type === 'change-started' && event.address === 'kubeadm-certificate:etcd-peer',
      );
      again = await renew();
    });
    console.log(`certificates of three stacked members: ${(Date.now() - begun) / 1000} s, once killed`);

    expect(STACKED.map((name) => daysOf(before, name))).toEqual([
      [4, 4, 4],
      [4, 4, -1],
      [4, 4, 4],
    ]);
    expect(warned).toContain(`fail cp-3 ${PKI}/etcd/peer.crt`);
    expect(warned).toContain(`warn cp-1 ${PKI}/etcd/server.crt`);
    expect(killed?.status).toBe(137);
    if (again === undefined) throw new Error('there was no second run');
    expect(again.status === 0 ? '' : endOf(again)).toBe('');
    const ofEtcd = performedChanges(again).filter((line) => /kubeadm-certificate:etcd-/.test(line));
    expect(ofEtcd.map((line) => line.split(' / ')[1])).toEqual(HOSTS.flatMap((host) => STACKED.map(() => host)));
    const after = await list();
    expect(STACKED.flatMap((name) => daysOf(after, name)).filter((left) => (left ?? 0) < 360)).toEqual([]);
    expect(await told()).toEqual([]);
    for (const { name: host, address } of hosts.filter(({ name }) => HOSTS.includes(name))) {
      await must(lab.ssh(host, shown('127.0.0.1:2379', 'server')));
      await must(lab.ssh(host, shown(`${address}:2380`, 'peer')));
    }
    expect(await pids()).toEqual(running);
  });
});
