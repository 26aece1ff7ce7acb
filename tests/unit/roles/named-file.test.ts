import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { InputError } from '../../../src/model/errors.js';
import { readNamed } from '../../../src/roles/named-file.js';
import { writeFiles } from '../../support/write-inventory.js';

test('a file that a variable names and that is not there is said with the place of the variable, the path, and where it starts', async () => {
  const directory = writeFiles({
    'hosts.yaml': 'all: { children: { etcd: { hosts: { a: {} } }, kube_control_plane: { hosts: { b: {} } } } }\n',
    'group_vars/kube_control_plane.yaml': '# The network of pods.\nkube_cluster_cni_manifest: net.yaml\n',
    'net.yaml': 'kind: List\n',
  });
  const inventory = await loadInventory(join(directory, 'hosts.yaml'), {});
  const read = (name: string): string =>
    readNamed({ variable: 'kube_cluster_cni_manifest', path: join(directory, name) }, inventory, (path) =>
      readFileSync(path, 'utf8'),
    );
  expect(read('net.yaml')).toBe('kind: List\n');
  expect(() => read('none.yaml')).toThrow(InputError);
  expect(() => read('none.yaml')).toThrow(
    /group_vars\/kube_control_plane\.yaml:2:1: kube_cluster_cni_manifest: names .*\/none\.yaml, which cannot be read: no such file or directory \(ENOENT\); put it there, or correct the path: a relative one starts at the inventory's directory$/,
  );
  expect(() => read('group_vars')).toThrow('illegal operation on a directory (EISDIR)');
});
