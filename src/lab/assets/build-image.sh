#!/bin/sh
# Builds the root file system of a lab host. image.ts runs it as root, in mount and pid namespaces of its own, so that
# no mount and no process outlives it.
#   build-image.sh DIR      with SUITE, MIRROR, SECURITY_MIRROR, APT_OPTIONS (a file of apt options of this machine)
set -eu
root=$1

# What a plain Debian server has. Nothing that the product installs: hosts must start bare.
INSTALLED=systemd,systemd-sysv,dbus,openssh-server,iproute2,procps,sudo,ca-certificates
# What can be installed inside a host without a network: the product's packages, and what tests of faults need.
DOWNLOADED='etcd-server etcd-client haproxy keepalived nginx libnginx-mod-stream curl nftables'
# What the control-plane layer installs (build-control-plane.sh).
FOR_LAYERS='python3-yaml'

debootstrap --variant=minbase --include="$INSTALLED" "$SUITE" "$root" "$MIRROR"

in_root() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive APT_CONFIG=/build-apt.conf "$@"
}

mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
# Packages must not start their services in here (invoke-rc.d(8)).
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
cp "$APT_OPTIONS" "$root/build-apt.conf"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"

# All three suites: with main alone, an apt inside a host would mix versions.
cat > "$root/etc/apt/sources.list" <<END
deb $MIRROR $SUITE main
deb $MIRROR $SUITE-updates main
deb $SECURITY_MIRROR $SUITE-security main
END
# Translations double the lists, and nobody reads them here. There is no network to try again.
printf 'Acquire::Languages "none";\nAcquire::Retries "0";\n' > "$root/etc/apt/apt.conf.d/90lab"
in_root apt-get -qq update
in_root apt-get -qq -y upgrade
in_root apt-get clean
# shellcheck disable=SC2086 # a list of words
in_root apt-get -qq -y install --download-only $DOWNLOADED $FOR_LAYERS
# The binary cache is made now: otherwise the first question to apt on each host costs seconds and writes it there.
in_root apt-cache policy haproxy

# --- quiet: a host that nobody touches writes nothing, so that a test can prove what somebody wrote
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' > "$root/etc/systemd/journald.conf.d/lab.conf"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer logrotate.timer man-db.timer systemd-tmpfiles-clean.timer systemd-update-utmp.service \
  systemd-update-utmp-runlevel.service systemd-pstore.service console-getty.service getty.target \
  systemd-networkd-wait-online.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# --- who may log in: keys come with each lab (root, ops, deploy)
in_root useradd --create-home --shell /bin/bash --uid 1000 ops
in_root useradd --create-home --shell /bin/bash --uid 1001 deploy
printf 'ops:ops-sudo-password\n' | in_root chpasswd
# By name, not by the group sudo: its members get a note in their home when they first use it (sudoers(5), admin_flag).
printf 'Defaults lecture=never\nops ALL=(ALL:ALL) ALL\ndeploy ALL=(ALL:ALL) NOPASSWD: ALL\n' > "$root/etc/sudoers.d/lab"
chmod 0440 "$root/etc/sudoers.d/lab"

# --- what each host gets for itself
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/var/lib/dbus/machine-id" "$root/etc/hostname" \
  "$root/etc/resolv.conf" "$root/usr/sbin/policy-rc.d" "$root/build-apt.conf"
# Newer than /usr: else the first boot rebuilds caches on every host (systemd-update-done.service(8)).
touch "$root/etc/.updated" "$root/var/.updated"
rm -rf "$root"/var/log/apt "$root"/var/log/*.log "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
umount "$root/run" "$root/proc"
