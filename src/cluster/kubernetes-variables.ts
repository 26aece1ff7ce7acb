import { defaulted, optional } from './variable-definition.js';
import {
  absolutePath,
  dnsName,
  flag,
  jsonObject,
  listOf,
  network,
  oneOf,
  registryMirrors,
  text,
  wholeNumber,
} from './variable-kinds.js';

const image = /^[a-z0-9][\w.\-/:@]*$/;

/** The hosts of a Kubernetes, and what it is set up with. */
export const KUBERNETES_VARIABLES = {
  kube_cluster_hosts_entries: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether `/etc/hosts` of every node names all nodes, in a marked block: for networks without DNS for them.',
  }),
  kube_cluster_ignore_preflight_errors: defaulted([], {
    schema: listOf(text("a name of kubeadm's preflight checks such as NumCPU", /^[\w-]+$/), 'a list of names'),
    type: 'list of names',
    description:
      "Preflight checks that are passed over, by kubeadm's names (`NumCPU`, `Mem`, `SystemVerification`): by kubeadm, and by the plan.",
  }),
  kube_cluster_image_repository: defaulted('registry.k8s.io', {
    schema: text('a repository of images such as registry.k8s.io', image),
    type: 'repository',
    description: "Where the images of Kubernetes itself come from (kubeadm's `imageRepository`).",
  }),
  kube_cluster_cgroup_driver: defaulted('systemd', {
    schema: oneOf(['systemd', 'cgroupfs']),
    type: 'systemd or cgroupfs',
    description:
      'Who makes the cgroups of pods, for containerd and the kubelet alike. `cgroupfs` only where systemd is not the init.',
  }),
  kube_cluster_sandbox_image: optional({
    schema: text('an image such as registry.k8s.io/pause:3.9', image),
    type: 'image',
    fallbackText: 'the one that the kubeadm of the host names',
    description: "The image of pods' sandboxes (containerd's `sandbox_image`).",
  }),
  kube_cluster_cni_bin_dir: defaulted('/opt/cni/bin', {
    schema: absolutePath(),
    type: 'path',
    description:
      'Directory of the CNI plugins. Debian’s package `containernetworking-plugins` has them in `/usr/lib/cni`.',
  }),
  kube_cluster_registry_mirrors: defaulted(
    {},
    {
      schema: registryMirrors(),
      type: 'mapping of registries to lists of URLs',
      description:
        'Mirrors that containerd asks before a registry: `{docker.io: [https://mirror.example.com]}`. No restart is needed for them.',
    },
  ),
  kube_cluster_service_subnet: defaulted('10.96.0.0/12', {
    schema: network(),
    type: 'network',
    description: "The addresses of services (kubeadm's `serviceSubnet`). It can't be changed later.",
  }),
  kube_cluster_pod_subnet: optional({
    schema: network(),
    type: 'network',
    fallbackText: 'none: the network of pods knows',
    description:
      "The addresses of pods (kubeadm's `podSubnet`), where the controller-manager gives each node a part of them.",
  }),
  kube_cluster_dns_domain: defaulted('cluster.local', {
    schema: dnsName(),
    type: 'DNS name',
    description: 'The domain of services.',
  }),
  kube_cluster_apiserver_shutdown_delay: defaulted(5, {
    schema: wholeNumber(0, 20),
    type: 'seconds',
    description:
      'How long an API server goes on serving once it is asked to end and says so in `/readyz` (its `--shutdown-delay-duration`), in a cluster that is made: ' +
      'longer than balancers need to notice (`kube_apiserver_lb_check_inter`), and shorter than the 30 s that the kubelet gives it.',
  }),
  kube_cluster_kubelet_config: defaulted(
    {},
    {
      schema: jsonObject('a mapping of fields of KubeletConfiguration'),
      type: 'mapping',
      description: 'Further fields of the KubeletConfiguration with which a cluster is made.',
    },
  ),
  kube_cluster_proxy_config: defaulted(
    {},
    {
      schema: jsonObject('a mapping of fields of KubeProxyConfiguration'),
      type: 'mapping',
      description: 'Further fields of the KubeProxyConfiguration with which a cluster is made.',
    },
  ),
  kube_cluster_cni_manifest: optional({
    schema: text('a path, written in full or relative to the inventory', /^[^~\0\n][^\0\n]*$/),
    type: 'path on the control machine',
    fallbackText: 'none: others make the network of pods',
    description:
      'Manifests of the network of pods (flannel, Calico, Cilium), as YAML: applied by server-side apply, through a control plane that serves, in each run where they differ.',
  }),
  kube_cluster_other_nodes: defaulted([], {
    schema: listOf(
      text('the name of a node, in which * is any number of characters', /^[a-z0-9*](?:[-a-z0-9.*]*[a-z0-9*])?$/),
      'a list of names',
    ),
    type: 'list of names',
    description:
      'Nodes of Kubernetes that others look after (`pool-a-*`): `verify` does not miss their hosts in the inventory.',
  }),
  node_upgrade: defaulted(false, {
    schema: flag(),
    type: 'true or false',
    description:
      'Whether the playbook `kubernetes` ends with what the playbook `upgrade-nodes` does: packages of nodes are upgraded, but for those on hold, one node at a time, drained, and rebooted where needed. ' +
      '[How](../runbooks/upgrade-nodes.md).',
  }),
  kube_cluster_smoke_test_image: defaulted('registry.k8s.io/e2e-test-images/agnhost:2.53', {
    schema: text('an image such as registry.k8s.io/e2e-test-images/agnhost:2.53', image),
    type: 'image',
    description: 'What `verify --smoke-test` starts two pods of: anything that answers HTTP on port 8080.',
  }),
  kube_cluster_smoke_test_command: defaulted(['/agnhost', 'netexec', '--http-port=8080'], {
    schema: listOf(text('a word of a command', /^[^\0]+$/), 'a list of words'),
    type: 'list of words',
    description: 'The command of these pods; an empty list is the command of the image.',
  }),
  kube_cluster_drain_timeout: defaulted(300, {
    schema: wholeNumber(10, 86_400),
    type: 'seconds',
    description:
      'How long the pods of a node that leaves, or is upgraded, may take to go. Disruption budgets are respected: one that allows nothing holds the drain up.',
  }),
} as const;
