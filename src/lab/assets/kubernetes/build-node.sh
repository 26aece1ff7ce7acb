#!/bin/sh
# Builds what a host has above the base image before Kubernetes is set up on it: containerd and what the kubelet calls,
# from Debian's packages, and the programs of Kubernetes. Nothing of it runs: setting it up is the product's work.
#   build-node.sh DIR     with BASE (the Debian 12 base image), APT_OPTIONS, ASSETS (src/lab/assets), KUBERNETES and NODE
#                         (what build-kubernetes.sh made: kubeadm; kubelet, kubectl, crictl)
# The layer is DIR/upper.
set -eu
root=$1/root
mkdir -p "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
cp "$APT_OPTIONS" "$root/run/apt.conf"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
  APT_CONFIG=/run/apt.conf sh -euc '
  apt-get -qq update
  apt-get -qq -y install --no-install-recommends containerd runc containernetworking-plugins iptables conntrack \
    ebtables ethtool socat kmod curl busybox-static
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/log/apt'
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf" "$root/etc/hosts"

files=$ASSETS/kubernetes
for program in "$KUBERNETES/usr/local/bin/kubeadm" "$NODE"/usr/local/bin/kubelet "$NODE"/usr/local/bin/kubectl \
  "$NODE"/usr/local/bin/crictl; do install -m 0755 "$program" "$root/usr/local/bin/"; done
install -m 0755 -D "$files/prepare-node" "$root/usr/local/lib/provision-lab/prepare-node"
units=$root/etc/systemd/system
install -m 0644 -D "$files/provision-lab-node.service" "$units/provision-lab-node.service"
install -m 0644 -D "$files/kubelet.service" "$units/kubelet.service"
install -m 0644 -D "$files/10-kubeadm.conf" "$units/kubelet.service.d/10-kubeadm.conf"
mkdir -p "$units/multi-user.target.wants" "$root/etc/kubernetes/manifests"
ln -s ../provision-lab-node.service "$units/multi-user.target.wants/"
rm -f "$units/multi-user.target.wants/containerd.service"
umount "$root/run" "$root/proc" "$root"
rm -rf "$1/work" "$root"
