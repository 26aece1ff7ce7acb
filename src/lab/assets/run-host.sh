#!/bin/sh
# Runs one lab host until it is powered off. A reboot inside the host starts it again, on a fresh network: what a host
# does to its kernel's network state (addresses, sysctls, packet filters) must not survive a boot, as on hardware.
#   run-host.sh DIR MACHINE HOSTNAME CONTROL_NETNS HOST_NETNS PORT ADDRESS/PREFIX
# DIR holds `root` (the mounted overlay), perhaps `routes`, and `containerd` and `kubelet` for a Kubernetes host, and gets `processes`: lines of `pid start-time` of all that must be ended.
set -eu
dir=$1 machine=$2 hostname=$3 control=$4 netns=$5 port=$6 address=$7

# The start time (proc_pid_stat(5), field 22) tells a process from a later one with the same pid. Nothing is started
# before it can be recorded, so that a lab whose maker was killed can still be taken down.
record() { echo "$1 $(cut -d' ' -f22 "/proc/$1/stat")" >> "$dir/processes"; }

# A network card keeps its address when the host is off: else every neighbour would look for the old one first.
# shellcheck disable=SC2046 # four words
mac=$(printf '02:00:%02x:%02x:%02x:%02x' $(echo "${address%/*}" | tr . ' '))

fresh_network() {
  ip netns delete "$netns" 2> /dev/null || :
  ip -n "$control" link delete "$port" 2> /dev/null || :
  ip netns add "$netns"
  ip -n "$control" link add "$port" type veth peer name eth0 address "$mac" netns "$netns"
  ip -n "$control" link set "$port" master lab0 up
  ip -n "$netns" link set lo up
  ip -n "$netns" address add "$address" dev eth0
  ip -n "$netns" link set eth0 up
  # shellcheck disable=SC2086 # a line is a route's words
  [ ! -e "$dir/routes" ] || while read -r route; do ip -n "$netns" route add $route; done < "$dir/routes"
}

# cgroup v2 in a mount namespace of its own: systemd 256 and later refuse to boot on v1, which some machines still
# mount. --keep-unit makes nspawn use the cgroup that it finds itself in, and makes a reboot end it with status 133.
# API_VFS_WRITABLE=network: else /proc/sys/net is read-only in the host, and sysctl fails there.
boot() {
  [ ! -d "$dir/containerd" ] || boot_kubernetes
  # shellcheck disable=SC2016 # expanded by the inner shell
  exec unshare --mount --propagation private sh -c '
    set -eu
    own=$(sed -n "s/^0:://p" /proc/self/cgroup)
    test "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs || mount -t cgroup2 cgroup2 /sys/fs/cgroup
    cgroup="/sys/fs/cgroup${own%/}/provision-lab.$1"
    mkdir -p "$cgroup"
    echo $$ > "$cgroup/cgroup.procs"
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec systemd-nspawn --quiet --directory="$2" --machine="$1" --hostname="$3" --boot --register=no --keep-unit \
      --network-namespace-path="/run/netns/$4" --capability=CAP_NET_ADMIN,CAP_NET_RAW \
      --resolv-conf=off --timezone=off --link-journal=no
  ' sh "$machine" "$dir/root" "$hostname" "$netns"
}

# A Kubernetes host. Its containers need cgroup controllers: on a machine that has them on cgroup v1, a group of its own
# in every hierarchy; on v2, one below a group that holds no process itself. /var/lib/containerd is a real file system,
# for an overlay can't lie on an overlay.
boot_kubernetes() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  exec unshare --mount --propagation private sh -c '
    set -eu
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
      cgroup="/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup)/provision-lab.$1"
      mkdir -p "$cgroup"
      echo $$ > "$cgroup/cgroup.procs"
      export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    else
      for hierarchy in /sys/fs/cgroup/*/; do
        [ -e "$hierarchy/cgroup.procs" ] || continue
        cgroup="$hierarchy/provision-lab.$1"
        mkdir -p "$cgroup"
        # A new group of cpuset has no processor and takes no process.
        for file in cpuset.cpus cpuset.mems; do
          [ ! -e "$cgroup/$file" ] || cat "$hierarchy/$file" > "$cgroup/$file"
        done
        echo $$ > "$cgroup/cgroup.procs"
      done
      export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
    fi
    export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
    exec systemd-nspawn --quiet --directory="$2/root" --machine="$1" --hostname="$3" --boot --register=no --keep-unit \
      --network-namespace-path="/run/netns/$4" --capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYSLOG \
      --system-call-filter=@keyring --system-call-filter=bpf \
      --bind="$2/containerd:/var/lib/containerd" --bind="$2/kubelet:/var/lib/kubelet" \
      --resolv-conf=off --timezone=off --link-journal=no
  ' sh "$machine" "$dir" "$hostname" "$netns"
}

: > "$dir/processes"
record $$
status=133
while [ "$status" = 133 ]; do
  fresh_network
  (boot) < /dev/null &
  record $!
  status=0
  wait $! || status=$?
done
exit "$status"
