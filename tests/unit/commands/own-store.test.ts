import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ownStore } from '../../../src/commands/own-store.js';
import { freeStore } from '../../../src/commands/refuse-shared-store.js';
import type { BalancerAnswers, InventoryAnswers, NamedHost } from '../../../src/wizard/inventory-answers.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory('own-store');
});

const hosts = (...addresses: readonly string[]): readonly NamedHost[] =>
  addresses.map((address, index) => ({ name: `etcd-${index + 1}`, address }));

const behind = (ip: string | undefined): BalancerAnswers => ({
  ...{ ip, way: 'haproxy', name: 'etcd.example.com', port: 2379 },
  ...{ network: undefined, routerId: undefined, hosts: undefined },
});

const ANSWERS: InventoryAnswers = {
  ...{ members: hosts('10.1.0.1', '10.1.0.2', '10.1.0.3'), leaving: [], controlPlanes: [], repoint: undefined },
  ...{ balancer: behind('10.1.0.100'), apiserverIp: undefined, apiserverRouterId: undefined, extras: [] },
  ...{ sshUser: 'root', privateKeyFile: undefined, next: 'plan' },
};

/** Another inventory of the directory. */
function beside(name: string, addresses: readonly string[], variables = ''): void {
  const lines = addresses.map((address, index) => `        m${index + 1}: { ansible_host: ${address} }\n`);
  writeFileSync(
    join(directory, name),
    `all:\n  vars: { x: y${variables} }\n  children:\n    etcd:\n      hosts:\n${lines.join('')}`,
  );
}

const storeOf = async (answers: Partial<InventoryAnswers> = {}, file = 'staging.yaml'): Promise<string | undefined> =>
  ownStore(join(directory, file), { ...ANSWERS, ...answers }, { env: {} });

describe('a new inventory', () => {
  test('names no store where it is alone', async () => {
    expect(await storeOf()).toBeUndefined();
  });

  test('names one of its own beside another cluster, whether that names the usual one itself or not', async () => {
    beside('production.yaml', ['10.2.0.1', '10.2.0.2']);
    expect(await storeOf()).toBe('pki-staging');
    expect(await storeOf({ balancer: undefined })).toBe('pki-staging');
    expect(await storeOf({ balancer: behind(undefined) })).toBe('pki-staging');
    beside('production.yaml', ['10.2.0.1', '10.2.0.2'], ', etcd_pki_store: pki');
    expect(await storeOf()).toBe('pki-staging');
  });

  test('names none where the other one has another, or variables of both name one', async () => {
    beside('production.yaml', ['10.2.0.1'], ', etcd_pki_store: pki-production');
    expect(await storeOf()).toBeUndefined();
    beside('production.yaml', ['10.2.0.1']);
    mkdirSync(join(directory, 'group_vars'));
    writeFileSync(join(directory, 'group_vars', 'all.yaml'), 'etcd_pki_store: pki\n');
    expect(await storeOf()).toBeUndefined();
  });

  test.each<[string, readonly string[], string, Partial<InventoryAnswers>]>([
    ['the last member', ['10.2.0.1', '10.1.0.3'], '', {}],
    ['a member that leaves', ['10.2.0.1', '10.1.0.9'], '', { leaving: hosts('10.1.0.8', '10.1.0.9') }],
    ['the virtual IP', ['10.2.0.1'], ', etcd_lb_ip: 10.1.0.100', {}],
    ['an address, written in another way', ['fd00:0::1'], '', { members: hosts('fd00::1') }],
  ])('is of the same cluster with %s in common', async (_, addresses, variables, answers) => {
    beside('production.yaml', addresses, variables);
    expect(await storeOf(answers)).toBeUndefined();
  });

  test('names one that is free: no other cluster has it, and it is not there', async () => {
    beside('production.yaml', ['10.2.0.1']);
    beside('third.yaml', ['10.3.0.1'], ', etcd_pki_store: pki-staging');
    mkdirSync(join(directory, 'pki-staging-2'));
    expect(await storeOf()).toBe('pki-staging-3');
  });
});

test('a free name counts on from the number that a name has', () => {
  const others = ['pki-2', 'pki-3'].map((name) => ({ store: join(directory, name) }));
  expect(freeStore(directory, 'pki-2', others)).toBe('pki-4');
  expect(freeStore(directory, 'pki-2', [])).toBe('pki-2');
  expect(freeStore(directory, 'pki-2026-a', [{ store: join(directory, 'pki-2026-a') }])).toBe('pki-2026-a-2');
});
