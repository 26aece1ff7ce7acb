import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { render } from '@inquirer/testing';
import { Command } from 'commander';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import type { Context } from '../../../src/commands/context.js';
import { describeCluster } from '../../../src/cluster/describe-cluster.js';
import { defineInitCommand } from '../../../src/commands/init.js';
import type { HostLook } from '../../../src/wizard/host-look.js';
import type { NamedHost } from '../../../src/wizard/inventory-answers.js';
import type { Terminal } from '../../../src/wizard/terminal.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { verbContext } from '../../support/verb-context.js';

let directory: string;
let file: string;
let answers: string;
let printed: string;
/** What was run of what the end offers. */
let verbs: string[];

beforeEach(() => {
  directory = temporaryDirectory('provision-init-');
  file = join(directory, 'inventory.yaml');
  answers = join(directory, 'answers.yaml');
  printed = '';
  verbs = [];
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function edges(): Context {
  const out = new PassThrough();
  out.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  return verbContext(out, [], {});
}

function nobodyAnswers({ name }: NamedHost): readonly [string, HostLook] {
  return [
    name,
    { kind: 'failed', code: 'unreachable', message: `${name}: no route`, hint: undefined, fingerprint: undefined },
  ];
}

async function init(context: Context, ...options: readonly string[]): Promise<void> {
  const program = new Command();
  defineInitCommand(program.command('init'), context, {
    runVerb: async (argv) => void verbs.push(argv.join(' ')),
    hostLooks: async () => ({
      lookAtHosts: async ({ hosts }) => new Map(hosts.map(nobodyAnswers)),
      lookAtNetwork: async () => ({ free: [], listened: [], usedIds: [] }),
    }),
  });
  await program.parseAsync(['init', file, ...options], { from: 'user' });
}

/** `init` on a terminal, and a person before it. */
async function onTerminal(...options: readonly string[]) {
  const person = await render((_: object, given) => {
    const { input, output } = given as Terminal;
    output.end = () => output;
    Object.assign(input, { isTTY: true });
    Object.assign(output, { isTTY: true });
    const context = edges();
    return init(
      { ...context, stdin: input as never, streams: { ...context.streams, stderr: output as never } },
      ...options,
    );
  }, {});
  async function does(seen: string, typed: string | { readonly name: string; readonly ctrl: boolean }): Promise<void> {
    while (!person.getScreen().includes(seen)) await person.nextRender();
    if (typeof typed === 'string') {
      if (typed !== '') person.events.type(typed);
      person.events.keypress('enter');
    } else person.events.keypress({ ...typed, shift: false });
  }
  return { answer: person.answer, does };
}

const COMPLETE = `hosts: ['etcd-[1:3]=10.0.0.[1:3]', cp-1=10.0.0.11]
user: ops
virtualIp: 10.0.0.100
network: 10.0.0.0/24
`;

describe('init for scripts', () => {
  test('takes answers and defaults, and writes an inventory that loads', async () => {
    writeFileSync(answers, COMPLETE);
    await init(edges(), '--answers', answers, '--defaults');
    const inventory = await loadInventory(file, { provided: PROVIDED_VARIABLES });
    expect(Object.fromEntries(inventory.groups)).toMatchObject({
      etcd: ['etcd-1', 'etcd-2', 'etcd-3'],
      kube_control_plane: ['cp-1'],
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(printed).toContain(`provision plan ${file}`);
  });

  test('what --save-answers wrote gives the same inventory again', async () => {
    writeFileSync(answers, COMPLETE);
    const saved = join(directory, 'saved.yaml');
    await init(edges(), '--answers', answers, '--defaults', '--save-answers', saved);
    const first = readFileSync(file, 'utf8');
    rmSync(file);
    // Complete: no terminal and no default is needed.
    await init(edges(), '--answers', saved);
    expect(readFileSync(file, 'utf8')).toBe(first);
    expect(statSync(saved).mode & 0o777).toBe(0o600);
  });

  test('an authority that is to be imported comes before the plan', async () => {
    writeFileSync(answers, `${COMPLETE}authority: imported\n`);
    await init(edges(), '--answers', answers, '--defaults');
    const store = join(directory, 'pki');
    expect(printed).toContain(
      `where an external CA signs):\n  provision ca import ${store} --certificate FILE --key FILE\nSee what would be done:\n  provision plan ${file}\n`,
    );
  });

  test.each([
    ['another cluster has the usual one', '10.9.0', 'pki-inventory'],
    ['it is another state of this cluster', '10.0.0', 'pki'],
  ])('names a store of its own where an inventory is beside it and %s', async (_, network, store) => {
    const hosts = `        etcd-1: { ansible_host: ${network}.1 }\n`;
    const vars = `  vars: { etcd_lb_ip: ${network}.100 }\n`;
    writeFileSync(join(directory, 'other.yaml'), `all:\n${vars}  children:\n    etcd:\n      hosts:\n${hosts}`);
    writeFileSync(answers, `${COMPLETE}authority: imported\n`);
    await init(edges(), '--answers', answers, '--defaults');
    const inventory = await loadInventory(file, { provided: PROVIDED_VARIABLES });
    expect(describeCluster(inventory).certificates.store).toBe(join(directory, store));
    expect(readFileSync(file, 'utf8').includes('etcd_pki_store')).toBe(store !== 'pki');
    expect(printed).toContain(`provision ca import ${join(directory, store)} --certificate`);
  });

  test('a stacked etcd moves with a playbook of its own, after it was described', async () => {
    writeFileSync(answers, `start: stacked\n${COMPLETE}`);
    await init(edges(), '--answers', answers, '--defaults');
    const { groups } = await loadInventory(file, { provided: PROVIDED_VARIABLES });
    expect(Object.fromEntries(groups)).toMatchObject({
      ...{ etcd: ['etcd-1', 'etcd-2', 'etcd-3'], etcd_former: ['cp-1'], kube_control_plane: ['cp-1'] },
    });
    const plan = `provision plan ${file} --playbook unstack`;
    expect(printed).toContain(`is brought in:\n  provision adopt ${file}\nSee what would be done:\n  ${plan}\n`);
  });

  test('without a terminal, and without answers, there is one clear line', async () => {
    await expect(init(edges())).rejects.toMatchObject({
      code: 'no-terminal',
      message: 'there is no terminal to ask on',
      hint: 'give the answers in a file: provision init FILE --answers ANSWERS --defaults',
    });
  });

  test('a question that nothing answers is named', async () => {
    await expect(init(edges(), '--defaults')).rejects.toMatchObject({
      code: 'answer-missing',
      message: expect.stringMatching(/^there is no answer to hosts \(.*\): it has no default$/),
    });
    writeFileSync(answers, COMPLETE);
    await expect(init(edges(), '--answers', answers)).rejects.toMatchObject({
      code: 'answer-missing',
      message: expect.stringMatching(/^there is no answer to privateKey .* there is no terminal to ask on$/),
      hint: expect.stringContaining('--defaults'),
    });
  });

  test.each([
    ['port: 2379', 'port: 0', '5:7: port: 0 is not a port; expected a number from 1 to 65535'],
    ['', 'routerId: 0', '5:11: routerId: 0 is not a virtual router id; expected a number from 1 to 255'],
    ['', 'balancers: [etcd-9]', '5:12: balancers: etcd-9 is not one of etcd-1, etcd-2, etcd-3, cp-1'],
    ['', 'balancer: squid', '5:11: balancer: "squid" is not a word of this question; expected one of haproxy, nginx'],
    ['', 'repoint: never', '5:10: repoint: "never" is not a word of this question; expected one of apply, later'],
    ['', 'stacked: move', '5:10: stacked: is not asked where the other answers are what they are'],
    ['', 'extras: [moon]', '5:10: extras: "moon" is not a word of this question; expected one of firewall, snapshots'],
    ['', 'apiserverIp: 10.0.0.100', '5:14: apiserverIp: 10.0.0.100 is the address of etcd'],
    [
      '',
      'apiserverIp: 10.0.1.100',
      '5:14: apiserverIp: 10.0.1.100 and 10.0.0.100 would have the same virtual router id',
    ],
    ['', 'from: hosts.ini', '5:7: from: is not asked where the other answers are what they are'],
    ['', 'balancer: none', '3:12: virtualIp: is not asked where the other answers are what they are'],
    ['', 'dnsName: a..b', '5:10: dnsName: "a..b" is not a DNS name'],
    ['', 'privateKey: /none/id.pub', '5:13: privateKey: /none/id.pub is the public key'],
  ])('a wrong answer is refused with its place: %s%s', async (_, line, problem) => {
    writeFileSync(answers, `${COMPLETE}${line}\n`);
    await expect(init(edges(), '--answers', answers, '--defaults')).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining(`${answers}:${problem}`),
    });
    expect(existsSync(file)).toBe(false);
  });

  test('an inventory that is there is not replaced', async () => {
    writeFileSync(answers, COMPLETE);
    writeFileSync(file, 'mine');
    await expect(init(edges(), '--answers', answers, '--defaults')).rejects.toMatchObject({ code: 'declined' });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});

describe('init on a terminal', () => {
  const CTRL_C = { name: 'c', ctrl: true };

  test('after Ctrl-C the answers are kept for their owner alone, offered, and removed once the inventory is written', async () => {
    const first = await onTerminal();
    await first.does('What do you have?', '');
    await first.does('Hosts, as', 'etcd-[1:3]=10.0.0.[1:3]');
    await first.does('User to log in', 'ops');
    await first.does('Private key', CTRL_C);
    await expect(first.answer).rejects.toMatchObject({
      code: 'cancelled',
      hint: expect.stringContaining('are kept in'),
    });
    const draft = join(directory, '.provision', 'inventory.yaml.draft');
    expect([statSync(draft).mode & 0o777, readdirSync(directory)]).toEqual([0o600, ['.provision']]);

    const second = await onTerminal();
    await second.does('3 answers of an earlier run are kept', '');
    await second.does('Private key', '');
    await second.does('3 hosts failed. Try again?', 'n');
    for (const question of [
      'Hosts that run etcd',
      'Control planes',
      'What do clients',
      'Hosts that run HAProxy',
      'Virtual IP',
      'What else',
      'Who signs',
    ])
      await second.does(question, '');
    for (const question of ['Write this to', 'Plan it now?']) await second.does(question, '');
    await second.does('Go on to apply?', 'n');
    await second.answer;
    expect(verbs).toEqual([`plan ${file}`]);
    expect(readFileSync(file, 'utf8')).toMatch(/ansible_user: ops[^]*etcd-3/);
    expect(existsSync(draft)).toBe(false);
  });

  test('the inventory to start from is not the file that is written, nor the directory that it would be part of', async () => {
    writeFileSync(file, 'etcd: { hosts: { a: { ansible_host: 10.0.0.1 } } }');
    for (const from of [file, directory]) {
      const person = await onTerminal();
      const down = { name: 'down', ctrl: false };
      for (const seen of [
        'What do you have?',
        '❯ a running etcd',
        '❯ a running Kubernetes with',
        '❯ a running Kubernetes of',
      ])
        await person.does(seen, down);
      await person.does('❯ an Ansible or kubespray', '');
      await person.does('That inventory', from);
      await person.does('would be written over it', CTRL_C);
      await expect(person.answer).rejects.toMatchObject({ code: 'cancelled' });
      rmSync(join(directory, '.provision'), { recursive: true });
    }
    expect(readFileSync(file, 'utf8')).toContain('10.0.0.1');
  });

  test('where an etcd runs, describing it is offered before the plan', async () => {
    const person = await onTerminal();
    await person.does('What do you have?', { name: 'down', ctrl: false });
    await person.does('❯ a running etcd', '');
    await person.does('Hosts, as', 'a=10.0.0.1');
    await person.does('User to log in', '');
    await person.does('Private key', '');
    await person.does('1 host failed. Try again?', 'n');
    for (const question of [
      'Hosts that run etcd',
      'Control planes',
      'What do clients',
      'Hosts that run HAProxy',
      'Virtual IP',
      'What else',
      'Write this to',
      'An etcd runs already',
    ])
      await person.does(question, '');
    await person.does('Plan it now?', 'n');
    await person.answer;
    expect(verbs).toEqual([`adopt ${file}`]);
    expect(printed).toContain(`first:\n  provision adopt ${file}\nSee what would be done:\n  provision plan ${file}\n`);
  });

  test('where a stacked etcd is to move, that playbook is planned, and nothing applied', async () => {
    writeFileSync(answers, `start: stacked\n${COMPLETE}privateKey: ''\nbalancer: haproxy\nextras: []\n`);
    const person = await onTerminal('--answers', answers);
    await person.does('4 hosts failed. Try again?', 'n');
    const questions = ['Control planes with', 'Hosts that etcd moves to', 'Hosts that run HAProxy', 'VRRP router id'];
    for (const question of [
      ...questions,
      'DNS name',
      'Port of',
      'Write this to',
      'An etcd runs already',
      'Plan it now?',
    ])
      await person.does(question, '');
    await person.answer;
    expect(verbs).toEqual([`adopt ${file}`, `plan ${file} --playbook unstack`]);
  });

  test('an inventory that is there gives the answers, through a file of answers too', async () => {
    const before = join(directory, 'hosts.ini');
    writeFileSync(
      before,
      '[etcd]\na ansible_host=10.0.0.1 ansible_port=2222\n[kube-master]\nb ansible_host=10.0.0.2\n',
    );
    writeFileSync(answers, `start: inventory\nfrom: ${before}\nbalancer: none\n`);
    await init(edges(), '--answers', answers, '--defaults');
    const { groups, hosts } = await loadInventory(file, { provided: PROVIDED_VARIABLES });
    expect(Object.fromEntries(groups)).toMatchObject({ etcd: ['a'], kube_control_plane: ['b'] });
    expect(hosts.get('a')?.connection).toMatchObject({ address: '10.0.0.1', port: 2222 });
    writeFileSync(answers, `start: somehow\n`);
    await expect(init(edges(), '--answers', answers, '--defaults')).rejects.toMatchObject({
      message: expect.stringContaining('1:8: start: "somehow" is not a way to start; expected one of bare, etcd'),
    });
  });

  test('a draft that is declined begins anew; one that cannot be read is none', async () => {
    const first = await onTerminal();
    await first.does('What do you have?', '');
    await first.does('Hosts, as', 'a=10.0.0.1');
    await first.does('User to log in', CTRL_C);
    await expect(first.answer).rejects.toMatchObject({ code: 'cancelled' });
    const second = await onTerminal();
    await second.does('2 answers of an earlier run are kept', 'n');
    await second.does('What do you have?', '');
    await second.does('Hosts, as', CTRL_C);
    await expect(second.answer).rejects.toMatchObject({ code: 'cancelled' });
    writeFileSync(join(directory, '.provision', 'inventory.yaml.draft'), 'hosts: [');
    const third = await onTerminal();
    await third.does('What do you have?', '');
    await third.does('Hosts, as', CTRL_C);
    await expect(third.answer).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('questions that --answers has are not asked, and the inventory is shown before it replaces another', async () => {
    const rest = `privateKey: ''\nrouterId: 100\ndnsName: ''\nport: 2379\nbalancer: haproxy\nbalancers: [etcd-1]\n`;
    writeFileSync(answers, `${COMPLETE}${rest}repoint: apply\napiserverIp: none\nextras: []\nauthority: new\n`);
    writeFileSync(file, 'mine');
    const declining = await onTerminal('--answers', answers);
    await declining.does('4 hosts failed. Try again?', 'n');
    await declining.does('Hosts that run etcd', '');
    await declining.does('Control planes', '');
    await declining.does('Replace', 'n');
    await expect(declining.answer).rejects.toMatchObject({ code: 'declined' });
    expect([readFileSync(file, 'utf8'), printed.includes('etcd_lb_ip: 10.0.0.100')]).toEqual(['mine', true]);

    const agreeing = await onTerminal('--answers', answers);
    await agreeing.does('of an earlier run are kept', '');
    await agreeing.does('4 hosts failed. Try again?', 'n');
    // Escape goes back from there, too.
    await agreeing.does('Replace', { name: 'escape', ctrl: false });
    await agreeing.does('Control planes', '');
    await agreeing.does('Replace', '');
    await agreeing.does('Plan it now?', 'n');
    await agreeing.answer;
    expect(readFileSync(file, 'utf8')).toContain('etcd_lb_ip: 10.0.0.100');
  });
});
