import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POD_RANGE, SERVICE_RANGE } from '../../src/lab/kubernetes-host.js';
import type { LabHost } from '../../src/lab/topology.js';
import type { HandMadeCluster } from './hand-made-cluster.js';
import { endOf } from './main-job.js';
import type { Ended, TestLab } from './lab.js';

/** A deployment of two pods on two hosts, and a service before it: each answers with its own name. */
export const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{operator: Exists}]
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}
      containers:
      - name: web
        image: lab.invalid/busybox:1
        command: [/bin/sh, -c, 'hostname > /tmp/index.html; httpd -f -p 8080 -h /tmp']
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

/** What a host of the lab needs beside what any host needs: it is a container, and shares its kernel's settings. */
export const LAB_SETTINGS = [
  'kube_cluster_image_repository: lab.invalid',
  'kube_cluster_cgroup_driver: cgroupfs',
  'kube_cluster_cni_bin_dir: /usr/lib/cni',
  'kube_cluster_ignore_preflight_errors: [SystemVerification]',
  `kube_cluster_service_subnet: ${SERVICE_RANGE}`,
  `kube_cluster_proxy_config: {mode: iptables, clusterCIDR: ${POD_RANGE}, conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}`,
  'kube_cluster_hosts_entries: true',
];

/** Succeeds when the API server of a control plane is ready. */
export const APISERVER_READY = 'test "$(curl -sk https://127.0.0.1:6443/readyz)" = ok';

/** Where the API server of a control plane is connected to etcd. */
export const APISERVER_PEERS = `ss -Htnp state established '( dport = :2379 )' | grep '"kube-apiserver"' | awk '{print $4}' | sort -u`;

/** `kubectl` on a control plane, as its administrator. */
export function kubectl(words: string): string {
  return `kubectl --kubeconfig /etc/kubernetes/admin.conf ${words}`;
}

/**
 * A Kubernetes of real kubelets, containerd and kubeadm on a lab's hosts, made by hand on an etcd that is there, or one that kubeadm runs
 * beside the API servers: what an administrator has before this program comes. All nodes are Ready when it returns.
 */
export async function createKubernetes(lab: TestLab, etcd: HandMadeCluster | 'stacked'): Promise<void> {
  const { hosts } = (await lab.host('cp-1')).lab;
  const controlPlanes = hosts.filter(({ role }) => role === 'control-plane');
  const workers = hosts.filter(({ role }) => role === 'worker');
  const [first, ...others] = controlPlanes;
  if (first === undefined) throw new Error('a Kubernetes needs a control plane');
  const nodes = [...controlPlanes, ...workers];
  await Promise.all(nodes.map(async ({ name }) => must(lab, name, PREPARE_NODE)));
  if (etcd === 'stacked') await giveEtcdImage(lab, controlPlanes);
  else await giveClientFiles(lab, etcd, first.name);
  await put(
    lab,
    first.name,
    '/root/kubeadm.yaml',
    initConfiguration(first, etcd === 'stacked' ? LOCAL : externalEtcd(etcd)),
  );
  await must(lab, first.name, 'kubeadm init --config /root/kubeadm.yaml --upload-certs');
  // One after the other, as kubeadm's guide has it; workers need nobody's turn.
  for (const node of others) await joinNode(lab, first, node, 'control-plane');
  await Promise.all(workers.map(async (node) => joinNode(lab, first, node, 'worker')));
  await until(lab, first.name, `test "$(${kubectl('get nodes --no-headers')} | grep -cw Ready)" = ${nodes.length}`);
}

/** Waits until a command succeeds on a host. @throws with its last output, after two minutes */
export async function until(lab: TestLab, host: string, script: string): Promise<Ended> {
  return must(
    lab,
    host,
    `n=0; until { ${script}; } > /tmp/until.log 2>&1; do n=$((n + 1)); [ $n -lt 240 ] || { cat /tmp/until.log >&2; exit 1; }; sleep 0.5; done; cat /tmp/until.log`,
  );
}

/** What kubeadm expects of a host: containerd with its socket, forwarding, bridged packets seen by iptables. */
export const PREPARE_NODE = `set -eu
containerd config default | sed 's#sandbox_image = .*#sandbox_image = "lab.invalid/pause:3.2"#
  s#bin_dir = .*#bin_dir = "/usr/lib/cni"#
  s#restrict_oom_score_adj = false#restrict_oom_score_adj = true#' > /etc/containerd/config.toml
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
systemctl enable --now containerd
systemctl enable kubelet`;

const LOCAL = '{local: {dataDir: /var/lib/etcd}}';

function externalEtcd({ endpoints }: HandMadeCluster): string {
  const pki = '/etc/kubernetes/pki';
  const [certFile, keyFile] = [`${pki}/apiserver-etcd-client.crt`, `${pki}/apiserver-etcd-client.key`];
  return JSON.stringify({ external: { endpoints, caFile: `${pki}/etcd/ca.crt`, certFile, keyFile } });
}

function initConfiguration(node: LabHost, etcd: string): string {
  return `apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: ${node.address}, bindPort: 6443}
nodeRegistration: ${registration(node)}
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: v1.20.2
imageRepository: lab.invalid
controlPlaneEndpoint: ${node.address}:6443
networking: {serviceSubnet: ${SERVICE_RANGE}, dnsDomain: cluster.local}
etcd: ${etcd}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: ${POD_RANGE}
# These have no namespace: a host of the lab must not set the machine's.
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`;
}

function registration({ name, address }: LabHost): string {
  // SystemVerification reads the kernel's configuration, which a container does not have.
  return JSON.stringify({
    name,
    criSocket: '/run/containerd/containerd.sock',
    kubeletExtraArgs: { 'node-ip': address },
    ignorePreflightErrors: ['SystemVerification'],
  });
}

async function joinNode(lab: TestLab, first: LabHost, node: LabHost, kind: 'control-plane' | 'worker'): Promise<void> {
  const { stdout: token } = await must(lab, first.name, 'kubeadm token create');
  const { stdout: hash } = await must(
    lab,
    first.name,
    'openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d" " -f1',
  );
  const controlPlane = `controlPlane:
  localAPIEndpoint: {advertiseAddress: ${node.address}, bindPort: 6443}
  certificateKey: ${kind === 'control-plane' ? await certificateKey(lab, first) : ''}
`;
  const configuration = `apiVersion: kubeadm.k8s.io/v1beta2
kind: JoinConfiguration
discovery:
  bootstrapToken: {apiServerEndpoint: "${first.address}:6443", token: ${token.trim()}, caCertHashes: ["sha256:${hash.trim()}"]}
nodeRegistration: ${registration(node)}
${kind === 'control-plane' ? controlPlane : ''}`;
  await put(lab, node.name, '/root/join.yaml', configuration);
  await must(lab, node.name, 'kubeadm join --config /root/join.yaml');
}

async function certificateKey(lab: TestLab, first: LabHost): Promise<string> {
  const upload = 'kubeadm init phase upload-certs --upload-certs --config /root/kubeadm.yaml';
  return (await must(lab, first.name, upload)).stdout.trim().split('\n').at(-1) ?? '';
}

/** The image of etcd that kubeadm v1.20.2 names, made of the packages that the lab's hosts for etcd have; and `etcdctl`, as an administrator adds it. */
async function giveEtcdImage(lab: TestLab, controlPlanes: readonly LabHost[]): Promise<void> {
  for (const { name } of controlPlanes) {
    const copy = `for file in server client; do ssh -F "$1" -l root etcd-1 "cat /var/cache/apt/archives/etcd-\${file}_*.deb" | ssh -F "$1" -l root "$2" "cat > /root/etcd-$file.deb"; done`;
    const copied = await lab.onControlSide(['sh', '-euc', copy, 'sh', lab.files.sshConfig, name]);
    if (copied.status !== 0) throw new Error(endOf(copied));
  }
  await Promise.all(controlPlanes.map(async ({ name }) => must(lab, name, IMAGE_OF_ETCD)));
}

/** A docker archive of one layer: etcd, and the libraries that it loads. */
const IMAGE_OF_ETCD = `set -eu
root=$(mktemp -d) out=$(mktemp -d)
chmod 0755 "$root"
mkdir -p "$root/usr/local/bin"
dpkg-deb --fsys-tarfile /root/etcd-client.deb | tar -xO ./usr/bin/etcdctl > /usr/local/bin/etcdctl
dpkg-deb --fsys-tarfile /root/etcd-server.deb | tar -xO ./usr/bin/etcd > "$root/usr/local/bin/etcd"
chmod 0755 /usr/local/bin/etcdctl "$root/usr/local/bin/etcd"
for link in lib lib64; do mkdir -p "$root/usr/$link"; ln -sfn "usr/$link" "$root/$link"; done
ldd "$root/usr/local/bin/etcd" | grep -o '/lib[^ :]*' | while read -r library; do mkdir -p "$root\${library%/*}"; cp -L "$library" "$root$library"; done || :
tar -C "$root" -cf "$out/layer.tar" .
layer=$(sha256sum "$out/layer.tar" | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/local/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" > "$out/config.json"
printf '[{"Config":"config.json","RepoTags":["lab.invalid/etcd:3.4.13-0"],"Layers":["layer.tar"]}]' > "$out/manifest.json"
tar -C "$out" -cf /root/etcd.tar manifest.json config.json layer.tar
n=0; until ctr version > /dev/null 2>&1; do n=$((n + 1)); [ $n -lt 100 ]; sleep 0.1; done
ctr -n k8s.io images import /root/etcd.tar
rm -rf "$root" "$out" /root/etcd.tar /root/etcd-*.deb`;

/** The certificate by which an API server is known to etcd, signed by the owners of that etcd with openssl. */
async function giveClientFiles(
  lab: TestLab,
  { directory, caCertificate, caKey }: HandMadeCluster,
  host: string,
): Promise<void> {
  // Named as hand-made-cluster.sh names them.
  const [key, request, certificate] = ['key', 'csr', 'cert'].map((end) =>
    join(directory, `apiserver-etcd-client_${end}.pem`),
  );
  const extension = join(directory, 'apiserver-etcd-client.ext');
  await writeFile(extension, 'extendedKeyUsage = clientAuth\n');
  const script = `set -eu
openssl req -noenc -newkey rsa:2048 -keyout ${key} -out ${request} -subj /CN=kube-apiserver-etcd-client
openssl x509 -req -days 365 -in ${request} -CA ${caCertificate} -CAkey ${caKey} -CAcreateserial -extfile ${extension} -out ${certificate}`;
  const signed = await lab.onControlSide(['sh', '-c', script]);
  if (signed.status !== 0) throw new Error(endOf(signed));
  const pki = '/etc/kubernetes/pki';
  const places = [
    [caCertificate, `${pki}/etcd/ca.crt`],
    [certificate, `${pki}/apiserver-etcd-client.crt`],
    [key, `${pki}/apiserver-etcd-client.key`],
  ] as const;
  for (const [from = '', to] of places) await put(lab, host, to, await readFile(from, 'utf8'));
}

async function put(lab: TestLab, host: string, path: string, text: string): Promise<void> {
  const script = `umask 077; mkdir -p "$(dirname ${path})"; cat > ${path}`;
  const written = await lab.onControlSide(['ssh', '-F', lab.files.sshConfig, '-l', 'root', host, script], text);
  if (written.status !== 0) throw new Error(endOf(written));
}

async function must(lab: TestLab, host: string, script: string): Promise<Ended> {
  const ended = await lab.ssh(host, script);
  if (ended.status !== 0) throw new Error(`${host}: ${script.slice(0, 80)}: ${endOf(ended)}`);
  return ended;
}
