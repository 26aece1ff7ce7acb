import type { Explanations } from './explanation.js';

/** What is on a host and is in the way of a change: files, addresses, packages, the API server. */
export const HOST = {
  'file-not-ours': {
    why: 'A file that would be written was made or edited by someone else. It is left as it is.',
    next: 'Keep your file elsewhere; or, to give it up, list its path in provision_replace_files.',
    kind: 'unsafe',
  },
  'firewall-cuts-off': {
    why: 'A host of the cluster connects from an address that the firewall of another would not let in. No rule was changed.',
    next: 'Add the address to etcd_firewall_allow, or correct ip or access_ip of that host.',
    kind: 'unsafe',
  },
  'foreign-link': {
    why: 'A path leads through a symbolic link that a user other than root could turn elsewhere. Root follows no such link.',
    next: 'Look at it with `namei -l PATH`; remove the link, or name the place that it leads to.',
    kind: 'unsafe',
  },
  'not-a-file': {
    why: 'There is a directory or a special file where a file was expected.',
    next: 'Look at it with `ls -ld PATH`, and move it away if nothing needs it.',
  },
  'not-a-directory': {
    why: 'There is something else where a directory was expected.',
    next: 'Look at it with `ls -ld PATH`, and move it away if nothing needs it.',
  },
  'directory-in-use': {
    why: 'The directory of snapshots, which is for root only, holds files of others: it is not closed to them.',
    next: 'Give the snapshots a directory of their own, with etcd_snapshot_directory.',
    kind: 'unsafe',
  },
  'hosts-block-unclear': {
    why: 'The marks around the lines of this program in /etc/hosts are doubled, or one is missing.',
    next: 'Remove the marks, and the lines of this program between them. The next apply writes them again.',
  },
  'system-unsupported': {
    why: 'The host runs a system that the packages, units and paths of a role were not tried on.',
    next: 'Use a host with a supported system; one made from Debian can be tried with allow_unsupported_distribution_setup.',
  },
  'package-held': {
    why: 'A package would have to change, and apt has it on hold.',
    next: '`apt-mark unhold NAME` on the host, or name the held version in the playbook.',
  },
  'unit-reads-another-file': {
    why: 'The systemd unit runs, or would start, with another file than the one that is kept for it: a drop-in or an override says so.',
    next: 'See who says it with `systemctl cat UNIT`; remove the override, or restart the unit.',
  },
  'address-taken': {
    why: 'Another process listens on the address and port that the load balancer needs.',
    next: 'Let that process listen on the own address of the node only, or give the load balancer another port.',
  },
  'no-interface': {
    why: 'No network interface of a balancer has the expected address or name.',
    next: 'Set keepalived_interface for this host, or `ip` to its real address.',
  },
  'virtual-ip-taken': {
    why: 'A machine that is not a balancer of this inventory answers for the virtual IP.',
    next: 'Choose a free address, or find that machine with `ip neigh`.',
    kind: 'unsafe',
  },
  'virtual-ip-outside': {
    why: 'The virtual IP is in no network of a balancer, or is the first or last address of one: it would not be found there.',
    next: 'Choose a free address of the network of the nodes, or set keepalived_interface to another interface.',
  },
  'vrrp-version-changes': {
    why: 'A balancer holds the virtual IP with another version of VRRP. The versions do not hear each other: the first balancer that changes would take the address, too.',
    next: 'Set keepalived_vrrp_version as it was, or change the virtual IP in the same run: clients move to the members and from there to the new address.',
    kind: 'unsafe',
  },
  'former-balancer': {
    why: 'A host that is no load balancer in this inventory could still take the virtual IP: two hosts would have it at once.',
    next: 'Put it into the group etcd_lb_former, as the hint shows, and apply again: docs/runbooks/other-load-balancers.md. What provision did not set up there is stopped by hand.',
    kind: 'unsafe',
  },
  'node-unfit': {
    why: 'The host is not fit for a node of Kubernetes: its name, its size, its kernel, or a port that another process has.',
    next: 'Correct what the message names; kubeadm would refuse it later. A size can be passed over with kube_cluster_ignore_preflight_errors.',
  },
  'cgroup-driver-differs': {
    why: 'The kubelet of a node that runs has another cgroup driver than the inventory wants for containerd: pods would be in groups that nobody looks after.',
    next: 'Set kube_cluster_cgroup_driver to the one that the node runs with.',
  },
  'node-half-made': {
    why: 'Some files of kubeadm are on the host and others are not, and this program has not begun it: going on could take a node of another cluster.',
    next: 'Finish it by hand, or where nothing of it is needed, reset the host as the hint says: a plain `kubeadm reset` empties /etc/kubernetes/pki, with the client certificate for etcd in it, and with newer versions /var/lib/etcd, too.',
    kind: 'unsafe',
  },
  'node-join-unclear': {
    why: 'A run was killed while the host joined, its kubelet has a kubeconfig, and no API server says whether the node is there: one that joined to the end would be reset.',
    next: 'Have the API server of its kubeconfig answer, and run the same command again: a finished join is then only noted. Where nothing of the node is needed, the `kubeadm reset` of the hint lets it join again.',
    kind: 'unsafe',
  },
  'node-has-etcd': {
    why: 'A member of etcd that kubeadm runs is on a host that is to leave Kubernetes: `kubeadm reset` would remove it from the cluster, and its data from the host.',
    next: 'Have the member leave first, with the host in the group etcd_former: docs/runbooks/stacked-to-external.md.',
    kind: 'unsafe',
  },
  'node-not-drainable': {
    why: 'The node is to be drained, and pods on it have no controller: deleted there, nobody makes them again elsewhere.',
    next: 'Delete those that are not needed, or make a Deployment of them, as the hint shows; then run the same command again.',
    kind: 'unsafe',
  },
  'node-of-another-cluster': {
    why: 'The host is to leave this Kubernetes, and its kubelet trusts the authority of another one, or has no client certificate of a node that this one has signed: whose node it is is not known.',
    next: 'Take the host out of the group kube_node_former, where it is a node of another cluster.',
    kind: 'unsafe',
  },
  'node-name-differs': {
    why: 'By its own certificate, the kubelet of the host is another node than the one that a control plane lists at its address: one of them is wrong, and another node would be drained, or deleted.',
    next: 'Compare the addresses of the nodes with the inventory, and correct `ip` of the host; an address that has moved is in the API server until the kubelet reports again.',
    kind: 'unsafe',
  },
  'former-node-serves': {
    why: 'SSH does not reach a host that is to leave, and its kubelet reports it Ready: deleted without a drain, its pods would run on beside new ones.',
    next: 'Have SSH reach it again; or switch it off, wait until its node is not Ready (40 s), and run the same command again.',
    kind: 'unsafe',
  },
  'objects-unreadable': {
    why: 'The file of manifests that the inventory names is no YAML of objects of Kubernetes.',
    next: 'Correct kube_cluster_cni_manifest, or the document that the message names.',
  },
  'objects-conflict': {
    why: 'Another program has set fields of these objects to other values (server-side apply): it would set them back.',
    next: 'Set in the file what is there; or take the fields over once, as the hint shows, and have the other program leave them.',
    kind: 'unsafe',
  },
  'kubernetes-in-etcd': {
    why: 'There is a Kubernetes in etcd, and no control plane of the inventory has one: a new cluster would overwrite it.',
    next: 'Name a control plane of that cluster in kube_control_plane, or use an etcd of its own.',
    kind: 'unsafe',
  },
  'no-kubeadm': {
    why: 'Kubernetes is set up with the kubeadm of each host, and there is none, or not all that goes with it.',
    next: 'Install kubelet, kubeadm and kubectl of one version, from pkgs.k8s.io or a mirror of it.',
  },
  'apt-broken': {
    why: 'What would be upgraded is not known, for apt reports an error: its sources, or what is installed, contradict each other.',
    next: 'Have `apt-get -s upgrade` work on the host; its own message says what is wrong.',
  },
  'etcd-of-others': {
    why: 'A member of etcd runs on the host as a static pod, and the inventory has none there: a reboot could take the quorum of that cluster.',
    next: 'Describe that etcd in the inventory, as `provision adopt INVENTORY` does; or upgrade the host by hand.',
    kind: 'unsafe',
  },
  'upgrade-of-others': {
    why: 'By apt, the host would get other versions of kubelet, kubeadm or kubectl, which go with the version of the API servers, or another minor version of etcd, which goes with that of all members. Upgrading the packages of one node must do neither.',
    next: 'Put them on hold, as the hint shows. Kubernetes is upgraded with kubeadm upgrade; etcd as docs/runbooks/upgrade-etcd.md says.',
    kind: 'unsafe',
  },
  'kubernetes-programs-of-others': {
    why: 'The inventory names a repository of packages for kubelet, kubeadm and kubectl, and the host runs, or would run, others that were installed by hand.',
    next: 'Remove those where no node runs with them; else leave out kube_cluster_packages_repository.',
  },
  'kubernetes-version-ahead': {
    why: 'A host that is to join would get a newer Kubernetes than the control planes have: a kubelet may be older than the API servers, and never newer.',
    next: 'Set kube_cluster_packages_version, and its repository, to the version of the cluster; or upgrade the control planes first, with kubeadm upgrade.',
  },
  'repository-key-unusable': {
    why: 'The file that is to hold the public key of the packages’ repository holds something else.',
    next: 'Put the key, armored or binary, beside the inventory, and have kube_cluster_packages_key name it.',
  },
  'apt-source-taken': {
    why: 'A source of apt that this program did not write names the same repository. Where two of them name different keys for it, apt ends with an error, whatever it is asked.',
    next: 'Remove one of the two, as the hint shows.',
  },
  'no-manifest': {
    why: 'The static pod manifest of the API server does not exist on this host.',
    next: 'Run kubeadm first, set kube_apiserver_manifest, or leave the host out with --limit.',
  },
  'manifest-unreadable': {
    why: "The static pod manifest is not one as kubeadm writes it, so it can't be edited safely.",
    next: 'Correct the manifest, or set kube_apiserver_manifest to the right file.',
  },
  'manifest-claimed-twice': {
    why: 'Two files in the manifest directory define the same pod, often a copy that was kept as a backup. The kubelet may run either.',
    next: 'Move the other one out of the directory, for example to /root.',
  },
  'no-serving-certificate': {
    why: 'The certificate that the API server is to show does not exist.',
    next: 'Look at /etc/kubernetes/pki on the host; kubeadm makes it: `kubeadm init phase certs apiserver`.',
  },
  'serving-certificate-not-kubeadm': {
    why: "The certificate of the API server was not made by kubeadm on this host, or has names that kubeadm can't give. It is left as it is.",
    next: 'Issue it as it was issued before, with the missing names beside the old ones: docs/runbooks/apiserver-virtual-ip.md.',
  },
  'kubeadm-authority-elsewhere': {
    why: "The certificates of kubeadm are signed by an external CA: the key of their authority is not on the control plane (kubeadm's external CA mode), so nothing can be renewed there.",
    next: 'Make requests on the host, have them signed where the key is, and bring the certificates back: docs/runbooks/kubeadm-certificates.md.',
  },
  'kubeadm-cannot-renew': {
    why: 'The kubeadm of the host would not renew this certificate, or would make another one of it: what is there can not be read, was signed by another authority, or by one that has ended; or kubeadm is too old.',
    next: 'Do what the hint says: docs/runbooks/kubeadm-certificates.md.',
  },
  'kubeconfig-unreadable': {
    why: "The kubeconfig is not as Kubernetes' tools write it, or its user is not known by a client certificate, so it can't be changed and proved right.",
    next: 'Correct the place that the message names, change its server by hand (docs/runbooks/apiserver-virtual-ip.md), or leave the host out with --limit.',
  },
  'no-kubelet': {
    why: 'No kubelet of a cluster runs on this host, so its way to the API servers can be neither changed nor proved.',
    next: 'Start it, let the host join the cluster first, or leave the host out with --limit.',
  },
  'kubeadm-config-unreadable': {
    why: "The ConfigMap kubeadm-config is not as kubeadm writes it, so it can't be edited safely.",
    next: 'Edit it by hand: `kubectl -n kube-system edit configmap kubeadm-config`.',
  },
} satisfies Explanations;
