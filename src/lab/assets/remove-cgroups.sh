#!/bin/sh
# Removes the cgroups that a lab's hosts left. Run in a mount namespace of its own.
#   remove-cgroups.sh LAB
set -eu
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  homes=/sys/fs/cgroup${own%/}
else
  # Kubernetes hosts have a group in every hierarchy of cgroup v1; all others are on v2 (run-host.sh).
  mkdir -p /run/provision-lab
  mount -t cgroup2 cgroup2 /run/provision-lab
  homes="/run/provision-lab${own%/} $(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d ! -name unified)"
fi

# shellcheck disable=SC2086 # a list of words
cgroups() { find $homes -depth -type d -path "*/provision-lab.$1.*" "$2"; }

# A cgroup is busy until the parent of its last process, often the machine's init, has collected the exit status.
# Against hanging alone: where the machine is busy that may take half a minute.
tries=600
while [ -n "$(cgroups "$1" -print)" ] && [ "$tries" -gt 0 ]; do
  cgroups "$1" -delete 2> /dev/null || sleep 0.1
  tries=$((tries - 1))
done
left=$(cgroups "$1" -print)
[ -z "$left" ] || { echo "cgroups are still in use: $left" >&2; exit 1; }
