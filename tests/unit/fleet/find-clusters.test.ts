import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { findClusters } from '../../../src/fleet/find-clusters.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('clusters');
});

function add(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), '');
  }
}

async function found(): Promise<readonly string[]> {
  const clusters = await findClusters(directory);
  return clusters.map(({ name, inventory }) => `${name}: ${inventory.slice(directory.length + 1)}`);
}

describe('the clusters of a directory', () => {
  test('are its files, and the inventories of directories below it, by name', async () => {
    add(
      'lab.yaml',
      'old.ini',
      'b.yml',
      'prod/inventory.yaml',
      'eu/west/hosts.ini',
      'eu/east/hosts',
      'kubespray/inventory.ini',
    );
    expect(await found()).toEqual([
      'b: b.yml',
      'eu/east: eu/east/hosts',
      'eu/west: eu/west/hosts.ini',
      'kubespray: kubespray/inventory.ini',
      'lab: lab.yaml',
      'old: old.ini',
      'prod: prod/inventory.yaml',
    ]);
  });

  test('are in the order of their names, whatever that of their files is', async () => {
    add('eu.yaml', 'eu-2.yaml', 'eu-1.yaml', 'eu/y/hosts', 'eu/x/inventory.yaml', 'a.ini', 'a-b/c/hosts', 'a-b.yml');
    const names = (await findClusters(directory)).map(({ name }) => name);
    expect(names).toEqual(['a', 'a-b', 'a-b/c', 'eu', 'eu-1', 'eu-2', 'eu/x', 'eu/y']);
  });

  test('are not what lies beside inventories', async () => {
    add('one.yaml.bak', 'prod/hosts.yaml.bak', 'prod/hosts2', 'prod/old-inventory.yaml', 'prod/inventory.yaml~');
    add('one.yaml', 'README.md', 'ansible.cfg', '.hidden.yaml', '.git/hosts', 'prod/site.yaml', 'prod/inventory.yaml');
    for (const place of ['group_vars', 'host_vars', 'playbooks', 'roles', 'templates', 'files', 'tasks', 'pki'])
      add(`${place}/hosts.yaml`, `prod/${place}/inventory.yaml`);
    mkdirSync(join(directory, 'two.yaml'));
    symlinkSync('..', join(directory, 'prod/loop'));
    expect(await found()).toEqual(['one: one.yaml', 'prod: prod/inventory.yaml']);
  });

  test('may be one alone, named after the directory', async () => {
    add('inventory.yaml');
    expect(await found()).toEqual([`${basename(directory)}: inventory.yaml`]);
  });

  test('have a name each', async () => {
    add('prod/hosts.yaml', 'prod/inventory.ini', 'other.yaml');
    await expect(findClusters(directory)).rejects.toMatchObject({
      code: 'fleet-ambiguous',
      message: expect.stringMatching(/prod\/hosts\.yaml \(prod\), \S+prod\/inventory\.ini \(prod\)$/) as unknown,
    });
    add('twin.yaml', 'twin.ini');
    await expect(findClusters(directory)).rejects.toThrow(
      /twin\.ini \(twin\), \S*twin\.yaml \(twin\)|twin\.yaml \(twin\), \S*twin\.ini \(twin\)/,
    );
  });

  test('must be there', async () => {
    await expect(findClusters(directory)).rejects.toMatchObject({ code: 'fleet-empty' });
    const [none, file] = [join(directory, 'none'), join(directory, 'file')];
    const hint = 'give the directory that has the inventories of the fleet';
    await expect(findClusters(none)).rejects.toMatchObject({
      code: 'file-unreadable',
      message: `${none} can't be read as a directory of inventories: no such file or directory (ENOENT)`,
      hint,
      cause: expect.objectContaining({ code: 'ENOENT' }) as unknown,
    });
    add('file');
    await expect(findClusters(file)).rejects.toMatchObject({
      code: 'file-unreadable',
      message: `${file} can't be read as a directory of inventories: not a directory (ENOTDIR)`,
      hint: `${hint}; for this cluster alone: provision plan ${file}`,
    });
  });
});
