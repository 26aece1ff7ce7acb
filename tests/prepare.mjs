// What `npm test` and `npm run demo` need beside Node and npm: installs it where it can, and says what is missing where
// it can't. Imports nothing but Node: on a fresh clone there are no packages yet.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Command → the Debian package that has it, and what is missing without it. */
const NEEDED = [
  ['debootstrap', 'debootstrap', 'the lab'],
  ['systemd-nspawn', 'systemd-container', 'the lab'],
  ['ip', 'iproute2', 'the lab'],
  ['ssh', 'openssh-client', 'the lab'],
  ['/usr/sbin/sshd', 'openssh-server', 'the SSH contract tests'],
  ['faketime', 'faketime', 'the test of a wrong clock'],
  ['/usr/sbin/nft', 'nftables', 'the firewall contract tests'],
  ['openssl', 'openssl', 'the certificate contract tests'],
  ['gpg', 'gpg', 'the test of a signed repository'],
  ['/usr/bin/gpg-agent', 'gpg-agent', 'the test of a signed repository'],
  ['groff', 'groff-base', 'the test of the manual page'],
  ['chromium', 'chromium', 'the tests of the report as a page'],
  ['xmllint', 'libxml2-utils', "the tests of the report as JUnit's XML"],
  ['buildah', 'buildah', 'the test of the image'],
  ['/usr/bin/ansible-inventory', 'ansible-core', 'the comparison with the real ansible-inventory'],
];

function run(command, ...args) {
  const { status } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

function has(command) {
  return command.startsWith('/') ? existsSync(command) : spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

function installPackages() {
  const lockfile = 'package-lock.json';
  const installed = 'node_modules/.package-lock.json';
  const isCurrent = existsSync(installed) && sameVersions(lockfile, installed) && allThere(installed);
  if (!isCurrent && !run('npm', 'ci', '--no-audit', '--no-fund')) process.exit(1);
}

function sameVersions(lockfile, installed) {
  const versions = (file) =>
    Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages).flatMap(([name, { version, optional }]) =>
      name === '' || optional ? [] : [`${name}@${version}`],
    );
  const found = new Set(versions(installed));
  return versions(lockfile).every((entry) => found.has(entry));
}

/** npm's own list of what it installed can name folders that are gone. */
function allThere(installed) {
  return Object.entries(JSON.parse(readFileSync(installed, 'utf8')).packages).every(
    ([folder, { optional }]) => optional || existsSync(folder),
  );
}

function installTools() {
  const missing = NEEDED.filter(([command]) => !has(command));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  if (userInfo().uid === 0 && has('apt-get')) {
    run('apt-get', 'update', '-qq');
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages);
  }
  for (const [command, name, use] of missing.filter(([tool]) => !has(tool)))
    console.warn(`missing: ${command} (Debian package ${name}), so ${use} can't run here`);
}

/**
 * promtool and prometheus, out of Debian's package (a download of 19 MB, no rights needed): installed, it would start a
 * Prometheus on this machine.
 */
function fetchPrometheus() {
  const kept = 'node_modules/.cache/prometheus';
  if (existsSync('/usr/bin/promtool') || existsSync(`${kept}/usr/bin/promtool`)) return;
  const directory = mkdtempSync(join(tmpdir(), 'provision-prepare-'));
  const download = spawnSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', 'prometheus'], {
    cwd: directory,
    stdio: 'inherit',
  });
  const [file] = readdirSync(directory);
  mkdirSync(kept, { recursive: true });
  const take = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./usr/bin/promtool ./usr/bin/prometheus';
  if (download.status !== 0 || file === undefined || !run('sh', '-c', take, 'sh', join(directory, file), kept))
    console.warn("missing: promtool (Debian package prometheus), so the tests of Prometheus' rules can't run here");
  rmSync(directory, { recursive: true, force: true });
}

installPackages();
installTools();
fetchPrometheus();
