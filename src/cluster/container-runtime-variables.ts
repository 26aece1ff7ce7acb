import { defaulted, optional } from './variable-definition.js';
import { listOf, text } from './variable-kinds.js';

const proxy = text(
  'an http or https URL without a password, such as http://proxy.example.com:3128',
  /^https?:\/\/[^\s"'\\@]+$/,
);

const place = {
  schema: text(
    'an http or https URL without a password or a query, or a path on the control machine',
    /^(?:https?:\/\/[^\s"'\\@?#]+|(?!\w+:\/\/)[^~\0\r\n][^\0\r\n]*)$/,
  ),
  type: 'URL, or path on the control machine',
};
const digest = {
  schema: text('a SHA-256: 64 hexadecimal digits', /^[0-9a-fA-F]{64}$/),
  type: 'SHA-256',
  description:
    'What that file must be, as upstream says beside it. Compared on each node before anything is read of it.',
};

/** How the container runtime of the nodes is installed, and how it reaches registries. */
export const CONTAINER_RUNTIME_VARIABLES = {
  kube_cluster_containerd_release: optional({
    ...place,
    fallbackText: "the host's package",
    description:
      'A release of containerd in place of its package: `containerd-VERSION-linux-ARCH.tar.gz` of upstream, which this machine reads and sends to the nodes; a relative path starts at the inventory. ' +
      'Its programs are unpacked below `/usr/local/lib/provision-releases`, links in `/usr/local/bin` lead there, and a unit of `/etc/systemd/system` starts it. Another file restarts containerd, one node at a time; pods run on.',
  }),
  kube_cluster_containerd_sha256: optional({
    ...digest,
    fallbackText: 'required with `kube_cluster_containerd_release`',
  }),
  kube_cluster_runc_release: optional({
    ...place,
    fallbackText: 'others install it: the package of containerd brings it',
    description:
      'A release of runc for it: the file `runc.ARCH` of upstream, which `/usr/local/sbin/runc` leads to. Pods that run keep theirs.',
  }),
  kube_cluster_runc_sha256: optional({ ...digest, fallbackText: 'required with `kube_cluster_runc_release`' }),
  kube_cluster_cni_release: optional({
    ...place,
    fallbackText: 'others install them',
    description:
      'A release of the CNI plugins: `cni-plugins-linux-ARCH-VERSION.tgz` of upstream. Links in `kube_cluster_cni_bin_dir` lead to them; what a network of pods puts there stays.',
  }),
  kube_cluster_cni_sha256: optional({ ...digest, fallbackText: 'required with `kube_cluster_cni_release`' }),
  kube_cluster_http_proxy: optional({
    schema: proxy,
    type: 'URL',
    fallbackText: 'none',
    description:
      'The proxy by which containerd pulls from registries at `http://` (`HTTP_PROXY` of its unit). A password is refused: all users of a host can read the environment of a unit.',
  }),
  kube_cluster_https_proxy: optional({
    schema: proxy,
    type: 'URL',
    fallbackText: 'none',
    description:
      'The same for registries at `https://`, which is what most are (`HTTPS_PROXY`). A changed proxy restarts containerd, one node at a time; pods run on.',
  }),
  kube_cluster_no_proxy: defaulted([], {
    schema: listOf(
      text('a name, a domain such as .example.com, an address or a network', /^[A-Za-z0-9.*:/_-]+$/),
      'a list of names, domains, addresses or networks',
    ),
    type: 'list of names, addresses and networks',
    description:
      'What containerd asks without a proxy (`NO_PROXY`), beside the networks of services and pods, the nodes, the virtual IPs, the domain of services and this host, which are always among them.',
  }),
} as const;
