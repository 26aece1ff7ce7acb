import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './main-job.js';
import { run, type TestLab } from './lab.js';
import { temporaryDirectory } from './temporary-directory.js';

/** Packages of a host's own programs, in a repository that it serves and that somebody has signed. */
export interface AptRepository {
  readonly uri: string;
  /** Of the key that signed it, armored. */
  readonly key: string;
  /** Of another key, as a binary file. */
  readonly otherKey: string;
  /** Makes a package more, of which apt knows from its next update. @param version of the empty package */
  add(name: string, version: string, postinst?: string): Promise<void>;
}

/** As the packages of Kubernetes are made: a unit that systemd is told to start. Programs are those of the lab, where it has put them. */
const BUILD = `set -eu
mkdir -p /srv/repo && cd /srv/repo
build() {
  printf 'Package: %s\\nVersion: %s\\nArchitecture: amd64\\nMaintainer: Nobody <nobody@example.com>\\nDescription: of the lab\\n' "$1" "$2" >"$3/DEBIAN/control"
  [ ! -e "$3/DEBIAN/postinst" ] || chmod 0755 "$3/DEBIAN/postinst"
  dpkg-deb -Znone --root-owner-group --build "$3" /srv/repo >/dev/null
  rm -rf "$3"
}
for name in kubelet kubeadm kubectl; do
  made=$(mktemp -d -p /srv) && chmod 0755 "$made" && mkdir -p "$made/DEBIAN" "$made/usr/bin"
  cp "/usr/local/bin/$name" "$made/usr/bin/"
  if [ $name = kubelet ]; then
    units=$made/lib/systemd/system && mkdir -p "$units/kubelet.service.d"
    sed s#/usr/local/bin#/usr/bin# /etc/systemd/system/kubelet.service >"$units/kubelet.service"
    sed s#/usr/local/bin#/usr/bin# /etc/systemd/system/kubelet.service.d/10-kubeadm.conf >"$units/kubelet.service.d/10-kubeadm.conf"
    printf '#!/bin/sh\\nsystemctl daemon-reload\\nsystemctl enable --now kubelet || :\\n' >"$made/DEBIAN/postinst"
  fi
  build $name 1.20.2-0 "$made"
done`;

const INDEX = `set -eu
cd /srv/repo
for file in *.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >Packages
printf 'Origin: lab\\nLabel: lab\\nSuite: stable\\nDate: %s\\nSHA256:\\n %s %s Packages\\n' "$(LC_ALL=C date -Ru)" "$(sha256sum Packages | cut -d ' ' -f 1)" "$(stat -c %s Packages)"`;

const SERVE = `set -eu
printf '[Service]\\nExecStart=/usr/bin/busybox httpd -f -p 8081 -h /srv/repo\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/repository.service
systemctl enable --quiet --now repository`;

/** Serves them on a host that has the programs of Kubernetes. It needs gpg on this machine. */
export async function aptRepositoryOn(lab: TestLab, name: string): Promise<AptRepository> {
  const { address } = (await lab.host(name)).host;
  const home = temporaryDirectory('gnupg');
  const gpg = async (...words: readonly string[]): Promise<string> =>
    must(run(['gpg', '--homedir', home, '--batch', '--quiet', '--passphrase', '', ...words]));
  for (const user of ['good', 'other'])
    await gpg('--quick-generate-key', `${user}@example.com`, 'ed25519', 'sign', '1d');
  const [key, otherKey] = [join(home, 'repository.asc'), join(home, 'other.gpg')];
  await gpg('--armor', '--output', key, '--export', 'good@example.com');
  await gpg('--output', otherKey, '--export', 'other@example.com');
  await must(lab.ssh(name, BUILD));

  async function sign(): Promise<void> {
    const release = join(home, 'Release');
    await writeFile(release, await must(lab.ssh(name, INDEX)));
    await gpg('--yes', '--local-user', 'good@example.com', '--output', join(home, 'InRelease'), '--clearsign', release);
    const put = ['ssh', '-F', lab.files.sshConfig, '-l', 'root', name, 'cat >/srv/repo/InRelease'];
    await must(lab.onControlSide(put, await readFile(join(home, 'InRelease'), 'utf8')));
  }

  await sign();
  await must(lab.ssh(name, SERVE));
  return {
    ...{ uri: `http://${address}:8081/`, key, otherKey },
    async add(of, version, postinst = '') {
      const script = `set -eu; made=$(mktemp -d -p /srv); chmod 0755 "$made"; mkdir "$made/DEBIAN"
printf 'Package: %s\\nVersion: %s\\nArchitecture: amd64\\nMaintainer: Nobody <nobody@example.com>\\nDescription: of the lab\\n' ${of} ${version} >"$made/DEBIAN/control"
printf '#!/bin/sh\\n%s\\n' '${postinst}' >"$made/DEBIAN/postinst"; chmod 0755 "$made/DEBIAN/postinst"
dpkg-deb -Znone --root-owner-group --build "$made" /srv/repo >/dev/null; rm -rf "$made"`;
      await must(lab.ssh(name, script));
      await sign();
    },
  };
}
