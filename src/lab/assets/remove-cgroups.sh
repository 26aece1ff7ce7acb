#!/bin/sh
# Removes the cgroups that a lab's hosts left. Run in a mount namespace of its own.
#   remove-cgroups.sh LAB
set -eu
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
test "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs || mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd "/sys/fs/cgroup${own%/}"

cgroups() { find . -depth -type d -path "./provision-lab.$1.*" "$2"; }

# A cgroup is busy until the parent of its last process, often the machine's init, has collected the exit status.
tries=100
while [ -n "$(cgroups "$1" -print)" ] && [ "$tries" -gt 0 ]; do
  cgroups "$1" -delete 2> /dev/null || sleep 0.1
  tries=$((tries - 1))
done
left=$(cgroups "$1" -print)
[ -z "$left" ] || { echo "cgroups are still in use: $left" >&2; exit 1; }
