#!/bin/sh
# Builds what a control-plane host has above the base image: the stand-in for the kubelet, and Python, which it runs on.
# Packages only: kube-apiserver is a layer of its own, because it takes minutes.
#   build-control-plane.sh DIR     with BASE (the base image) and ASSETS (the directory of this script)
# The layer is DIR/upper.
set -eu
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"

# From the image's own package cache, as on a host: no network is needed.
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
  apt-get -qq -y install --no-install-recommends python3-yaml
install -D -m 0755 "$ASSETS/kubelet-stand-in.py" "$root/usr/local/lib/provision-lab/kubelet-stand-in.py"
install -D -m 0644 "$ASSETS/kubelet.service" "$root/etc/systemd/system/kubelet.service"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/kubernetes/manifests"
ln -s ../kubelet.service "$root/etc/systemd/system/multi-user.target.wants/kubelet.service"
rm -rf "$root/var/log/apt" "$root"/var/log/*.log
umount "$root/run" "$root/proc" "$root"
rm -rf "$1/work" "$1/root"
