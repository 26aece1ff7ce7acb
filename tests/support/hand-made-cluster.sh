#!/bin/sh
# An etcd cluster with TLS, and two API servers on it, made as people make them by hand: openssl, ssh and a shell,
# nothing of this program. Paths, names and certificates are those of the well-known how-tos.
#
#   hand-made-cluster.sh [-l LISTEN] DIR SSH_CONFIG HOST=ADDRESS=HOW... [-- CONTROL_PLANE...]
#
# HOW: package (Debian's unit, environment file), flags (a unit written by hand, the binary in /usr/local/bin as from a
# release tarball) or yaml (the same with a configuration file and a unit of another name).
# -l: the address to listen on for clients, such as 0.0.0.0; without it the node's own and 127.0.0.1.
# DIR gets ca.crt, ca.key and all that openssl makes; the member on HOST is called HOST-dev.
set -eu

listen=
while getopts l: option; do
  case $option in
    l) listen=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
dir=$1
ssh_config=$2
shift 2
mkdir -p "$dir"

on() { # HOST SCRIPT, standard input goes along
  ssh -F "$ssh_config" -l root "$1" "$2"
}

certificate() { # NAME SUBJECT USAGES SANS
  printf '%s\n' '[req]' 'distinguished_name = dn' 'req_extensions = v3_req' '[dn]' '[v3_req]' \
    'keyUsage = digitalSignature, keyEncipherment, dataEncipherment' "extendedKeyUsage = $3" ${4:+"subjectAltName = $4"} \
    > "$dir/$1.cnf"
  openssl req -noenc -newkey rsa:2048 -keyout "$dir/$1_key.pem" -out "$dir/$1.csr" -subj "$2" -config "$dir/$1.cnf" 2> "$dir/$1.log"
  openssl x509 -req -days 365 -in "$dir/$1.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial \
    -out "$dir/$1_cert.pem" -copy_extensions copy 2>> "$dir/$1.log"
}

members=
cluster=
endpoints=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  host=${1%%=*}
  address=${1#*=}
  address=${address%%=*}
  members="$members $1"
  cluster="$cluster${cluster:+,}$host-dev=https://$address:2380"
  endpoints="$endpoints${endpoints:+,}https://$address:2379"
  shift
done
[ $# -eq 0 ] || shift

subject=/C=US/ST=MI/L=Detroit/O=Lab/OU=Platform
openssl req -x509 -noenc -newkey rsa:2048 -days 3650 -keyout "$dir/ca.key" -out "$dir/ca.crt" -subj "$subject/CN=etcd-ca" 2> "$dir/ca.log"

# What each member is given, in the words of its kind of configuration.
environment() { # NAME ADDRESS CLIENT_URLS
  cat << END
ETCD_NAME="$1"
ETCD_LISTEN_PEER_URLS="https://$2:2380"
ETCD_LISTEN_CLIENT_URLS="$3"
ETCD_ADVERTISE_CLIENT_URLS="https://$2:2379"
ETCD_INITIAL_ADVERTISE_PEER_URLS="https://$2:2380"
ETCD_INITIAL_CLUSTER_STATE="new"
ETCD_INITIAL_CLUSTER="$cluster"

ETCD_TRUSTED_CA_FILE="/etc/ssl/etcd/certificate/ca.crt"
ETCD_CERT_FILE="/etc/ssl/etcd/certificate/$1_cert.pem"
ETCD_KEY_FILE="/etc/ssl/etcd/private/$1_key.pem"
ETCD_CLIENT_CERT_AUTH=true
ETCD_PEER_TRUSTED_CA_FILE="/etc/ssl/etcd/certificate/ca.crt"
ETCD_PEER_CERT_FILE="/etc/ssl/etcd/certificate/$1_cert.pem"
ETCD_PEER_KEY_FILE="/etc/ssl/etcd/private/$1_key.pem"
ETCD_PEER_CLIENT_CERT_AUTH=true
END
}

unit() { # DESCRIPTION COMMAND_LINE
  cat << END
[Unit]
Description=$1
After=network-online.target

[Service]
Type=notify
User=etcd
Restart=always
RestartSec=5s
LimitNOFILE=400000
TimeoutStartSec=0
ExecStart=$2

[Install]
WantedBy=multi-user.target
END
}

unit_with_flags() { # NAME ADDRESS CLIENT_URLS
  unit etcd "/usr/local/bin/etcd --name $1 --data-dir /var/lib/etcd/$1 \\
  --listen-client-urls $3 --advertise-client-urls=https://$2:2379 \\
  --listen-peer-urls https://$2:2380 --initial-advertise-peer-urls https://$2:2380 \\
  --cert-file=/etc/ssl/etcd/certificate/$1_cert.pem --key-file=/etc/ssl/etcd/private/$1_key.pem \\
  --trusted-ca-file=/etc/ssl/etcd/certificate/ca.crt --client-cert-auth \\
  --peer-cert-file=/etc/ssl/etcd/certificate/$1_cert.pem --peer-key-file=/etc/ssl/etcd/private/$1_key.pem \\
  --peer-trusted-ca-file=/etc/ssl/etcd/certificate/ca.crt --peer-client-cert-auth=true \\
  --initial-cluster $cluster --initial-cluster-state new"
}

yaml() { # NAME ADDRESS CLIENT_URLS
  cat << END
# etcd of the platform team
name: $1
data-dir: /var/lib/etcd/data
listen-peer-urls: https://$2:2380
listen-client-urls: $3
advertise-client-urls: https://$2:2379
initial-advertise-peer-urls: https://$2:2380
initial-cluster: $cluster
initial-cluster-state: new
client-transport-security:
  cert-file: /etc/ssl/etcd/certificate/$1_cert.pem
  key-file: /etc/ssl/etcd/private/$1_key.pem
  client-cert-auth: true
  trusted-ca-file: /etc/ssl/etcd/certificate/ca.crt
peer-transport-security:
  cert-file: /etc/ssl/etcd/certificate/$1_cert.pem
  key-file: /etc/ssl/etcd/private/$1_key.pem
  client-cert-auth: true
  trusted-ca-file: /etc/ssl/etcd/certificate/ca.crt
END
}

from_package='export DEBIAN_FRONTEND=noninteractive
apt-get -q update && apt-get -qy install etcd-server etcd-client && systemctl stop etcd && rm -rf /var/lib/etcd/default'
# No tarball without a network: the binaries of the package are put where those of a tarball go.
from_tarball='tmp=$(mktemp -d)
for deb in /var/cache/apt/archives/etcd-server_*.deb /var/cache/apt/archives/etcd-client_*.deb; do dpkg-deb -x "$deb" "$tmp"; done
install -m 0755 "$tmp/usr/bin/etcd" "$tmp/usr/bin/etcdctl" /usr/local/bin/ && rm -r "$tmp"
useradd --system --no-create-home --shell /usr/sbin/nologin etcd && install -d -o etcd -g etcd -m 0700 /var/lib/etcd'

create_member() { # HOST ADDRESS HOW
  name=$1-dev
  urls=https://$2:2379,https://127.0.0.1:2379
  [ -z "$listen" ] || urls=https://$listen:2379
  install='set -eu; tar -C / -xf -
    chown -R etcd:etcd /etc/ssl/etcd; chmod 0750 /etc/ssl/etcd/private; chmod 0600 /etc/ssl/etcd/private/*
    systemctl daemon-reload; systemctl -q enable --now --no-block'
  root=$dir/$1
  mkdir -p "$root/etc/ssl/etcd/certificate" "$root/etc/ssl/etcd/private" "$root/etc/default" "$root/etc/etcd" \
    "$root/etc/systemd/system"
  case $3 in
    package)
      certificate "$name" "$subject/CN=$name" 'serverAuth, clientAuth' "IP:$2, IP:127.0.0.1, DNS:localhost, DNS:$name"
      environment "$name" "$2" "$urls" > "$root/etc/default/etcd"
      prepare=$from_package
      start="$install etcd"
      ;;
    flags)
      certificate "$name" "$subject/CN=$name" 'serverAuth, clientAuth' "IP:$2, DNS:$name"
      unit_with_flags "$name" "$2" "$urls" > "$root/etc/systemd/system/etcd.service"
      prepare=$from_tarball
      start="$install etcd"
      ;;
    yaml)
      certificate "$name" "$subject/CN=$name" 'serverAuth, clientAuth' "IP:$2, DNS:$name"
      yaml "$name" "$2" "$urls" > "$root/etc/etcd/etcd.conf.yml"
      unit 'etcd member' '/usr/local/bin/etcd --config-file /etc/etcd/etcd.conf.yml' > "$root/etc/systemd/system/etcd-member.service"
      prepare=$from_tarball
      start="$install etcd-member"
      ;;
    *)
      echo "$3: expected package, flags or yaml" >&2
      exit 2
      ;;
  esac
  cp "$dir/ca.crt" "$dir/${name}_cert.pem" "$root/etc/ssl/etcd/certificate/"
  cp "$dir/${name}_key.pem" "$root/etc/ssl/etcd/private/"
  on "$1" "$prepare" < /dev/null > "$dir/$1.install.log" 2>&1
  # Only files: directories such as /etc keep their owner and mode.
  (cd "$root" && find . -type f | tar -cf - --owner=root --group=root -T -) | on "$1" "$start"
}

create_control_plane() { # HOST
  pki=etc/kubernetes/pki
  root=$dir/$1
  mkdir -p "$root/$pki/etcd"
  cp "$dir/ca.crt" "$root/$pki/etcd/ca.crt"
  cp "$dir/apiserver-etcd-client_cert.pem" "$root/$pki/apiserver-etcd-client.crt"
  cp "$dir/apiserver-etcd-client_key.pem" "$root/$pki/apiserver-etcd-client.key"
  (cd "$root" && find . -type f | tar -cf - --owner=root --group=root -T -) |
    on "$1" "set -eu; tar -C / -xf -; chmod 0600 /$pki/apiserver-etcd-client.key; systemctl restart kubelet"
}

await() { # WHAT HOST SCRIPT
  tries=0
  until on "$2" "$3" < /dev/null > "$dir/$2.await.log" 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
      echo "$1: not after $tries tries" >&2
      cat "$dir/$2.await.log" >&2
      exit 1
    fi
    sleep 1
  done
}

each() { # FUNCTION, with the words of each line of standard input; all at once, and all must succeed
  function=$1
  pids=
  while IFS== read -r a b c; do
    "$function" "$a" "$b" "$c" &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid"; done
}

printf '%s\n' $members > "$dir/members"
each create_member < "$dir/members"
first=${members# }
first=${first%%=*}
etcdctl="ETCDCTL_API=3 etcdctl --cacert=/etc/ssl/etcd/certificate/ca.crt --cert=/etc/ssl/etcd/certificate/$first-dev_cert.pem --key=/etc/ssl/etcd/private/$first-dev_key.pem --command-timeout=2s --endpoints=$endpoints"
await 'all members healthy' "$first" "$etcdctl endpoint health"

[ $# -gt 0 ] || exit 0
certificate apiserver-etcd-client "$subject/CN=kube-apiserver-etcd-client" clientAuth ''
printf '%s\n' "$@" > "$dir/control-planes"
each create_control_plane < "$dir/control-planes"
for host in "$@"; do
  await "API server of $host ready" "$host" \
    "printf 'GET /readyz HTTP/1.0\r\n\r\n' | openssl s_client -quiet -connect 127.0.0.1:6443 2> /dev/null | grep -qx ok"
done
await 'kubeadm-config uploaded' "$1" 'kubeadm init phase upload-config kubeadm --config /etc/kubernetes/kubeadm.yaml'
