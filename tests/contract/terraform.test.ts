import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { createProgram } from '../../src/commands/program.js';
import { CLOUDS, type Cloud } from '../../src/terraform/balancer-targets.js';
import { hclText } from '../../src/terraform/hcl-text.js';
import { moduleFiles } from '../../src/terraform/module-files.js';
import { misformatted } from '../support/hcl-format.js';
import { parseHcl } from '../support/parse-hcl.mjs';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { verbContext } from '../support/verb-context.js';
import { writeFiles } from '../support/write-inventory.js';

jest.setTimeout(120_000);

const INVENTORY = `[etcd]
etcd-1 ip=10.0.1.10
etcd-2 ip=10.0.1.11
a-member-with-a-longer-name ip=10.0.1.12
[kube_control_plane]
cp-1 ip=10.0.1.20
[all:vars]
etcd_cluster_token="\${var.stolen}%{if}-token"
`;

const NAMES = ['README.md', 'inventory.tf', 'main.tf', 'outputs.tf', 'variables.tf', 'versions.tf'];

/** Runs the verb in this process. @returns what it printed */
async function write(inventory: string, cloud: Cloud, directory: string): Promise<string> {
  const out = new PassThrough();
  const words = ['terraform', inventory, '--cloud', cloud, '-o', directory];
  const program = (await createProgram(verbContext(out, words, {}))).exitOverride();
  await program.parseAsync(words, { from: 'user' });
  out.end();
  return textOf(out);
}

function inventoryFile(text = INVENTORY): string {
  return join(writeFiles({ 'hosts.ini': text }), 'hosts.ini');
}

async function written(cloud: Cloud, text?: string): Promise<{ readonly directory: string; readonly out: string }> {
  const directory = join(temporaryDirectory('terraform'), 'module');
  return { directory, out: await write(inventoryFile(text), cloud, directory) };
}

function filesOf(directory: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}

const hclOf = (directory: string): readonly (readonly [string, string])[] =>
  [...filesOf(directory)].filter(([name]) => name.endsWith('.tf'));

describe.each(CLOUDS)('a module for %s', (cloud) => {
  test('is complete, and Terraform’s parser reads it', async () => {
    const { directory } = await written(cloud);
    expect([...filesOf(directory).keys()].sort()).toEqual(NAMES);
    const parsed = await Promise.all(hclOf(directory).map(async ([name, text]) => parseHcl(name, text)));
    const resources = parsed.flatMap(({ resource }) => Object.keys(resource ?? {}));
    expect(resources).toEqual(expect.arrayContaining([...RESOURCES[cloud]]));
  });

  test('has the values of the inventory, as they are', async () => {
    const { directory } = await written(cloud);
    const { locals } = await parseHcl('inventory.tf', readFileSync(join(directory, 'inventory.tf'), 'utf8'));
    expect(locals).toEqual([
      {
        // In the JSON of Terraform a text is a template.
        cluster: '$${var.stolen}%%{if}-token',
        port: 2379,
        members: {
          'etcd-1': { address: '10.0.1.10', port: 2379 },
          'etcd-2': { address: '10.0.1.11', port: 2379 },
          'a-member-with-a-longer-name': { address: '10.0.1.12', port: 2379 },
        },
        control_planes: { 'cp-1': '10.0.1.20' },
      },
    ]);
  });

  test('uses each variable that it declares, and declares each that it uses', async () => {
    const { directory } = await written(cloud);
    const all = hclOf(directory)
      .map(([, text]) => text)
      .join('\n');
    const named = (pattern: RegExp): readonly string[] =>
      [...new Set([...all.matchAll(pattern)].map(([, name = '']) => name))].sort();
    const code = all.replaceAll(/#.*/g, '');
    const locals = [...code.matchAll(/^locals \{\n([\s\S]*?)^\}/gm)].flatMap(([, block = '']) => [
      ...block.matchAll(/^ {2}(\w+) *=/gm),
    ]);
    expect(named(/(?<!\$)\bvar\.(\w+)/g).filter((name) => name !== 'stolen')).toEqual(named(/^variable "(\w+)"/gm));
    expect(named(/\blocal\.(\w+)/g)).toEqual([...new Set(locals.map(([, name = '']) => name))].sort());
    const made = new Set([...all.matchAll(/^resource "(\w+)" "(\w+)"/gm)].map(([, type, name]) => `${type}.${name}`));
    const used = [...code.matchAll(/\b((?:aws|google|azurerm)_\w+\.\w+)[.[]/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !made.has(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(3);
  });

  test('is formatted as terraform fmt does', async () => {
    const { directory } = await written(cloud);
    for (const [name, text] of hclOf(directory)) expect([name, misformatted(text)]).toEqual([name, []]);
    // Where this machine has it, it says the same.
    const real = spawnSync('terraform', ['fmt', '-check', '-list=true', directory], { encoding: 'utf8' });
    expect(real.error === undefined ? real.stdout : '').toBe('');
  });

  test('is the same each time, and says so', async () => {
    const { directory } = await written(cloud);
    const before = filesOf(directory);
    const inventory = inventoryFile();
    await write(inventory, cloud, directory);
    const out = await write(inventory, cloud, directory);
    expect(out.match(/^unchanged /gm)).toHaveLength(NAMES.length);
    for (const name of NAMES.filter((each) => each !== 'README.md'))
      expect(filesOf(directory).get(name)).toBe(before.get(name));
  });

  test('tells in its README how its output goes into the inventory, with commands that can be typed', async () => {
    const { directory } = await written(cloud);
    const readme = readFileSync(join(directory, 'README.md'), 'utf8');
    expect(readme).toContain('etcd_lb_provider: external');
    expect(readme).toContain(`terraform -chdir=${directory} apply`);
    expect(readme).not.toMatch(/INVENTORY|DIRECTORY/);
    const outputs = [...readFileSync(join(directory, 'outputs.tf'), 'utf8').matchAll(/^output "(etcd_lb_\w+)"/gm)];
    for (const [, name = ''] of outputs) expect(readme).toContain(`the output ${name}`);
  });
});

/** Without one of these a load balancer does not work. */
const RESOURCES: Readonly<Record<Cloud, readonly string[]>> = {
  aws: [
    'aws_lb',
    'aws_lb_listener',
    'aws_lb_target_group',
    'aws_lb_target_group_attachment',
    'aws_security_group',
    'aws_vpc_security_group_ingress_rule',
    'aws_vpc_security_group_egress_rule',
  ],
  gcp: [
    'google_compute_address',
    'google_compute_forwarding_rule',
    'google_compute_region_backend_service',
    'google_compute_region_health_check',
    'google_compute_network_endpoint',
    'google_compute_firewall',
  ],
  azure: [
    'azurerm_lb',
    'azurerm_lb_rule',
    'azurerm_lb_probe',
    'azurerm_lb_backend_address_pool_address',
    'azurerm_network_security_rule',
  ],
};

describe('any text of an inventory', () => {
  /** A text in the JSON of Terraform, whose texts are templates. */
  function inJson(text: string): string {
    return text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
  }

  test('is in HCL just that text', async () => {
    const nasty = fc.constantFrom(
      '${',
      '%{',
      '$${',
      '$$${',
      '%%{',
      '"',
      '\\',
      '\n',
      '\r\n',
      '\0',
      '}',
      '#',
      '\u2028',
      '$',
      '%',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(nasty, fc.string())).map((parts) => parts.join('')),
    );
    const all = fc.sample(text, { numRuns: 400, seed: 7 });
    const source = all.map((each, index) => `t${index} = ${hclText(each)}\n`).join('');
    const parsed = await parseHcl('texts.tf', `locals {\n${source}}\n`);
    const [locals] = parsed['locals'] as readonly Readonly<Record<string, unknown>>[];
    all.forEach((each, index) => {
      // Terraform's texts are in Unicode's composed form (NFC), whatever was written.
      expect(String(locals?.[`t${index}`]).normalize('NFC')).toBe(inJson(each).normalize('NFC'));
    });
  });

  test('a text that is written as it is would be found', async () => {
    const parsed = await parseHcl('texts.tf', 'locals {\n  t = "${var.stolen}"\n}\n');
    expect(parsed['locals']).toEqual([{ t: '${var.stolen}' }]);
    await expect(parseHcl('texts.tf', 'locals {\n  t = "a"b"\n}\n')).rejects.toThrow();
  });
});

test('a file that is not formatted is found', () => {
  expect(misformatted('a = {\n  b = 1\n  long = 2\n}\n')).toEqual(['  long = 2']);
  expect(misformatted('a {\n b = 1\n}\n')).toEqual([' b = 1']);
  expect(misformatted('a = 1 \n\n\nb = 2\n')).toEqual(['a = 1 ', '']);
});

describe('files that are there', () => {
  test('of others are left alone, and nothing is written', async () => {
    const directory = temporaryDirectory('terraform');
    writeFileSync(join(directory, 'main.tf'), '# mine\n');
    mkdirSync(join(directory, 'outputs.tf'));
    await expect(write(inventoryFile(), 'aws', directory)).rejects.toMatchObject({
      code: 'module-in-the-way',
      message: expect.stringMatching(/main\.tf, .*outputs\.tf: not written by this program/) as unknown,
    });
    expect(readdirSync(directory).sort()).toEqual(['main.tf', 'outputs.tf']);
    expect(readFileSync(join(directory, 'main.tf'), 'utf8')).toBe('# mine\n');
  });

  test('of ours are replaced, and that is said; what stands beside them stays', async () => {
    const { directory } = await written('aws');
    writeFileSync(join(directory, 'terraform.tfvars'), 'vpc_id = "vpc-1"\n');
    const out = await write(inventoryFile(INVENTORY.replace('10.0.1.12', '10.0.1.13')), 'aws', directory);
    expect(out).toMatch(/^replaced +\S+inventory\.tf$/m);
    expect(out).toMatch(/^unchanged +\S+main\.tf$/m);
    expect(existsSync(join(directory, 'terraform.tfvars'))).toBe(true);
    expect(readFileSync(join(directory, 'inventory.tf'), 'utf8')).toContain('10.0.1.13');
  });

  test('in a copy without the first line are somebody’s own', async () => {
    const { directory } = await written('gcp');
    const copy = join(temporaryDirectory('terraform'), 'copy');
    cpSync(directory, copy, { recursive: true });
    const main = join(copy, 'main.tf');
    writeFileSync(main, readFileSync(main, 'utf8').replace(/^.*\n/, ''));
    await expect(write(inventoryFile(), 'gcp', copy)).rejects.toMatchObject({ code: 'module-in-the-way' });
  });
});

describe('an inventory that a cloud’s load balancer can’t serve is refused, with the variable', () => {
  test.each<readonly [string, Cloud, string, RegExp]>([
    ['IPv6', 'aws', INVENTORY.replace('10.0.1.10', '2001:db8::1'), /etcd-1 has the address 2001:db8::1: .* IPv4 only/],
    [
      'another port on Google',
      'gcp',
      `${INVENTORY}etcd_lb_port=12379\netcd_lb_ip=10.0.1.100\n`,
      /keeps the port: etcd_lb_port is 12379/,
    ],
    [
      'several ports on Azure',
      'azure',
      INVENTORY.replace('etcd-1 ', 'etcd-1 etcd_client_port=2389 '),
      /one port for all targets/,
    ],
  ])('%s', async (_, cloud, text, message) => {
    await expect(written(cloud, text)).rejects.toMatchObject({
      code: 'cloud-unfit',
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('several ports are no matter on AWS', async () => {
    const { directory } = await written('aws', INVENTORY.replace('etcd-1 ', 'etcd-1 etcd_client_port=2389 '));
    expect(readFileSync(join(directory, 'inventory.tf'), 'utf8')).toContain('address = "10.0.1.10", port = 2389');
  });

  test('what can’t work there is said', async () => {
    const stacked = INVENTORY.replace('[all:vars]', 'etcd-1\n[all:vars]');
    expect((await written('azure', stacked)).out).toContain('etcd-1: a member and a control plane');
    const none = INVENTORY.replace('[kube_control_plane]\ncp-1 ip=10.0.1.20\n', '');
    expect((await written('aws', none)).out).toContain('set client_cidrs');
  });
});

test('no value of a path becomes another word of the README', () => {
  const words = { inventory: 'DIRECTORY', directory: '$&' };
  const template = (name: string): string => (name === 'README.md' ? 'INVENTORY DIRECTORY' : '');
  const targets = { cluster: 'x', port: 1, members: [], controlPlanes: [] };
  expect(moduleFiles({ cloud: 'aws', targets, template, words })[0]?.text).toBe('DIRECTORY $&');
});
