import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  claimDirectory,
  releaseDirectory,
  renderInventory,
  renderKnownHosts,
  renderSshConfig,
} from '../../../src/lab/directory.js';
import type { Lab } from '../../../src/lab/state.js';
import { chooseNetwork, layOutHosts } from '../../../src/lab/topology.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

function labWith(counts: Partial<Record<'etcd' | 'lb' | 'controlPlanes' | 'hosts', number>>): Lab {
  const network = chooseNetwork([]);
  const hosts = [...layOutHosts({ etcd: 0, lb: 0, controlPlanes: 0, workers: 0, hosts: 0, ...counts }, network)];
  return { name: 'dev', directory: '/tmp/lab-dev', release: 'bookworm', kubernetes: 'stand-in', network, hosts };
}

describe('renderInventory', () => {
  test('names the groups that have hosts, and how to reach them', () => {
    expect(parse(renderInventory(labWith({ etcd: 1, controlPlanes: 1 }), 'root'))).toEqual({
      all: {
        vars: {
          ansible_user: 'root',
          ansible_ssh_private_key_file: '/tmp/lab-dev/id_ed25519',
          ansible_ssh_common_args: '-o UserKnownHostsFile=/tmp/lab-dev/known_hosts',
          etcd_lb_ip: '203.0.113.100',
          etcd_lb_host: 'etcd.dev.example',
        },
        children: {
          etcd: { hosts: { 'etcd-1': { ansible_host: '203.0.113.11' } } },
          kube_control_plane: { hosts: { 'cp-1': { ansible_host: '203.0.113.61' } } },
        },
      },
    });
  });

  test('dedicated load balancers are the group etcd_lb, plain hosts are in none', () => {
    const { all } = parse(renderInventory(labWith({ lb: 1, hosts: 1 }), 'root')) as {
      all: { children: Record<string, unknown> };
    };
    expect(Object.keys(all.children)).toEqual(['etcd_lb', 'ungrouped']);
  });

  test('ops becomes root with a password, deploy without', () => {
    const varsOf = (user: 'ops' | 'deploy'): unknown =>
      (parse(renderInventory(labWith({ etcd: 1 }), user)) as { all: { vars: unknown } }).all.vars;
    expect(varsOf('ops')).toMatchObject({
      ansible_user: 'ops',
      ansible_become: true,
      ansible_become_password: 'ops-sudo-password',
    });
    expect(varsOf('deploy')).toMatchObject({ ansible_user: 'deploy', ansible_become: true });
    expect(varsOf('deploy')).not.toHaveProperty('ansible_become_password');
  });
});

test('the ssh configuration reaches hosts by name, and trusts only the lab’s own keys', () => {
  const text = renderSshConfig(labWith({ etcd: 2 }));
  expect(text).toContain('Host etcd-2\n  HostName 203.0.113.12\n');
  expect(text).toContain('  StrictHostKeyChecking yes\n');
  expect(text).toContain('  UserKnownHostsFile /tmp/lab-dev/known_hosts\n');
});

test('known_hosts has each host by name and address', () => {
  const { hosts } = labWith({ etcd: 2 });
  const keys = new Map([
    ['etcd-1', 'ssh-ed25519 AAAA1'],
    ['etcd-2', 'ssh-ed25519 AAAA2'],
  ]);
  expect(renderKnownHosts(hosts, keys)).toBe(
    'etcd-1,203.0.113.11 ssh-ed25519 AAAA1\netcd-2,203.0.113.12 ssh-ed25519 AAAA2\n',
  );
});

describe('a lab’s directory', () => {
  let directory: string;

  beforeEach(async () => {
    directory = temporaryDirectory('lab-directory');
  });

  test('an empty one is taken, and goes with all that is in it', async () => {
    await claimDirectory(directory, 'dev');
    await writeFile(join(directory, 'plan.json'), '{}');
    await releaseDirectory(directory, 'dev');
    await expect(readdir(directory)).rejects.toThrow('ENOENT');
  });

  test('one that holds files is refused, and left as it is', async () => {
    await writeFile(join(directory, 'thesis.txt'), 'years of work');
    await expect(claimDirectory(directory, 'dev')).rejects.toThrow('holds files');
    await releaseDirectory(directory, 'dev');
    expect(await readFile(join(directory, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  test('another lab’s is left as it is', async () => {
    await claimDirectory(directory, 'other');
    await releaseDirectory(directory, 'dev');
    expect(await readdir(directory)).toHaveLength(1);
  });

  test('a path that ssh options cannot hold is refused', async () => {
    await expect(claimDirectory(join(directory, 'my lab'), 'dev')).rejects.toThrow('without spaces');
  });
});
