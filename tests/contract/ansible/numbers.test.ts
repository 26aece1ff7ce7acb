// A number is the same number in a template, in JSON, in YAML and in a file, here and in the real Ansible, wherever it was
// set: an inventory as YAML or INI, a file of variables, a play.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import type { Inventory } from '../../../src/model/inventory.js';
import { buildPlays } from '../../../src/playbook/build-plays.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { hasAnsible, renderWithAnsible } from '../../support/real-ansible.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { writeFiles } from '../../support/write-inventory.js';

if (!hasAnsible) console.warn('skipped: comparing numbers with the real Ansible: no ansible-core here');

/** As they are written; YAML 1.1 as PyYAML has it, and Python's literals for INI. */
const NUMBERS = [
  ...['0', '-0', '7', '-7', '+7', '1_000', '017', '0o17', '0x1f', '0b101', '1:30', '08'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993', '12345678901234567890'],
  ...['18446744073709551615', '18446744073709551616', '-9223372036854775809', '123456789012345678901234567890'],
  ...['3.0', '-3.0', '1.10', '1.', '.5', '-0.0', '0.1', '1e3', '1e+3', '1.0e+3', '1.5e-7', '0.0001', '0.00001'],
  ...['1.0e+15', '1.0e+16', '123456789012345680.0', '1.0e+22', '1.0e+300', '.inf', '-.inf', '2.5', '100.0'],
];

const NAMES = NUMBERS.map((_, index) => `n${index}`);

/** minijinja computes with infinity, but does not tell of it; and its `~` writes no exponents. */
const COMPUTED = NAMES.filter((_, index) => !NUMBERS[index]?.includes('inf'));
const JOINED = COMPUTED.filter((_, index) => !/e|0\.00001|\d{18}\.0/.test(NUMBERS[index] ?? ''));

const filesOf = (lines: (name: string, number: string) => string): string =>
  NUMBERS.map((number, index) => lines(`n${index}`, number)).join('');

const all = `[${COMPUTED.join(', ')}]`;
const mapping = `{${COMPUTED.map((name) => `"${name}": ${name}`).join(', ')}}`;

const WAYS_IN: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  [
    'an inventory in YAML',
    { hosts: `all:\n  hosts:\n    a:\n      zone: x\n${filesOf((name, number) => `      ${name}: ${number}\n`)}` },
  ],
  ['an inventory in INI', { hosts: `[g]\na zone=x ${filesOf((name, number) => `${name}=${number} `)}\n` }],
  [
    'group variables in INI',
    { hosts: `[g]\na\n[g:vars]\nzone=x\n${filesOf((name, number) => `${name}=${number}\n`)}` },
  ],
  [
    'a file of variables',
    { hosts: 'a\n', 'host_vars/a.yml': `zone: x\n${filesOf((name, number) => `${name}: ${number}\n`)}` },
  ],
];

const TEMPLATES = [
  ...NAMES.flatMap((name) => [`{{ ${name} }}`, `{{ ${name} | string }}`, `{{ ${name} | to_json }}`]),
  ...COMPUTED.map((name) => `{% set x = ${name} %}{{ x }} {{ [x, {"k": x}] }}`),
  ...COMPUTED.map((name) => `{{ [${name}] | to_json }}{{ {"k": ${name}} | to_nice_json }}{{ [${name}] | tojson }}`),
  ...COMPUTED.map((name) => `{% if ${name} is number %}{{ ${name} + 1 }}{% endif %}`),
  ...JOINED.map((name) => `{{ "<" ~ ${name} ~ ">" }}`),
  `{{ ${all} }}`,
  `{% for x in ${all} %}{{ x }} {{ x | string }},{% endfor %}`,
  `{{ ${mapping} | dict2items | length }}`,
];

async function load(files: Readonly<Record<string, string>>): Promise<readonly [string, Inventory]> {
  const path = join(writeFiles(files), 'hosts');
  return [path, await loadInventory(path)];
}

function rendered(inventory: Inventory, template: string): string {
  try {
    return inventory.render('a', template).reveal();
  } catch (error) {
    return String(error);
  }
}

(hasAnsible ? describe : describe.skip)('numbers', () => {
  test.each(WAYS_IN)(
    'of %s',
    async (_, files) => {
      const [path, inventory] = await load(files);
      const ours = TEMPLATES.map((template) => [template, rendered(inventory, template)]);
      const theirs = renderWithAnsible(path, 'a', TEMPLATES).map((text, index) => [TEMPLATES[index], text]);
      expect(ours).toEqual(theirs);
    },
    120_000,
  );

  test('of a play and of a task: the file that ansible-playbook writes is the file that is planned', async () => {
    const [path, inventory] = await load({ hosts: 'a ansible_connection=local\n' });
    const [ofPlay, ofTask] = [NUMBERS.slice(0, 25), NUMBERS.slice(25)];
    const variables = (numbers: readonly string[], first: number, indent: string): string =>
      numbers.map((number, index) => `${indent}n${first + index}: ${number}\n`).join('');
    const template = NAMES.map((name) => `${name} {{ ${name} }} {{ ${name} | to_json }}\\n`).join('');
    const playbook = join(dirname(path), 'play.yml');
    const written = join(dirname(path), 'written');
    const text =
      `- hosts: all\n  gather_facts: false\n  vars:\n${variables(ofPlay, 0, '    ')}` +
      `  tasks:\n    - copy: { dest: ${written}, content: "${template}" }\n      vars:\n${variables(ofTask, 25, '        ')}`;
    writeFileSync(playbook, text);
    const environment = { PATH: '/usr/bin:/bin', HOME: dirname(path), LC_ALL: 'C.UTF-8' };
    execFileSync('/usr/bin/ansible-playbook', ['-i', path, playbook], { env: environment, cwd: dirname(path) });
    const [play] = buildPlays({
      playbook: await readPlaybook(playbook),
      inventory,
      limit: undefined,
      roleSource: { roles: new Map(), cluster: SAMPLE_CLUSTER, describe: () => SAMPLE_CLUSTER },
      gates: new Map(),
      orders: new Map([['inventory', true]]),
    });
    const probe = fakeProbe({ 'file-states': { [written]: { kind: 'absent' } } });
    const planned = await play?.resources.get('a')?.[0]?.plan(probe);
    const [action] = planned?.kind === 'change' ? planned.change.actions : [];
    const content = action?.kind === 'write-file' ? action.content.reveal() : '';
    expect(content.split('\n')).toEqual(readFileSync(written, 'utf8').split('\n'));
  }, 120_000);
});
