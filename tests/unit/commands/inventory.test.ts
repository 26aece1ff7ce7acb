import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { defineInventoryCommand } from '../../../src/commands/inventory.js';
import { textOutput } from '../../../src/report/text-output.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

async function run(
  ...args: string[]
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exit: number[] }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const exit: number[] = [];
  const program = new Command();
  defineInventoryCommand(program.command('inventory'), {
    stdout: textOutput(stdout),
    stderr: textOutput(stderr),
    env: {},
    exit: (code) => void exit.push(code),
  });
  await program.parseAsync(['inventory', ...args], { from: 'user' });
  stdout.end();
  stderr.end();
  return { stdout: await text(stdout), stderr: await text(stderr), exit };
}

describe('provision inventory', () => {
  test('prints the hosts that the pattern names, as JSON', async () => {
    const { stdout, exit } = await run('inventory/small/hosts.yaml', '--limit', 'etcd:!etcd-2');
    const printed = JSON.parse(stdout) as { readonly _meta: { readonly hostvars: object }; readonly etcd: object };
    expect(Object.keys(printed._meta.hostvars)).toEqual(['etcd-1', 'etcd-3']);
    expect(printed.etcd).toEqual({ hosts: ['etcd-1', 'etcd-3'] });
    expect(exit).toEqual([0]);
  });

  test('prints a tree as YAML', async () => {
    const { stdout } = await run('inventory/small/hosts.yaml', '--format', 'yaml');
    expect(parse(stdout, { version: '1.1' })).toHaveProperty(
      'all.children.etcd.hosts.etcd-1.ansible_host',
      '192.0.2.11',
    );
  });

  test('warnings go to stderr', async () => {
    const { stdout, stderr } = await run('fixtures/bad-inventories/duplicate-keys.yml');
    expect(stderr).toContain('duplicate-keys.yml:4:5: warning: x: is set twice');
    expect(stdout).not.toContain('warning');
  });

  // In one place for all verbs: what `plan` warns of.
  test.each([
    ['etcd_lbs:\n  hosts: { b: { ansible_host: 10.0.0.2 } }\n', 'group etcd_lbs: this program knows no such group'],
    ['all:\n  hosts: { lone: { ansible_host: 10.0.0.3 } }\n', 'lone: 1 host in no group: no play of this program'],
    ['kube_control_plan: { hosts: { a: } }\n', 'did you mean kube_control_plane?'],
  ])('a group that looks like a slip, and a host that no play touches, are warned of: %j', async (more, said) => {
    const file = join(temporaryDirectory('inventory'), 'inventory.yaml');
    writeFileSync(file, `etcd: { hosts: { a: { ansible_host: 10.0.0.1 } } }\n${more}`);
    const { stderr, exit } = await run(file);
    expect(stderr).toContain(said);
    expect(exit).toEqual([0]);
  });

  test('an inventory of other tools is printed all the same', async () => {
    const file = join(temporaryDirectory('inventory'), 'inventory.yaml');
    writeFileSync(file, 'web: { hosts: { a: { ansible_host: "{{ nothing }}" } } }\n');
    const { stdout, stderr, exit } = await run(file, '--format', 'yaml');
    expect([parse(stdout), stderr, exit]).toMatchObject([{ all: { children: { web: {} } } }, '', [0]]);
  });

  test('a wrong pattern is refused', async () => {
    await expect(run('inventory/small/hosts.yaml', '--limit', 'etdc')).rejects.toThrow('did you mean etcd?');
  });
});
