# What a careful person would ask of a load-balancer host in one go: what a no-op plan of the load-balancer playbook
# has to know. Plain POSIX shell, as root; changes nothing.
files='/etc/haproxy/haproxy.cfg /etc/keepalived/keepalived.conf /etc/sysctl.d/60-provision-nonlocal-bind.conf
/usr/local/lib/provision/check-haproxy.sh'
dpkg-query -W -f='${Package} ${db:Status-Abbrev} ${Version}\n' haproxy keepalived
stat -L -c '%n %U %G %a %Z' -- $files /etc/keepalived /usr/local/lib/provision
sha256sum -- $files
find /etc/haproxy /etc/etcd -name '*.pem' -o -name '*.crt' | while read -r certificate; do
  stat -L -c '%n %U %G %a' -- "$certificate"
  openssl x509 -in "$certificate" -noout -subject -issuer -enddate -ext subjectAltName,extendedKeyUsage
done 2>/dev/null
systemctl show -p ActiveState,UnitFileState,ExecMainStartTimestamp,ActiveEnterTimestamp haproxy.service keepalived.service
cat /proc/sys/net/ipv4/ip_nonlocal_bind
ip -o addr show
ss -H -l -t -n -p
echo asked
