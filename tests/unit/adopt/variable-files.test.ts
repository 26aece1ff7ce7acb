import { chmodSync, existsSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { NewVariables } from '../../../src/adopt/decide-variables.js';
import { editVariableFiles, writeVariableFiles } from '../../../src/adopt/variable-files.js';
import { writeFiles } from '../../support/write-inventory.js';

const UNIT = { name: 'etcd_unit', value: 'etcd3', found: ['systemd unit'] } as const;
const LINES = '# systemd unit\netcd_unit: etcd3\n';
const BOTH: NewVariables = { shared: [UNIT], hosts: new Map([['a', [UNIT]]]) };
const SHARED: NewVariables = { shared: [UNIT], hosts: new Map() };

async function write(directory: string, variables: NewVariables): Promise<readonly string[]> {
  const edits = await editVariableFiles(directory, variables);
  await writeVariableFiles(edits);
  return edits.map(({ path }) => path.slice(directory.length + 1));
}

describe('variables land beside the inventory', () => {
  test('in new files', async () => {
    const directory = writeFiles({ hosts: 'a' });
    expect(await write(directory, BOTH)).toEqual(['group_vars/etcd.yaml', 'host_vars/a.yaml']);
    expect(readFileSync(`${directory}/group_vars/etcd.yaml`, 'utf8')).toBe(`---\n${LINES}`);
    expect(readdirSync(`${directory}/host_vars`)).toEqual(['a.yaml']);
  });

  test.each([
    ['group_vars/etcd.yml', 'group_vars/etcd.yml'],
    ['group_vars/etcd', 'group_vars/etcd'],
    ['group_vars/etcd/main.yml', 'group_vars/etcd/adopted.yaml'],
    ['group_vars/etcd/adopted.yaml', 'group_vars/etcd/adopted.yaml'],
  ])('where %s is, in %s', async (there, expected) => {
    const directory = writeFiles({ hosts: 'a', [there]: '# ours\nx: 1\n' });
    expect(await write(directory, SHARED)).toEqual([expected]);
    expect(readFileSync(`${directory}/${there}`, 'utf8')).toMatch(/^# ours\nx: 1\n/);
  });

  test('with the mode of the file, through a link to it', async () => {
    const directory = writeFiles({ hosts: 'a', 'ours.yml': 'x: 1\n', 'group_vars/all.yml': '' });
    chmodSync(`${directory}/ours.yml`, 0o600);
    symlinkSync('../ours.yml', `${directory}/group_vars/etcd.yml`);
    expect(await write(directory, SHARED)).toEqual(['ours.yml']);
    expect(statSync(`${directory}/ours.yml`).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${directory}/group_vars/etcd.yml`, 'utf8')).toBe(`x: 1\n\n${LINES}`);
  });
});

describe('nothing is written', () => {
  test.each([
    ['encrypted as a whole', { 'group_vars/etcd.yml': '$ANSIBLE_VAULT;1.1;AES256\n6162\n' }, 'encrypted as a whole'],
    ['JSON', { 'group_vars/etcd.json': '{}' }, 'it is JSON'],
    ['in braces', { 'group_vars/etcd.yml': '{x: 1}\n' }, 'one per line'],
  ])('into a file that is %s', async (_, files, message) => {
    await expect(editVariableFiles(writeFiles({ hosts: 'a', ...files }), BOTH)).rejects.toThrow(message);
  });

  test('when a file was changed while the question was asked', async () => {
    const directory = writeFiles({ hosts: 'a', 'host_vars/a.yml': 'x: 1\n' });
    const edits = await editVariableFiles(directory, BOTH);
    writeFileSync(`${directory}/host_vars/a.yml`, 'x: 2\n');
    await expect(writeVariableFiles(edits)).rejects.toThrow('was changed meanwhile');
    expect(existsSync(`${directory}/group_vars/etcd.yaml`)).toBe(false);
    expect(readFileSync(`${directory}/host_vars/a.yml`, 'utf8')).toBe('x: 2\n');
  });

  test('when one of the places cannot be written: not even the others', async () => {
    const directory = writeFiles({ hosts: 'a', host_vars: 'a file in the way' });
    await expect(write(directory, BOTH)).rejects.toThrow(/host_vars\/a\.yaml cannot be (written|read)/);
    expect(readdirSync(directory).includes('group_vars') ? readdirSync(`${directory}/group_vars`) : []).toEqual([]);
  });
});
