import { chmodSync, existsSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { NewVariables } from '../../../src/adopt/decide-variables.js';
import { editVariableFiles, writeVariableFiles } from '../../../src/adopt/variable-files.js';
import { ProvisionError } from '../../../src/model/errors.js';
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

describe('what can not be added to is refused with all that a person needs', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** What is said, with the directory as `DIR`, or as it is from there. */
  async function refusal(
    files: Readonly<Record<string, string>>,
    variables: NewVariables,
    from: 'elsewhere' | 'there' = 'elsewhere',
  ): Promise<readonly unknown[]> {
    const directory = writeFiles({ hosts: 'a', ...files });
    if (from === 'there') jest.spyOn(process, 'cwd').mockReturnValue(directory);
    const error: unknown = await editVariableFiles(directory, variables).catch((reason: unknown) => reason);
    if (!(error instanceof ProvisionError)) throw new Error('it was not refused');
    return [error.code, error.message.replaceAll(directory, 'DIR'), error.hint?.replaceAll(directory, 'DIR')];
  }

  test.each([
    ['group_vars/etcd.json', '{}', 'it is JSON', 'write it as YAML: group_vars/etcd.yaml'],
    [
      'group_vars/etcd.yml',
      '$ANSIBLE_VAULT;1.1;AES256\n6162\n',
      'it is encrypted as a whole',
      'move it into a directory, where a file beside it can be added: group_vars/etcd/vault.yaml',
    ],
    [
      'group_vars/etcd',
      '{x: 1}\n',
      'its variables are not one per line',
      'make FILE a list of lines such as NAME: VALUE',
    ],
    ['group_vars/etcd', '- a\n', 'its variables are not one per line', 'make FILE a list of lines such as NAME: VALUE'],
  ])('%s: %j', async (file, text, reason, hint) => {
    for (const [from, shown] of [
      ['elsewhere', `DIR/${file}`],
      ['there', file],
    ] as const) {
      const [code, message, next] = await refusal({ [file]: text }, SHARED, from);
      expect([code, next]).toEqual(['variables-file', hint.replace('FILE', shown)]);
      const told = String(message).split(': no variable can be added: ');
      expect(told).toEqual([shown, reason]);
    }
  });

  test.each(['.hidden', '..', 'a/b', 'a\u0007b', 'x'.repeat(202)])(
    'a host of the name %j, which is no name of a file',
    async (host) => {
      expect(await refusal({}, { shared: [], hosts: new Map([[host, [UNIT]]]) })).toEqual([
        'variables-file',
        `host_vars/${JSON.stringify(host)}: no variable can be added: is not a valid file name`,
        'rename the host in the inventory',
      ]);
    },
  );

  test('a name that is as long as it may be is one', async () => {
    const directory = writeFiles({ hosts: 'a' });
    expect(await write(directory, { shared: [], hosts: new Map([['x'.repeat(201), [UNIT]]]) })).toEqual([
      `host_vars/${'x'.repeat(201)}.yaml`,
    ]);
  });

  test('what can not be read says which file', async () => {
    const directory = writeFiles({ hosts: 'a', 'group_vars/etcd/adopted.yaml/x': '' });
    await expect(editVariableFiles(directory, SHARED)).rejects.toMatchObject({
      code: 'unreadable',
      message: `${directory}/group_vars/etcd/adopted.yaml cannot be read: illegal operation on a directory (EISDIR)`,
    });
  });

  test('what can not be written says why, where to look, and leaves nothing', async () => {
    const directory = writeFiles({ hosts: 'a', 'group_vars/all.yml': '' });
    const edits = await editVariableFiles(directory, BOTH);
    writeFileSync(`${directory}/host_vars`, 'in the way');
    const error: unknown = await writeVariableFiles(edits).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'unreadable',
      message: `${directory}/host_vars/a.yaml cannot be read: not a directory (ENOTDIR)`,
    });
    expect(readdirSync(`${directory}/group_vars`)).toEqual(['all.yml']);
  });
});
