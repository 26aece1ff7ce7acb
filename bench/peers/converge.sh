# What a careful person would run on a bare load balancer, whose files come as a tar on standard input.
set -eu
export DEBIAN_FRONTEND=noninteractive
tar -C / -x --no-same-owner
sysctl -q -p /etc/sysctl.d/60-provision-nonlocal-bind.conf
systemctl mask --runtime --quiet haproxy keepalived
apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install haproxy keepalived openssl >/dev/null 2>&1
systemctl unmask --runtime --quiet haproxy keepalived
haproxy -c -q -f /etc/haproxy/haproxy.cfg
systemctl daemon-reload
systemctl --quiet enable --now haproxy keepalived
