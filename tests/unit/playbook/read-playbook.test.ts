import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { insteadOf } from '../../../src/playbook/ansible-words.js';
import { moduleNames } from '../../../src/playbook/modules.js';
import { importSchema, playSchema, taskWords } from '../../../src/playbook/playbook-schema.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('playbook');
});

async function put(name: string, text: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, text);
  return file;
}

/** What is wrong, without the directory of the test. */
async function problems(text: string): Promise<readonly string[]> {
  const file = await put('p.yaml', text);
  const error: unknown = await readPlaybook(file).catch((reason: unknown) => reason);
  return error instanceof Error ? error.message.replaceAll(`${directory}/`, '').split('\n') : [];
}

/** What is said of a word of a play that is near none. */
function unknown(place: string): unknown {
  return expect.stringMatching(
    new RegExp(`^p\\.yaml:${place}: is not known here; known: name, hosts, .*, import_playbook$`),
  );
}

/** Of plays, roles, blocks and tasks: "Playbook Keywords" of Ansible's documentation, ansible-core 2.14 to 2.19. */
const KEYWORDS = [
  'action always any_errors_fatal args async become become_exe become_flags become_method become_user block changed_when',
  'check_mode collections connection debugger delay delegate_facts delegate_to diff environment fact_path failed_when',
  'force_handlers gather_facts gather_subset gather_timeout handlers hosts ignore_errors ignore_unreachable local_action loop',
  'loop_control max_fail_percentage module_defaults name no_log notify order poll port post_tasks pre_tasks register',
  'remote_user rescue retries roles run_once serial strategy tags tasks throttle timeout until validate_argspec vars',
  'vars_files vars_prompt when with_items',
].flatMap((line) => line.split(' '));

describe('a playbook', () => {
  test("in Ansible's words is read, imports in their places", async () => {
    await put('other.yaml', '- name: second\n  hosts: [a, "!b"]\n');
    const file = await put(
      'p.yaml',
      [
        '- name: first',
        '  hosts: etcd',
        '  become: true',
        '  gather_facts: false',
        '  serial: 1',
        '  order: leader-last',
        '  gates: { before: etcd-healthy, after: [a, b] }',
        '  roles: [etcd, { role: haproxy, when: x }]',
        '  tasks:',
        '    - name: a file',
        '      ansible.builtin.copy: { dest: /x, content: y }',
        '- import_playbook: other.yaml',
        '- name: third',
        '  hosts: all',
      ].join('\n'),
    );
    const { plays } = await readPlaybook(file);
    expect(plays.map(({ play }) => play.name)).toEqual(['first', 'second', 'third']);
    expect(plays[0]?.play).toMatchObject({ gates: { before: ['etcd-healthy'], after: ['a', 'b'] } });
    expect(plays[1]?.play.hosts).toBe('a:!b');
  });

  test('may say of a value what type it is, and name it twice', async () => {
    const file = await put('p.yaml', '- name: !!str 1\n  hosts: &h a\n- hosts: *h\n');
    expect((await readPlaybook(file)).plays.map(({ play }) => [play.name, play.hosts])).toEqual([
      ['1', 'a'],
      [undefined, 'a'],
    ]);
  });

  test('what an import is on condition of, each of its plays is, beside what it says itself', async () => {
    await put('other.yaml', '- hosts: a\n- hosts: b\n  when: [x, y]\n');
    const file = await put('p.yaml', '- import_playbook: other.yaml\n  when: z is defined\n- hosts: c\n');
    const { plays } = await readPlaybook(file);
    expect(plays.map(({ play }) => play.when)).toEqual([['z is defined'], ['z is defined', 'x', 'y'], undefined]);
  });

  test('with wrong words in tasks says once which ones a task has, and not for those of a play', async () => {
    const hintOf = async (text: string): Promise<unknown> =>
      readPlaybook(await put('p.yaml', text)).catch((reason: unknown) => reason);
    const tasks = '    - { group: { name: x }, register: y }\n    - { debug: { msg: x } }\n';
    expect(await hintOf(`- hosts: a\n  tasks:\n${tasks}`)).toMatchObject({
      problems: [{ subject: 'register' }, { subject: 'debug' }],
      hint: expect.stringMatching(
        /^a task has one module: apt, .*; and these keywords: name, when, vars, become, args, loop, loop_control, with_items, with_list, with_dict$/,
      ),
    });
    expect(await hintOf('- hosts: a\n  seriall: 1\n')).toMatchObject({ problems: [{}], hint: undefined });
  });

  test.each<[string, string, readonly unknown[]]>([
    ['an unknown word', '- hosts: a\n  seriall: 1\n', ['p.yaml:2:3: seriall: is not known here; did you mean serial?']],
    ['a wrong type', '- hosts: a\n  serial: many\n', [expect.stringContaining('p.yaml:2:11: serial: ')]],
    ['no hosts', '- name: x\n', [expect.stringMatching(/^p\.yaml:1:3: hosts: expected a host pattern/)]],
    [
      'an unknown module',
      '- hosts: a\n  tasks:\n    - copyy: { dest: /x }\n',
      ['p.yaml:3:7: copyy: is neither a module nor a keyword of a task; did you mean copy?'],
    ],
    [
      'a keyword with a slip',
      '- hosts: a\n  tasks:\n    - command: { cmd: x }\n      whenn: y\n',
      ['p.yaml:4:7: whenn: is neither a module nor a keyword of a task; did you mean when?'],
    ],
    [
      'a word that this tool leaves out',
      '- hosts: a\n  tasks:\n    - command: { cmd: x }\n      register: y\n',
      [
        'p.yaml:4:7: register: is not supported: a plan is decided before anything runs, so no task may depend on what another one did',
      ],
    ],
    [
      'a word that is near nothing',
      '- hosts: a\n  tasks:\n    - command: { cmd: x }\n      zzzzzzzz: y\n',
      ['p.yaml:4:7: zzzzzzzz: is neither a module nor a keyword of a task'],
    ],
    [
      'two modules',
      '- hosts: a\n  tasks:\n    - { copy: {}, apt: {} }\n',
      ['p.yaml:3:7: task: names 2 modules; one was expected'],
    ],
    ['no module', '- hosts: a\n  tasks:\n    - name: nothing\n', ['p.yaml:3:7: task: names no module']],
    ['no list', '# nothing\n\n  hosts: a\n', [expect.stringMatching(/^p\.yaml:3:3: .*expected a list of plays$/)]],
    [
      'several words that are none, in several tasks',
      '- hosts: a\n  tasks:\n    - { group: { name: x }, aa: 1, bb: 2 }\n    - { cc: 1 }\n',
      [/:3:29: aa: /, /:3:36: bb: /, /:4:9: cc: /].map((each) => expect.stringMatching(each)),
    ],
    [
      'an import that is misspelt',
      '- import_playbok: other.yaml\n',
      [
        expect.stringMatching(/hosts: expected a host pattern/),
        'p.yaml:1:3: import_playbok: is not known here; did you mean import_playbook?',
      ],
    ],
    [
      'an import that says more',
      '- import_playbook: other.yaml\n  vars: {}\n',
      ['p.yaml:2:3: vars: is not known here; known: import_playbook, name, when'],
    ],
    ['two unknown words of one play', '- hosts: a\n  xx: 1\n  yy: 1\n', [unknown('2:3: xx'), unknown('3:3: yy')]],
    ['a word twice', '- hosts: a\n  hosts: b\n', [expect.stringMatching(/^p\.yaml:2:3: hosts: .*/)]],
    ['broken YAML', '- hosts: "a\n', [expect.stringMatching(/^p\.yaml:\d+:\d+: YAML syntax: /)]],
    ['several at once', '- hosts: a\n  xx: 1\n- hosts: b\n  yy: 1\n', [unknown('2:3: xx'), unknown('4:3: yy')]],
  ])('with %s is refused, with the place', async (_, text, expected) => {
    expect(await problems(text)).toEqual(expected);
  });

  test.each([
    ...'register until retries block changed_when failed_when set_fact'
      .split(' ')
      .map((word) => [word, 'a plan is decided before anything runs, so no task may depend on what another one did']),
    ...'notify listen meta'
      .split(' ')
      .map((word) => [word, 'there are no handlers: `systemd` with `state: restarted`']),
    ['with_subelements', 'write `loop`, with a list or a template that gives one'],
    ['with_sequence', 'write `loop: "{{ range(1, 4) }}"`'],
    ['ignore_errors', 'a host that fails is rolled back'],
    ['ansible.builtin.raw', 'use `shell`, with `creates` or `removes`'],
    ['lineinfile', 'write the whole file'],
    ['include_tasks', 'only whole plays are imported'],
  ])('with %s of Ansible in a task says what is done here: %s', async (word, way) => {
    const text = `- hosts: a\n  tasks:\n    - { group: { name: x }, ${word}: y }\n`;
    const [only = '', ...others] = await problems(text);
    expect(others).toEqual([]);
    expect(only).toContain(`p.yaml:3:29: ${word}: is not supported: ${way}`);
  });

  test.each([
    ['handlers', 'there are no handlers'],
    ['pre_tasks', 'put them into `tasks`'],
    ['vars_files', 'group_vars/ and host_vars/'],
    ['remote_user', 'set it in the inventory'],
    ['strategy', 'a host that fails is rolled back'],
    ['tags', '--playbook'],
  ])('with %s of Ansible in a play says what is done here', async (word, way) => {
    const [only = '', ...others] = await problems(`- hosts: a\n  ${word}: []\n`);
    expect([only, others]).toEqual([expect.stringContaining(`p.yaml:2:3: ${word}: is not supported: `), []]);
    expect(only).toContain(way);
  });

  test.each([
    ['a plan is decided before', 'register until retries delay block rescue always changed_when failed_when set_fact'],
    ['there are no handlers', 'handlers notify listen force_handlers meta'],
    ['write `loop`', 'with_fileglob with_subelements'],
    ['put them into `tasks`', 'pre_tasks post_tasks'],
    ['variables are in `vars`', 'vars_files vars_prompt include_vars'],
    ['set it in the inventory', 'remote_user connection port become_user become_method become_flags become_exe'],
    ['a task changes the hosts of its play', 'local_action delegate_to delegate_facts'],
    ['each command has a time', 'timeout'],
    ['a plan shows each change', 'debugger'],
    ['hosts are asked for what', 'gather_subset gather_timeout fact_path setup'],
    ['the variables of a role', 'validate_argspec validate_argument_spec'],
    ['write the module and its', 'action'],
    [
      'a host that fails',
      'strategy any_errors_fatal max_fail_percentage ignore_errors ignore_unreachable run_once throttle async poll no_log check_mode diff',
    ],
    ['choose a part with --playbook', 'tags'],
    ['write variables of the env', 'environment'],
    ['only whole plays', 'import_tasks include_tasks import_role include_role include collections module_defaults'],
    ['use `shell`', 'raw script'],
    ['a task only changes', 'debug assert fail pause wait_for uri stat'],
    ['write the whole file', 'lineinfile blockinfile replace ini_file'],
    ['packages are installed by `apt`', 'package yum dnf apt_repository apt_key'],
  ])('says "%s" of each of these words of Ansible: %s', (way, words) => {
    const said = words.split(' ').map((word) => [insteadOf(word), insteadOf(`ansible.builtin.${word}`)]);
    const expected = expect.stringContaining(`is not supported: ${way}`) as unknown;
    expect(said).toEqual(said.map(() => [expected, expected]));
  });

  const here: readonly string[] = [
    ...[...taskWords, ...Object.keys(playSchema.shape), ...Object.keys(importSchema.shape), ...moduleNames()],
  ];

  test('of Ansible no word is refused that there is here', () => {
    expect(here.filter((word) => insteadOf(word) !== undefined)).toEqual([]);
  });

  test('of each keyword of Ansible that there is not it says what to do', () => {
    expect(KEYWORDS.filter((word) => !here.includes(word) && insteadOf(word) === undefined)).toEqual([]);
    expect(insteadOf('no_keyword')).toBeUndefined();
  });

  test('that imports itself, by way of another one too, is refused', async () => {
    expect(await problems('- import_playbook: p.yaml\n')).toEqual(['p.yaml imports p.yaml, which imports it again']);
    await put('other.yaml', '- hosts: a\n- import_playbook: ./p.yaml\n');
    const error: unknown = await readPlaybook(await put('p.yaml', '- import_playbook: other.yaml\n')).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'import-circle',
      message: `${directory}/other.yaml imports ./p.yaml, which imports it again`,
    });
  });

  test('that is not there is refused', async () => {
    await expect(readPlaybook(join(directory, 'none.yaml'))).rejects.toMatchObject({
      code: 'playbook-unreadable',
      cause: { code: 'ENOENT' },
      hint: expect.stringContaining('the path of a file'),
    });
  });
});
