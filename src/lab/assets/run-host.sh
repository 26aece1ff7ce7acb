#!/bin/sh
# Runs one lab host until it is powered off. A reboot inside the host starts it again, on a fresh network: what a host
# does to its kernel's network state (addresses, sysctls, packet filters) must not survive a boot, as on hardware.
#   run-host.sh DIR MACHINE HOSTNAME CONTROL_NETNS HOST_NETNS PORT ADDRESS/PREFIX
# DIR holds `root` (the mounted overlay) and gets `processes`: lines of `pid start-time` of all that must be ended.
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
}

# cgroup v2 in a mount namespace of its own: systemd 256 and later refuse to boot on v1, which some machines still
# mount. --keep-unit makes nspawn use the cgroup that it finds itself in, and makes a reboot end it with status 133.
# API_VFS_WRITABLE=network: else /proc/sys/net is read-only in the host, and sysctl fails there.
boot() {
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
