import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabHost } from '../../src/lab/topology.js';
import type { Way } from './cluster-client.js';
import type { TestLab } from './lab.js';
import { must, READYZ, vipOf } from './main-job.js';
import { apiWay } from './writers.js';

/** A stacked etcd as kubeadm makes it, on the control planes of a lab with the stand-in for the kubelet. */
export interface StackedCluster {
  readonly controlPlanes: readonly string[];
  /** Its authority, and a client of it, as files of this machine. */
  readonly files: Readonly<Record<'ca' | 'certificate' | 'key', string>>;
}

/** Makes the control planes of a lab a Kubernetes with a stacked etcd: members that the kubelet runs, by the real kubeadm. */
export async function createStackedCluster(lab: TestLab): Promise<StackedCluster> {
  const all = (await lab.host('cp-1')).lab.hosts.filter(({ role }) => role === 'control-plane');
  const [first] = all;
  if (first === undefined) throw new Error('a stacked etcd needs a control plane');
  const controlPlanes = all.map(({ name }) => name);
  await Promise.all(controlPlanes.map(async (name) => must(lab.ssh(name, PREPARE))));
  await must(lab.ssh(first.name, `kubeadm init phase certs etcd-ca --config ${CONFIG}`));
  const authority = (await must(lab.ssh(first.name, 'tar -C /etc/kubernetes/pki -cf - etcd | base64 -w0'))).trim();
  const initial = all.map(({ name, address }) => `${name}=https://${address}:2380`).join();
  await Promise.all(all.map(async (host) => must(lab.ssh(host.name, makeMember(host, authority, initial)))));
  await Promise.all(controlPlanes.map(async (name) => must(lab.ssh(name, ready()))));
  await must(lab.ssh(first.name, `kubeadm init phase upload-config kubeadm --config ${CONFIG}`));
  return { controlPlanes, files: await stackedFiles(lab, first.name) };
}

const CONFIG = '/etc/kubernetes/kubeadm.yaml';

/** Programs of etcd as their image has them, and etcdctl, which an administrator adds. */
const PREPARE = `set -eu
systemctl stop kubelet
export DEBIAN_FRONTEND=noninteractive
apt-get -q update > /dev/null && apt-get -qy install etcd-server etcd-client > /tmp/etcd.log 2>&1
systemctl disable --now --quiet etcd; rm -rf /var/lib/etcd/*
sed -i '/^etcd:/,$d' ${CONFIG}
printf 'etcd:\\n  local:\\n    dataDir: /var/lib/etcd\\n' >> ${CONFIG}`;

/** As init and join do, but that all members begin together. */
function makeMember({ name }: LabHost, authority: string, initial: string): string {
  const certificates = ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'];
  return `set -eu
printf %s ${authority} | base64 -d | tar -C /etc/kubernetes/pki -xf -
for phase in ${certificates.map((each) => `certs/${each}`).join(' ')} etcd/local control-plane/apiserver; do
  kubeadm init phase \${phase%/*} \${phase#*/} --config ${CONFIG}
done
sed -i 's#--initial-cluster=.*#--initial-cluster=${initial}#' /etc/kubernetes/manifests/etcd.yaml
chown -R root:root /var/lib/etcd
systemctl start kubelet # ${name}`;
}

function ready(): string {
  return `n=0; until [ "$(${READYZ})" = ok ]; do n=$((n + 1)); [ $n -lt 240 ] || { journalctl -u kubelet -n 30 >&2; exit 1; }; sleep 0.5; done`;
}

/** The authority of a stacked etcd, and a client of it. */
export async function stackedFiles(lab: TestLab, host: string): Promise<StackedCluster['files']> {
  const fetch = async (path: string): Promise<string> => {
    const file = join(lab.files.inventory, '..', `stacked-${path.replaceAll('/', '-')}`);
    await writeFile(file, await must(lab.ssh(host, `cat /etc/kubernetes/pki/${path}`)), { mode: 0o600 });
    return file;
  };
  return {
    ca: await fetch('etcd/ca.crt'),
    certificate: await fetch('apiserver-etcd-client.crt'),
    key: await fetch('apiserver-etcd-client.key'),
  };
}

/** The ways into a stacked cluster and out of it: members by their addresses, the virtual IP once it serves, the API servers. */
export async function waysAcross(
  lab: TestLab,
  cluster: StackedCluster,
  members: readonly LabHost[],
): Promise<readonly Way[]> {
  const { ca, certificate, key } = cluster.files;
  const client = { ca, certificate, key };
  return [
    {
      ...{ name: 'members', kind: 'etcd', begins: 'at-once', ...client },
      endpoints: members.map(({ address }) => `https://${address}:2379`),
    },
    { name: 'vip', kind: 'etcd', endpoints: [`https://${await vipOf(lab)}:2379`], ...client, begins: 'when-verified' },
    await apiWay(lab, 'api', cluster.controlPlanes),
  ];
}
