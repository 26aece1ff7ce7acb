# A load balancer as it was before: what has just been converged is taken away again.
systemctl disable --quiet --now keepalived haproxy
export DEBIAN_FRONTEND=noninteractive
apt-get -q -y purge haproxy keepalived >/dev/null 2>&1 && apt-get -q -y autoremove --purge >/dev/null 2>&1 || exit
rm -rf /etc/haproxy /etc/keepalived /usr/local/lib/provision /etc/systemd/system/haproxy.service.d
rm -f /etc/sysctl.d/60-provision-nonlocal-bind.conf /run/provision-down.haproxy
systemctl daemon-reload
sysctl -q -w net.ipv4.ip_nonlocal_bind=0
