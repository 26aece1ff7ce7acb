#!/bin/sh
# Builds programs of Kubernetes v1.20.2 from Debian 12's `kubernetes` source package with Debian 12's Go, and small ones
# of the lab's own in the same tree, whose libraries they use. Everything happens in a throw-away root over the Debian 12
# image, so that it works on any distribution. About 4 minutes on 2 cores for kube-apiserver and kubeadm, 9 for the rest;
# 125 MB of downloads, 3 GB of disk while it builds.
#   build-kubernetes.sh DIR     with BASE (the Debian 12 base image), MIRROR, APT_OPTIONS, ASSETS (this directory),
#                               PROGRAMS (names below cmd/, or kubernetes/NAME.go here), TAGS, GO_CACHE (kept: a build that was
#                               cut off goes on where it was, and the second set of programs shares the first one's)
# The result is DIR/usr/local/bin/*.
set -eu
work=$1/build
root=$work/root
mkdir -p "$1/usr/local/bin" "$work/upper" "$work/work" "$root" "$GO_CACHE"
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$work/upper,workdir=$work/work,volatile" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount --rbind /dev "$root/dev"
mkdir -p "$root/build/cache" "$root/run/assets"
mount --bind "$GO_CACHE" "$root/build/cache"
cp "$ASSETS"/kubernetes/*.go "$root/run/assets/"
cp "$APT_OPTIONS" "$root/run/apt.conf"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"
echo "deb-src $MIRROR bookworm main" > "$root/etc/apt/sources.list.d/source.list"

chroot "$root" /usr/bin/env -i PATH=/usr/lib/go-1.19/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/build \
  DEBIAN_FRONTEND=noninteractive APT_CONFIG=/run/apt.conf PROGRAMS="$PROGRAMS" TAGS="$TAGS" bash -euo pipefail << 'END'
apt-get -qq update
apt-get -qq -y install --no-install-recommends golang-1.19-go golang-github-modern-go-reflect2-dev
mkdir -p /build/src/k8s.io/kubernetes && cd /build
apt-get -qq source --download-only kubernetes
cd src/k8s.io/kubernetes
tar xzf /build/kubernetes_*.orig.tar.gz --strip-components=1

# The vendored reflect2 1.0.1 crashes under Go 1.18 and later: take Debian's 1.0.2.
rm vendor/github.com/modern-go/reflect2/*.{go,s}
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} vendor/github.com/modern-go/reflect2/
export GOPATH=/build GOCACHE=/build/cache GO111MODULE=off GOFLAGS= GOENV=off CGO_ENABLED=0

# The one generated file that the tarball lacks.
go build -o /build/openapi-gen ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
inputs=$(grep -rl --include=*.go -E '^// *\+k8s:openapi-gen=' pkg cmd plugin vendor/k8s.io/*/ |
  grep -v -E '^vendor/k8s.io/(code-generator|sample-apiserver)/|/testdata/' | xargs -n1 dirname | LC_ALL=C sort -u |
  sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
/build/openapi-gen --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
  -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r /build/violations.report
# Upstream's own check of the generator.
diff -q /build/violations.report api/api-rules/violation_exceptions.list

flags='-s -w'
for package in k8s.io/kubernetes/vendor/k8s.io/{component-base,client-go/pkg}/version; do
  flags="$flags -X $package.gitVersion=v1.20.2 -X $package.gitMajor=1 -X $package.gitMinor=20 -X $package.gitTreeState=clean"
done
for program in $PROGRAMS; do
  [ -d "cmd/$program" ] || install -D "/run/assets/$program.go" "cmd/$program/main.go"
  go build -tags "$TAGS" -ldflags "$flags" -o "/build/out/$program" "./cmd/$program"
done
END
mv "$root"/build/out/* "$1/usr/local/bin/"
umount "$root/build/cache"
umount -R "$root"
rm -rf "$work"
