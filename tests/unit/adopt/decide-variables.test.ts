import { describe, expect, test } from '@jest/globals';
import { decideVariables } from '../../../src/adopt/decide-variables.js';
import type { FoundVariable } from '../../../src/adopt/member-variables.js';
import { InputError } from '../../../src/model/errors.js';
import { loadFiles } from '../../support/write-inventory.js';

const INI = '[etcd]\na\nb\n';

/** What was found on the hosts a and b. */
function found(
  a: readonly FoundVariable[],
  b: readonly FoundVariable[],
): ReadonlyMap<string, readonly FoundVariable[]> {
  return new Map([
    ['a', a],
    ['b', b],
  ]);
}

function unit(value: string): FoundVariable {
  return { name: 'etcd_unit', value, fallback: 'etcd', found: 'systemd unit' };
}

const UNMANAGED: FoundVariable = { name: 'etcd_managed', value: false, fallback: undefined, found: 'existing cluster' };

function certificate(value: string): FoundVariable {
  return { name: 'etcd_cert_file', value, found: '--cert-file in /u:1' };
}

async function refusal(files: Readonly<Record<string, string>>, variables: ReturnType<typeof found>): Promise<string> {
  const inventory = await loadFiles(files);
  try {
    decideVariables(inventory, variables);
  } catch (error) {
    if (error instanceof InputError) return error.message.replaceAll(inventory.directory, '.');
    throw error;
  }
  throw new Error('it was not refused');
}

describe('variables are written', () => {
  test('for the group where all hosts have the same, else for each host', async () => {
    const variables = found([UNMANAGED, certificate('/a')], [UNMANAGED, certificate('/b')]);
    expect(decideVariables(await loadFiles({ 'hosts.ini': INI }), variables)).toEqual({
      shared: [{ name: 'etcd_managed', value: false, found: ['existing cluster'] }],
      hosts: new Map([
        ['a', [{ name: 'etcd_cert_file', value: '/a', found: ['--cert-file in /u:1 on a'] }]],
        ['b', [{ name: 'etcd_cert_file', value: '/b', found: ['--cert-file in /u:1 on b'] }]],
      ]),
    });
  });

  test('not where the default says so, nor where it is set so already', async () => {
    const inventory = await loadFiles({
      'hosts.ini': INI,
      'host_vars/b.yml': 'etcd_unit: etcd3.service\netcd_managed: no\n',
    });
    expect(decideVariables(inventory, found([unit('etcd'), UNMANAGED], [unit('etcd3'), UNMANAGED]))).toEqual({
      shared: [{ name: 'etcd_managed', value: false, found: ['existing cluster on a'] }],
      hosts: new Map(),
    });
  });

  test('for a host of its own, when the others have the default', async () => {
    const inventory = await loadFiles({ 'hosts.ini': INI });
    expect([...decideVariables(inventory, found([unit('etcd')], [unit('etcd3')])).hosts.keys()]).toEqual(['b']);
  });

  test('not for the cluster, when members differ: a kind of key', async () => {
    const type = (value: string): FoundVariable => ({
      name: 'etcd_key_type',
      value,
      fallback: 'ecdsa-p256',
      found: 'key',
    });
    const inventory = await loadFiles({ 'hosts.ini': INI });
    expect(decideVariables(inventory, found([type('rsa-2048')], [type('rsa-4096')]))).toEqual({
      shared: [],
      hosts: new Map(),
    });
  });
});

describe('nothing is written', () => {
  test('when the inventory says otherwise: all of it is reported, with its places', async () => {
    const files = {
      'hosts.ini': `${INI}\n[etcd:vars]\netcd_unit=etcd9\n`,
      'host_vars/b.yaml': '# ours\netcd_cert_file: /other.pem\n',
    };
    expect(await refusal(files, found([unit('etcd'), certificate('/a')], [unit('etcd9'), certificate('/b')]))).toBe(
      [
        './hosts.ini:6:1: etcd_unit: "etcd9", but a runs with "etcd" (systemd unit)',
        './host_vars/b.yaml:2:1: etcd_cert_file: "/other.pem", but b runs with "/b" (--cert-file in /u:1)',
      ].join('\n'),
    );
  });

  test('when what runs is nothing that a variable can hold', async () => {
    const name: FoundVariable = { name: 'etcd_member_name', value: 'a b', found: '--name in /u:1' };
    expect(await refusal({ 'hosts.ini': INI }, found([name], []))).toContain(
      'a: etcd_member_name: "a b" (--name in /u:1)',
    );
  });
});
