#!/bin/sh
# Builds the images of Kubernetes and a busybox, and imports them into a containerd store with the hosts' own containerd,
# so that a host has them from its first moment: nothing is imported, and little is copied, at boot.
#   build-image-store.sh DIR     with BASE, NODE_LAYER (build-node.sh), KUBERNETES and NODE (build-kubernetes.sh)
# The result is DIR/store, for /var/lib/containerd. image.ts gives this script mount and pid namespaces of its own.
set -eu
work=$1/build images=$1/build/images root=$1/build/root
repository=lab.invalid version=v1.20.2
mkdir -p "$work/upper" "$work/work" "$images" "$root" "$1/store"
mount -t overlay overlay -o "lowerdir=$NODE_LAYER:$BASE,upperdir=$work/upper,workdir=$work/work" "$root"

# A root with Debian's merged /usr.
skeleton() {
  mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/local/bin" "$1/usr/lib/x86_64-linux-gnu" "$1/usr/lib64" "$1/etc" \
    "$1/run" "$1/var" "$1/tmp"
  chmod 0755 "$1"
  chmod 1777 "$1/tmp"
  for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$1/$link"; done
  ln -sfn ../run "$1/var/run"
}

# Copies files from the hosts' own file system, with the libraries that they load.
copy_with_libraries() {
  to=$1
  shift
  for file in "$@"; do
    mkdir -p "$to/${file%/*}"
    cp -a "$root/$file" "$to/$file"
  done
  for file in "$@"; do chroot "$root" find "/$file" -type f -exec ldd {} + || :; done 2> /dev/null |
    grep -o '/lib[^ :]*' | sort -u | while read -r library; do
    [ -e "$to/usr$library" ] || cp -L "$root$library" "$to/usr$library"
  done
}

# A docker archive of one layer: NAME:TAG ROOT ENTRYPOINT-JSON. No date, so that the same content is the same image.
archive() {
  name=$1 from=$2 entrypoint=${3:-null} staged=$(mktemp -d "$work/archive.XXXXXX")
  tar -C "$from" --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name -cf "$staged/layer.tar" .
  layer=$(sha256sum "$staged/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
    "$entrypoint" "$layer" > "$staged/config.json"
  config=$(sha256sum "$staged/config.json" | cut -d' ' -f1)
  mv "$staged/config.json" "$staged/$config.json"
  printf '[{"Config":"%s.json","RepoTags":["%s/%s"],"Layers":["layer.tar"]}]' "$config" "$repository" "$name" \
    > "$staged/manifest.json"
  tar -C "$staged" -cf "$images/${name%%:*}.tar" manifest.json "$config.json" layer.tar
  rm -rf "$staged"
}

mkdir -p "$work/pause" "$work/coredns"
cp "$NODE/usr/local/bin/pause" "$work/pause/"
archive pause:3.2 "$work/pause" '["/pause"]'
cp "$NODE/usr/local/bin/coredns" "$work/coredns/"
archive coredns:1.7.0 "$work/coredns" '["/coredns"]'

for program in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
  skeleton "$work/$program"
  for built in "$KUBERNETES" "$NODE"; do
    [ ! -e "$built/usr/local/bin/$program" ] || cp "$built/usr/local/bin/$program" "$work/$program/usr/local/bin/"
  done
  # kube-proxy also runs iptables, of the hosts' own kind, and conntrack.
  if [ "$program" = kube-proxy ]; then
    copy_with_libraries "$work/$program" usr/sbin/xtables-nft-multi usr/sbin/conntrack usr/lib/x86_64-linux-gnu/xtables
    for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
      ln -sf xtables-nft-multi "$work/$program/usr/sbin/$name"
    done
  fi
  archive "$program:$version" "$work/$program"
done

skeleton "$work/busybox"
cp "$root/bin/busybox" "$work/busybox/usr/bin/"
for applet in sh ls cat httpd sleep hostname ip ping ps nc echo id wget; do ln -sf busybox "$work/busybox/usr/bin/$applet"; done
copy_with_libraries "$work/busybox" usr/bin/curl usr/bin/getent
archive busybox:1 "$work/busybox"

mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mkdir -p "$root/var/lib/containerd" "$root/run/images"
mount --bind "$1/store" "$root/var/lib/containerd"
mount --bind "$images" "$root/run/images"
chroot "$root" containerd > "$work/containerd.log" 2>&1 &
daemon=$!
tries=300
until chroot "$root" ctr version > /dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] && kill -0 "$daemon" || { cat "$work/containerd.log" >&2; exit 1; }
  sleep 0.1
done
for image in "$images"/*.tar; do chroot "$root" ctr -n k8s.io images import "/run/images/${image##*/}"; done
kill "$daemon"
wait "$daemon" || :
umount "$root/run/images" "$root/var/lib/containerd"
umount -R "$root"
rm -rf "$work"
