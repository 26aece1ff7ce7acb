// Facts about a host's system, asked of this machine with a real shell; what it need not have is a stand-in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { clock, NOW } from '../../src/facts/clock.js';
import { directoryCertificates } from '../../src/facts/directory-certificates.js';
import { fileLocks } from '../../src/facts/file-locks.js';
import { hasContent } from '../../src/facts/has-content.js';
import { httpsAnswer, httpsKey } from '../../src/facts/https-answer.js';
import { kernelModules } from '../../src/facts/kernel-modules.js';
import { kubeadmOutline } from '../../src/facts/kubeadm-outline.js';
import { NODE, nodeOutline } from '../../src/facts/node-outline.js';
import { packageState } from '../../src/facts/packages.js';
import { staticPodFiles } from '../../src/facts/static-pods.js';
import { ALL_SWAPS, swaps } from '../../src/facts/swaps.js';
import { sysctlAtBoot } from '../../src/facts/sysctl-at-boot.js';
import { askHere, type Tools } from '../support/ask-here.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory('fact-scripts');
});

test('the clock of a host is read to a part of a second', async () => {
  const before = Date.now();
  const [now = 0] = await askHere(clock, [NOW]);
  expect(now).toBeGreaterThanOrEqual(before - 1);
  expect(now).toBeLessThanOrEqual(Date.now() + 1);
});

test('a file that holds something differs from an empty one, a directory and nothing', async () => {
  const [whole = '', empty = ''] = ["it's", 'empty'].map((name) => join(directory, name));
  writeFileSync(whole, 'x');
  writeFileSync(empty, '');
  const found = await askHere(hasContent, [whole, empty, directory, join(directory, 'none')]);
  expect(found).toEqual([true, false, false, false]);
  expect(() => hasContent.parse('', [whole])).toThrow('did not come back');
});

describe('packages', () => {
  // As dpkg-query and apt-cache of Debian 12 print them; what they were asked goes to files.
  const tools = (): Tools => ({
    'dpkg-query': `echo "$*" >'${directory}/asked'
[ "$1" = -W ] || exit 2
printf 'P haproxy ii  2.6.12-1\\nP haproxy:amd64 ii  2.6.12-1\\nP keepalived rc  2.2.7-1\\nP keepalived:amd64 rc  2.2.7-1\\n'
echo 'dpkg-query: no packages found matching etcd-server' >&2; exit 1`,
    'apt-cache': `echo "$*" >'${directory}/policy'; shift
for name in "$@"; do printf '%s:\\n  Installed: (none)\\n  Candidate: 1:%s-9\\n  Version table:\\n' "$name" "$name"; done`,
  });

  test('that are there cost one question, those that are not a second one, of them alone', async () => {
    const found = await askHere(packageState, ['haproxy', 'keepalived', '--all', 'etcd-server'], { tools: tools() });
    expect(found).toEqual([
      { installed: '2.6.12-1', held: false, candidate: undefined },
      { installed: undefined, held: false, candidate: '1:keepalived-9' },
      { installed: undefined, held: false, candidate: undefined },
      { installed: undefined, held: false, candidate: '1:etcd-server-9' },
    ]);
    expect(read('policy')).toBe('policy keepalived etcd-server\n');
    expect(read('asked')).not.toContain('--all');
  });

  test('that are all there ask apt nothing, and names that are none ask nothing at all', async () => {
    await askHere(packageState, ['haproxy'], { tools: tools() });
    expect(() => statSync(join(directory, 'policy'))).toThrow();
    expect(await askHere(packageState, ['-x'], { tools: { 'dpkg-query': 'exit 7' } })).toEqual([
      { installed: undefined, held: false, candidate: undefined },
    ]);
  });
});

function read(name: string): string {
  return readFileSync(join(directory, name), 'utf8');
}

describe('certificates below a directory', () => {
  const PEM = (text: string): string => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;

  test('are read from its own files and those of its directories, and nothing else of them', async () => {
    const [pki, other] = [join(directory, 'pki'), join(directory, "o'ther")];
    mkdirSync(join(pki, 'etcd', 'deep'), { recursive: true });
    mkdirSync(other);
    writeFileSync(join(pki, 'ca.crt'), `# mine\n${PEM('AAAA')}${PEM('BBBB')}tail\n`);
    writeFileSync(join(pki, 'etcd', 'ca.crt'), PEM('CCCC'));
    writeFileSync(join(pki, 'etcd', 'deep', 'ca.crt'), PEM('DDDD'));
    writeFileSync(join(pki, 'ca.pem'), PEM('EEEE'));
    writeFileSync(join(pki, 'large.crt'), PEM('F'.repeat(600 * 1024)));
    writeFileSync(
      join(other, 'b.crt'),
      `-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n${PEM('GGGG')}`,
    );
    const found = await askHere(directoryCertificates, [pki, join(directory, 'none'), other]);
    expect(found.map((files) => [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))).toEqual([
      [
        { path: join(pki, 'ca.crt'), pem: PEM('AAAA') + PEM('BBBB') },
        { path: join(pki, 'etcd', 'ca.crt'), pem: PEM('CCCC') },
      ],
      [],
      [{ path: join(other, 'b.crt'), pem: PEM('GGGG') }],
    ]);
  });
});

describe('the lock of a file', () => {
  test('is held by who has it, and by nobody who only has the file open', async () => {
    const [held, free] = [join(directory, 'held'), join(directory, 'free')];
    for (const path of [held, free]) writeFileSync(path, '');
    const perl = join(directory, 'apt-get');
    copyFileSync('/usr/bin/perl', perl);
    // struct flock: F_WRLCK, SEEK_SET, from 0 to the end (fcntl(2)).
    const program = `use Fcntl; open(F, '+<', $ARGV[0]); open(G, '+<', $ARGV[1]); my $lock = pack('ssx4qqlx4', F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $lock) or die $!; $| = 1; print "locked\\n"; sleep 600;`;
    const holder = spawn(perl, ['-e', program, held, free], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')]);
      expect(await askHere(fileLocks, [held, join(directory, 'none'), free])).toEqual([
        `apt-get (pid ${holder.pid ?? 0})`,
        undefined,
        undefined,
      ]);
    } finally {
      holder.kill();
    }
    await once(holder, 'close');
    expect(await askHere(fileLocks, [held])).toEqual([undefined]);
  });
});

describe('a GET from a host', () => {
  const key = httpsKey({ url: 'https://10.0.0.1:2379/health' });
  const other = httpsKey({ url: 'https://10.0.0.2/x', ca: '/ca', connectTo: '10.0.0.9' });
  // Each says how it was called: as its body.
  const curl = `printf '%s\\n' "$*"; printf 204`;
  const openssl = `printf 'depth=0\\nHTTP/1.0 200 OK\\r\\nA: b\\r\\n\\r\\n%s' "$*"`;

  test('goes through curl where there is one', async () => {
    const [first, second] = await askHere(httpsAnswer, [key, other], { only: [], tools: { curl, openssl } });
    expect(first).toMatchObject({ kind: 'answer', status: 204, body: expect.stringContaining('--insecure') });
    expect(second).toMatchObject({ status: 204, body: expect.stringContaining('--connect-to ::10.0.0.9:') });
  });

  test('else through openssl, and else it fails', async () => {
    expect(await askHere(httpsAnswer, [key, other], { only: [], tools: { openssl } })).toEqual([
      { kind: 'answer', status: 200, body: 's_client -quiet -ign_eof -connect 10.0.0.1:2379' },
      {
        kind: 'answer',
        status: 200,
        body: 's_client -quiet -ign_eof -connect 10.0.0.9:443 -CAfile /ca -verify_return_error -verify_ip 10.0.0.2',
      },
    ]);
    expect(await askHere(httpsAnswer, [key], { only: [] })).toEqual([
      { kind: 'failure', reason: 'the host has neither curl nor openssl' },
    ]);
  });

  test('that fails says why, and not how long it took', async () => {
    const failing = `echo 'curl: (7) Failed to connect to 10.0.0.1 port 2379 after 3 ms: refused' >&2; printf '\\n000'; exit 7`;
    expect(await askHere(httpsAnswer, [key], { only: [], tools: { curl: failing } })).toEqual([
      { kind: 'failure', reason: 'curl: (7) Failed to connect to 10.0.0.1 port 2379: refused' },
    ]);
    expect(await askHere(httpsAnswer, [key], { only: [], tools: { curl: 'exit 6' } })).toEqual([
      { kind: 'failure', reason: 'curl ended with 6' },
    ]);
  });
});

describe('kernel modules', () => {
  const modprobe = `[ "$1 $2 $3" = '-n -q --' ] && [ "$4" = on_disk ]`;

  test('are there, could be loaded, or are missing', async () => {
    const names = ['on_disk', 'tmpfs', 'none_such', 'module_here', 'built_in', 'tmpf'];
    mkdirSync(join(directory, 'sys/module/module_here'), { recursive: true });
    mkdirSync(join(directory, 'lib/modules/6.1.0'), { recursive: true });
    writeFileSync(
      join(directory, 'lib/modules/6.1.0/modules.builtin'),
      'kernel/net/built_in.ko\nkernel/xnone_such.ko\n',
    );
    const moved = { '/sys/module': join(directory, 'sys/module'), '/lib/modules': join(directory, 'lib/modules') };
    const tools = { modprobe, uname: 'echo 6.1.0' };
    expect(await askHere(kernelModules, names, { tools, moved })).toEqual([
      'loadable',
      'there',
      'missing',
      'there',
      'there',
      'missing',
    ]);
  });

  test('of a bridge are there where the kernel shows its setting', async () => {
    const sign = join(directory, 'bridge-nf-call-iptables');
    const moved = { '/proc/sys/net/bridge/bridge-nf-call-iptables': sign, '/sys/module': directory };
    const ask = async () => askHere(kernelModules, ['br_netfilter'], { tools: { modprobe, uname: 'echo 0' }, moved });
    expect(await ask()).toEqual(['missing']);
    writeFileSync(sign, '1\n');
    expect(await ask()).toEqual(['there']);
  });
});

describe('kubeadm', () => {
  const kubeadm = `case "$*" in
'version -o short') echo v1.28.2 ;;
'config images list --kubernetes-version v1.28.2 --image-repository '*) printf '%s/etcd:3\\n%s/pause:3.9\\n' "\${7}" "\${7}" ;;
*) exit 1 ;;
esac`;

  test('has a version and the image of each repository', async () => {
    expect(await askHere(kubeadmOutline, ['registry.k8s.io', 'example.org/k8s'], { tools: { kubeadm } })).toEqual([
      { version: 'v1.28.2', sandboxImage: 'registry.k8s.io/pause:3.9' },
      { version: 'v1.28.2', sandboxImage: 'example.org/k8s/pause:3.9' },
    ]);
  });

  test('that is not there is no error', async () => {
    expect(await askHere(kubeadmOutline, ['registry.k8s.io'], { tools: { kubeadm: 'exit 127' } })).toEqual([undefined]);
  });
});

describe('a host that is to be a node', () => {
  const systemctl = `shift 4; for unit in "$@"; do state=inactive; [ "$unit" != chrony.service ] || state=active; printf 'Id=%s\\nActiveState=%s\\n\\n' "$unit" "$state"; done`;

  test.each([
    ['a container', 'exit 0', true],
    ['a machine', 'exit 1', false],
  ])('is %s', async (_, virt, isContainer) => {
    const tools = { systemctl, 'systemd-detect-virt': virt, nproc: 'echo 3', uname: 'echo Node-1' };
    const [found] = await askHere(nodeOutline, [NODE], { tools });
    expect(found).toMatchObject({ name: 'Node-1', cpus: 3, isContainer, timeServices: ['chrony'] });
    expect(found?.memoryMib).toBeGreaterThan(100);
  });
});

test('static pods are files whose names do not begin with a dot, links followed, and of large ones the name', async () => {
  const manifests = join(directory, "mani'fests");
  mkdirSync(join(manifests, 'directory'), { recursive: true });
  writeFileSync(join(manifests, '.hidden.yaml'), 'no');
  writeFileSync(join(manifests, 'a b.yaml'), 'kind: Pod\n');
  writeFileSync(join(manifests, 'whole'), 'x'.repeat(128 * 1024));
  writeFileSync(join(manifests, 'large'), 'x'.repeat(128 * 1024 + 1));
  writeFileSync(join(directory, 'elsewhere'), 'linked');
  symlinkSync(join(directory, 'elsewhere'), join(manifests, 'link'));
  const many = join(directory, 'many');
  mkdirSync(many);
  for (let at = 0; at < 101; at += 1) writeFileSync(join(many, `pod-${at}`), '');
  const [found, all, none] = await askHere(staticPodFiles, [manifests, many, join(directory, 'none')]);
  expect(found).toEqual([
    { name: 'a b.yaml', text: 'kind: Pod\n' },
    { name: 'large', text: undefined },
    { name: 'link', text: 'linked' },
    { name: 'whole', text: 'x'.repeat(128 * 1024) },
  ]);
  expect([all?.length, none]).toEqual([100, []]);
});

describe('swap', () => {
  const systemctl = `[ "$*" = "show --all -p Id,FragmentPath,SourcePath,UnitFileState -- *.swap" ] && printf 'Id=dev-sda2.swap\\nFragmentPath=/run/x\\nSourcePath=/etc/fstab\\nUnitFileState=generated\\n\\nId=b.swap\\nUnitFileState=\\n'`;

  test('is what the kernel lists, and what may turn more on', async () => {
    const listed = join(directory, 'swaps');
    const moved = { '/proc/swaps': listed };
    const none = await askHere(swaps, [ALL_SWAPS], { tools: { systemctl: 'exit 0' }, moved });
    expect(none).toEqual([{ active: [], units: [] }]);
    writeFileSync(listed, 'Filename Type\n/dev/sda2 partition 1\n/swap\\040file file 1\n');
    expect(await askHere(swaps, [ALL_SWAPS], { tools: { systemctl }, moved })).toEqual([
      {
        active: ['/dev/sda2', '/swap file'],
        units: [
          { unit: 'dev-sda2.swap', file: '/run/x', source: '/etc/fstab', state: 'generated' },
          { unit: 'b.swap', file: '', source: '', state: '' },
        ],
      },
    ]);
  });
});

test('what sets a kernel setting at boot is the last file that systemd reads; comments and none are nothing', async () => {
  const shown = `[ "$*" = 'cat-config sysctl.d' ] && cat <<'END'
# /usr/lib/sysctl.d/50-default.conf
# a comment
#net.a=9
; net.b=9
net.a=1
net/b = 2

# /etc/sysctl.d/99 provision.conf
# /etc/sysctl.d/99-provision.conf
-net.a=3
END`;
  const ask = async (tool: string) =>
    askHere(sysctlAtBoot, ['net.a', 'net.b', 'net.c'], { tools: { 'systemd-analyze': tool } });
  expect(await ask(shown)).toEqual([
    { value: '3', file: '/etc/sysctl.d/99-provision.conf' },
    { value: '2', file: '/usr/lib/sysctl.d/50-default.conf' },
    undefined,
  ]);
  expect(await ask('exit 1')).toEqual([undefined, undefined, undefined]);
});
