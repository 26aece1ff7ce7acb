import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { downLab } from '../../src/lab/down.js';
import { cutNetwork, powerCut, rebootHost, restoreNetwork, startHost } from '../../src/lab/faults.js';
import { isRunning } from '../../src/lab/host.js';
import { overlayChanges, overlayDifference } from '../../src/lab/overlay.js';
import { waitUntil } from '../../src/lab/process.js';
import { labStatus } from '../../src/lab/status.js';
import { upLab } from '../../src/lab/up.js';
import {
  LAB_PATHS,
  NOTHING,
  describeOnLab,
  describeWhereLabsRun,
  leftoversOf,
  provision,
  run,
  testLabOptions,
} from '../support/lab.js';
import type { TestLab } from '../support/lab.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// Hosts boot and packages are installed on a machine that may be busy with other tests.
jest.setTimeout(120_000);

async function answers(lab: TestLab, host: string): Promise<boolean> {
  return (await lab.ssh(host, 'true')).status === 0;
}

describeOnLab('a lab', 'main', { etcd: 2, controlPlanes: 1 }, (lab) => {
  test('its hosts answer ssh as root, ops (sudo with a password) and deploy (sudo without)', async () => {
    const who = 'hostname; id -un';
    expect((await lab.ssh('etcd-1', who)).stdout).toBe('etcd-1\nroot\n');
    expect((await lab.ssh('etcd-2', who, 'ops')).stdout).toBe('etcd-2\nops\n');
    expect((await lab.ssh('etcd-2', 'sudo -n id -un', 'ops')).status).not.toBe(0);
    expect((await lab.ssh('etcd-2', 'echo ops-sudo-password | sudo -S id -un', 'ops')).stdout).toBe('root\n');
    expect((await lab.ssh('etcd-2', 'sudo -n id -un', 'deploy')).stdout).toBe('root\n');
  });

  test('status says what runs', async () => {
    const [status] = await labStatus(LAB_PATHS, lab.name);
    expect(status).toMatchObject({ name: lab.name, state: 'up', release: 'bookworm' });
    expect(status?.hosts.map(({ name, role, state }) => `${name} ${role} ${state}`)).toEqual([
      'etcd-1 etcd running',
      'etcd-2 etcd running',
      'cp-1 control-plane running',
    ]);
  });

  test('the command line runs programs on the control side and passes their status on', async () => {
    const inside = await run(
      provision('lab', 'run', '--name', lab.name, '--', 'sh', '-c', 'ip -br a show lab0; exit 7'),
    );
    expect(inside.status).toBe(7);
    expect(inside.stdout).toMatch(/^lab0 .*\.1\/24/);
    const remote = await run(provision('lab', 'ssh', '--name', lab.name, 'etcd-1', '--', 'cat', '/etc/hostname'));
    expect(remote).toMatchObject({ status: 0, stdout: 'etcd-1\n' });
  });

  test('a package is installed without a network, and its candidate is known before', async () => {
    const policy = await lab.ssh('etcd-2', 'apt-cache policy etcd-server etcd-client haproxy keepalived');
    expect(policy.stdout.match(/Candidate: \d/g)).toHaveLength(4);
    expect(await lab.ssh('etcd-2', 'apt-get install -y -qq etcd-client')).toMatchObject({ status: 0 });
    expect((await lab.ssh('etcd-2', 'etcdctl version')).stdout).toMatch(/etcdctl version: 3\.4\./);
  });

  test('hosts have no escape', async () => {
    expect((await lab.ssh('etcd-1', 'ip route show default; ip -6 route show default')).stdout).toBe('');
    expect((await lab.onControlSide(['ip', 'route', 'show', 'default'])).stdout).toBe('');
  });

  test('the overlay shows nothing while nobody writes, and every file that someone wrote or removed', async () => {
    const host = await lab.host('etcd-1');
    const before = await overlayChanges(host);
    expect((await lab.ssh('etcd-1', 'cat /etc/hosts; ls -R /etc; apt-cache policy haproxy')).status).toBe(0);
    expect(overlayDifference(before, await overlayChanges(host))).toEqual([]);
    await lab.ssh('etcd-1', 'echo planted > /etc/planted; rm /etc/issue; chmod 600 /etc/issue.net');
    const difference = overlayDifference(before, await overlayChanges(host));
    expect(difference.map(({ path, after }) => `${path} ${after?.kind ?? 'gone'}`)).toEqual([
      '/etc directory',
      '/etc/issue removed',
      '/etc/issue.net file',
      '/etc/planted file',
    ]);
  });

  test('a power cut silences a host at once; its disk keeps what was written, its network starts empty', async () => {
    const host = await lab.host('etcd-1');
    await lab.ssh(
      'etcd-1',
      'echo kept > /root/kept; ip address add 203.0.113.200/32 dev lo; sysctl -w net.ipv4.ip_nonlocal_bind=1',
    );
    expect(await answers(lab, 'etcd-1')).toBe(true);
    await powerCut(host);
    expect(await isRunning(host)).toBe(false);
    expect(await answers(lab, 'etcd-1')).toBe(false);
    await startHost(host);
    expect((await lab.ssh('etcd-1', 'cat /root/kept; cat /proc/sys/net/ipv4/ip_nonlocal_bind')).stdout).toBe(
      'kept\n0\n',
    );
    expect((await lab.ssh('etcd-1', 'ip -4 -br address show lo')).stdout).not.toContain('203.0.113.200');
  });

  test('a reboot, from outside or from inside, boots again and applies sysctl.d', async () => {
    const host = await lab.host('etcd-2');
    const bootId = async (): Promise<string> => (await lab.ssh('etcd-2', 'cat /proc/sys/kernel/random/boot_id')).stdout;
    const first = await bootId();
    await lab.ssh('etcd-2', 'echo net.ipv4.ip_nonlocal_bind=1 > /etc/sysctl.d/lab.conf');
    await rebootHost(host);
    const second = await bootId();
    expect((await lab.ssh('etcd-2', 'cat /proc/sys/net/ipv4/ip_nonlocal_bind')).stdout).toBe('1\n');
    await lab.ssh('etcd-2', 'systemctl reboot');
    const again = await waitUntil(async () => ![second, ''].includes(await bootId()), 60_000, 100);
    expect([again, new Set([first, second, await bootId()]).size]).toEqual([true, 3]);
  });

  test('a cut network is quiet until it is restored, and the host runs on', async () => {
    const host = await lab.host('etcd-2');
    expect(await answers(lab, 'etcd-2')).toBe(true);
    await cutNetwork(host);
    expect(await answers(lab, 'etcd-2')).toBe(false);
    expect(await isRunning(host)).toBe(true);
    await restoreNetwork(host);
    expect(await waitUntil(async () => answers(lab, 'etcd-2'), 30_000, 100)).toBe(true);
  });

  describe('the stand-in for the kubelet', () => {
    test('runs the real apiserver, where only the etcd certificate is missing that the product must bring', async () => {
      const journal = async (): Promise<string> => (await lab.ssh('cp-1', 'journalctl -u kubelet -o cat')).stdout;
      const message = 'open /etc/kubernetes/pki/apiserver-etcd-client.crt: no such file or directory';
      expect(await waitUntil(async () => (await journal()).includes(message), 30_000, 200)).toBe(true);
      expect(await lab.ssh('etcd-1', 'command -v python3')).toMatchObject({ status: 1 });
    });
  });
});

describeOnLab('a lab of Debian 13', 'trixie', { hosts: 1, release: 'trixie' }, (lab) => {
  test('boots, and has its own versions to install without a network', async () => {
    expect((await lab.ssh('host-1', 'cat /etc/debian_version; systemctl is-system-running')).stdout).toMatch(
      /^13\.\d+\nrunning\n$/,
    );
    expect((await lab.ssh('host-1', 'apt-cache policy etcd-server')).stdout).toMatch(/Candidate: 3\.5\./);
    expect(await lab.ssh('host-1', 'apt-get install -y -qq keepalived')).toMatchObject({ status: 0 });
  });
});

describeWhereLabsRun('what is left of a lab', () => {
  test('is nothing after down, and the search would find everything', async () => {
    const options = testLabOptions('gone', { hosts: 1 });
    await upLab(options);
    const there = await leftoversOf(options);
    expect(Object.entries(there).filter(([, found]) => (found as readonly string[]).length === 0)).toEqual([]);
    await downLab(LAB_PATHS, options.name);
    expect(await leftoversOf(options)).toEqual(NOTHING);
    expect(await downLab(LAB_PATHS, options.name)).toBe(false);
  });

  test('is nothing after kill -9 in the middle of up, and then down', async () => {
    const options = testLabOptions('killed', { hosts: 3 });
    const [program = '', ...args] = provision('lab', 'up', '--name', options.name, '--dir', options.directory);
    const up = spawn(program, [...args, '--etcd', '0', '--control-planes', '0', '--hosts', '3'], { stdio: 'ignore' });
    const exited = once(up, 'exit');
    const started = (): boolean => existsSync(join(LAB_PATHS.state, options.name, 'hosts/host-2/processes'));
    expect(await waitUntil(async () => started(), 60_000, 5)).toBe(true);
    up.kill('SIGKILL');
    await exited;
    expect((await labStatus(LAB_PATHS, options.name))[0]?.state).toBe('broken');
    expect((await leftoversOf(options)).processes).not.toEqual([]);
    await downLab(LAB_PATHS, options.name);
    expect(await leftoversOf(options)).toEqual(NOTHING);
  });

  test('of a build that was killed: no process, and down is clean', async () => {
    const options = testLabOptions('build', { hosts: 1 });
    const cache = temporaryDirectory('lab-cache');
    const [program = '', ...args] = provision('lab', 'up', '--name', options.name, '--dir', options.directory);
    const up = spawn(program, [...args, '--etcd', '0', '--control-planes', '0', '--hosts', '1'], {
      stdio: 'ignore',
      env: { ...process.env, PROVISION_LAB_CACHE: cache },
    });
    const exited = once(up, 'exit');
    const builders = async (): Promise<readonly string[]> =>
      (await run(['pgrep', '-f', `${cache}/`])).stdout.split('\n').filter((pid) => pid !== '');
    const building = async (): Promise<boolean> =>
      readdirSync(cache).some((name) => name.endsWith('.partial')) && (await builders()).length > 1;
    expect(await waitUntil(building, 60_000, 20)).toBe(true);
    up.kill('SIGKILL');
    await exited;
    expect(await waitUntil(async () => (await builders()).length === 0, 60_000, 20)).toBe(true);
    await downLab(LAB_PATHS, options.name);
    expect(await leftoversOf(options)).toEqual(NOTHING);
  });

  test('a lab that fails to come up takes itself down', async () => {
    const options = { ...testLabOptions('fails', { hosts: 1 }), directory: 'tests' };
    await expect(upLab(options)).rejects.toThrow('holds files');
    expect(await leftoversOf({ ...options, directory: '/nowhere' })).toEqual(NOTHING);
    expect(existsSync('tests/e2e')).toBe(true);
  });
});

describeWhereLabsRun('without root', () => {
  test('lab up says so, and makes nothing', async () => {
    const options = testLabOptions('nobody', { hosts: 1 });
    const asNobody = ['setpriv', '--reuid', '65534', '--clear-groups', 'env', 'HOME=/nonexistent'];
    const ended = await run([...asNobody, ...provision('lab', 'up', '--name', options.name)]);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(
      'this machine cannot run a lab; missing:\n  - root: hosts need namespaces and mounts',
    );
    expect(await leftoversOf(options)).toEqual(NOTHING);
  });
});

test.each([
  { args: ['up', '--name', 'No'], message: 'No: expected at most 20 lower-case letters' },
  { args: ['status', '--name', 'nobody-made-it'], message: 'lab nobody-made-it: not found' },
  { args: ['ssh', '--name', 'nobody-made-it', 'etcd-1'], message: 'lab nobody-made-it: not found' },
])('provision lab $args.0 says what is wrong', async ({ args, message }) => {
  const ended = await run(provision('lab', ...args));
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(message);
});
