import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { orderTable } from '../../../src/gates/orders.js';
import { gateTable } from '../../../src/gates/table.js';
import { PROVIDED_VARIABLES } from '../../../src/cluster/derived-variables.js';
import { loadInventory } from '../../../src/ansible/load-inventory.js';
import { Secret } from '../../../src/model/secret.js';
import { buildPlays } from '../../../src/playbook/build-plays.js';
import type { RoleSource } from '../../../src/playbook/role-source.js';
import type { Play } from '../../../src/playbook/play.js';
import { readPlaybook } from '../../../src/playbook/read-playbook.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { encryptVault } from '../../support/encrypt-vault.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory('plays');
  await mkdir(join(directory, 'templates'));
  await writeFile(join(directory, 'templates/lacks.j2'), 'port {{ nope }}\n');
  const vault = encryptVault('planted-clear-text', 'vault-password').split('\n');
  const inventory = `all:\n  vars:\n    secret: !vault |\n${vault.map((line) => `      ${line}\n`).join('')}  hosts:\n    a:\n    b:\n`;
  await writeFile(join(directory, 'hosts.yaml'), inventory);
});

async function build(tasks: readonly string[], limit?: string, more: readonly string[] = []): Promise<readonly Play[]> {
  const file = join(directory, 'p.yaml');
  await writeFile(
    file,
    [
      '- name: p',
      ...(more.some((line) => line.includes('hosts:')) ? [] : ['  hosts: all']),
      '  tasks:',
      ...tasks.map((line) => `    ${line}`),
      ...more,
      '',
    ].join('\n'),
  );
  const inventory = await loadInventory(join(directory, 'hosts.yaml'), {
    provided: PROVIDED_VARIABLES,
    vaultPassword: new Secret('vault-password'),
  });
  const roleSource: RoleSource = {
    roles: new Map(),
    cluster: SAMPLE_CLUSTER,
    describe() {
      throw new Error('a playbook of tasks needs no cluster');
    },
  };
  return buildPlays({
    playbook: await readPlaybook(file),
    inventory,
    limit,
    roleSource,
    gates: gateTable(SAMPLE_CLUSTER, () => new Date(0)),
    orders: orderTable(SAMPLE_CLUSTER),
  });
}

async function problems(...tasks: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await build(tasks).catch((reason: unknown) => reason);
  return error instanceof Error ? error.message.replaceAll(`${directory}/`, '').split('\n') : [];
}

test.each([
  ['an order', '  order: inventry', 'p.yaml:5:10: order: there is no order inventry; did you mean inventory?'],
  [
    'a gate',
    '  gates: { after: [apt-unlock] }',
    'p.yaml:5:19: gates.after: there is no gate apt-unlock; did you mean apt-unlocked?',
  ],
  [
    'a second gate',
    '  gates: { before: [apt-unlocked, etcd-healty] }',
    'p.yaml:5:20: gates.before: there is no gate etcd-healty; did you mean etcd-healthy?',
  ],
])('%s that there is not is refused at its place', async (_, line, expected) => {
  const error: unknown = await build(['- copy: { dest: /x, content: y }'], undefined, [line]).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  expect(String(error).replaceAll(`${directory}/`, '')).toContain(expected);
});

test("a task's name goes with what it is about", async () => {
  const [play] = await build([
    '- name: Say hello',
    '  copy: { dest: /x, content: y }',
    '- copy: { dest: /z, content: y }',
  ]);
  expect(play?.resources.get('a')?.map(({ address, task }) => [address, task])).toEqual([
    ['file:/x', 'Say hello'],
    ['file:/z', undefined],
  ]);
});

test('a play whose `when` holds for nobody is no part of the plan; one without hosts is', async () => {
  const tasks = ['- copy: { dest: /x, content: y }'];
  expect(await build(tasks, undefined, ['  when: nothing is defined'])).toEqual([]);
  expect((await build(tasks, undefined, ["  when: inventory_hostname == 'a'"]))[0]?.hosts).toEqual(['a']);
  expect(await build(tasks, undefined, ['  hosts: kube_control_plane'])).toHaveLength(1);
});

describe('a group that an inventory may leave out', () => {
  const hostsOf = async (group: string, groups: string): Promise<readonly string[] | undefined> => {
    const inventory = join(directory, 'hosts.yaml');
    await writeFile(
      inventory,
      `all:\n  hosts: { a: {}, b: {} }\n  children:\n    etcd: { hosts: { a: {} } }\n${groups}`,
    );
    const [play] = await build(['- copy: { dest: /x, content: y }'], undefined, [`  hosts: ${group}`]);
    return play?.hosts;
  };
  const CONTROL = '    kube_control_plane: { hosts: { b: {} } }\n';

  test.each([
    ['etcd_lb', CONTROL, ['a']],
    ['kube_apiserver_lb', CONTROL, ['b']],
    ['kube_apiserver_lb', `${CONTROL}    kube_apiserver_lb: { hosts: { a: {} } }\n`, ['a']],
    ['kube_apiserver_lb', '', []],
    ['kube_control_plane', '', []],
    ['kube_node', '', []],
    ['etcd_former', '', []],
    ['kube_node_former', '', []],
    ['etcd_lb_former', '', []],
    ['kube_apiserver_lb_former', '', []],
    ['etcd:kube_node', '', ['a']],
    ['kube_node:etcd', '', ['a']],
    ['etcd:etcd_lb', '', ['a']],
    ['kube_control_plane:etcd', CONTROL, ['b', 'a']],
    ['all:!a', '', ['b']],
    ['etcd:b', '', ['a', 'b']],
    ['etcd_lb_former', '    etcd_former: { hosts: { b: {} } }\n', ['b']],
    ['etcd_lb_former', '    etcd_former: { hosts: { b: {} } }\n    etcd_lb: { hosts: { b: {} } }\n', []],
    ['etcd_lb_former', '    etcd_former: { hosts: { b: {} } }\n    etcd_lb_former: { hosts: { a: {} } }\n', ['a']],
  ])('%s, beside %j', async (group, groups, hosts) => {
    expect(await hostsOf(group, groups)).toEqual(hosts);
  });
});

describe('the tasks of a play', () => {
  test('become resources on each host, `when` and `--limit` heeded', async () => {
    const tasks = [
      '- copy: { dest: /x, content: "{{ inventory_hostname }}" }',
      '- group: { name: g }',
      "  when: inventory_hostname == 'b'",
    ];
    const [play] = await build(tasks);
    expect([...(play?.resources ?? [])].map(([host, all]) => [host, all.map(({ address }) => address)])).toEqual([
      ['a', ['file:/x']],
      ['b', ['file:/x', 'group:g']],
    ]);
    expect((await build(tasks, 'b'))[0]?.hosts).toEqual(['b']);
  });

  test('mean the backslashes of their strings, as variables do', async () => {
    const [play] = await build([
      String.raw`- file: { path: "/{{ 'a-b' | regex_replace('(a)-(b)', '\\2\\1') }}", state: directory }`,
    ]);
    expect(play?.resources.get('a')?.map(({ address }) => address)).toEqual(['directory:/ba']);
  });

  test('have their names as read on each host; as written where they would show a secret, or can not be read', async () => {
    const names = [
      'on {{ inventory_hostname }}',
      'with {{ secret }}',
      'of {{ nobody }}',
      "{{ 'a-b' | regex_replace('(a)', '\\1') }}",
    ];
    const [play] = await build(names.map((name, at) => `- { name: ${JSON.stringify(name)}, group: { name: g${at} } }`));
    const read = (host: string): readonly unknown[] => (play?.resources.get(host) ?? []).map(({ task }) => task);
    const others = ['with {{ secret }}', 'of {{ nobody }}', 'a-b'];
    expect([read('a'), read('b')]).toEqual([
      ['on a', ...others],
      ['on b', ...others],
    ]);
  });

  test('of a loop are distinguished by the item, or what its label says; by a number where that is a secret, long or wrong', async () => {
    const long = 'x'.repeat(61);
    const [play] = await build([
      `- { name: one, group: { name: "g{{ item }}" }, loop: [a, b] }`,
      `- { name: two, group: { name: "{{ item.n }}" }, loop: [{ n: c, more: 1 }], loop_control: { label: "{{ item.n }}" } }`,
      `- { name: three, group: { name: "h{{ i }}" }, loop: ["{{ secret }}", ${long}, "a\\nb", "{{ nobody }}"], loop_control: { index_var: i } }`,
      `- { group: { name: "k{{ item }}" }, loop: [a] }`,
    ]);
    const tasks = (play?.resources.get('a') ?? []).map(({ task, address }) => `${task ?? ''} ${address}`);
    expect(tasks).toEqual([
      ...['one (item=a) group:ga', 'one (item=b) group:gb', 'two (item=c) group:c'],
      ...[1, 2, 3, 4].map((number) => `three (item=${number}) group:h${number - 1}`),
      ' group:ka',
    ]);
  });

  test('of a loop are none where nothing is looped over, since its `when` does not hold', async () => {
    const [play] = await build(['- { group: { name: g }, loop: "{{ nobody }}", when: false }']);
    expect(play?.resources.get('a')).toEqual([]);
  });

  test('of a loop whose labels are the same are distinguished by their numbers', async () => {
    const [play] = await build([
      `- { name: n, command: "touch /{{ item.to }}", args: { creates: "/{{ item.to }}" }, loop: [{ to: a }, { to: b }], loop_control: { label: 3 } }`,
    ]);
    expect(play?.resources.get('a')?.map(({ address }) => address)).toEqual([
      'command:n (item=3)',
      'command:n (item=3, 2)',
    ]);
  });

  test('of a loop have items that are no templates, whatever they hold: only what is written in the playbook is one', async () => {
    const [play] = await build([`- { group: { name: "{{ item }}" }, loop: "{{ ['{' ~ '{ secret }' ~ '}'] }}" }`]);
    expect(play?.resources.get('a')?.map(({ address }) => address)).toEqual(['group:{{ secret }}']);
  });

  test('of a loop keep secrets out of what is shown', async () => {
    const loop = `loop: [{ n: x, of: "{{ secret }}" }]`;
    expect(await problems(`- { group: { name: "{{ item.of }}" }, ${loop} }`)).toEqual([
      expect.stringMatching(/^p\.yaml:4:\d+: name: holds a vault value/),
    ]);
    const [play] = await build([`- { copy: { dest: "/{{ item.n }}", content: "{{ item.of }}" }, ${loop} }`]);
    const [resource] = play?.resources.get('a') ?? [];
    expect(resource?.address).toBe('file:/x');
    // A list of a variable, of which each item has a secret: what is none of it may be shown.
    const vars = `vars: { people: [{ n: x, of: "{{ secret }}" }, { n: y, of: plain }], all: { z: { of: "{{ secret }}" } } }`;
    for (const [words, paths] of [
      ['loop: "{{ people }}"', ['file:/x', 'file:/y']],
      ['with_items: "{{ people }}"', ['file:/x', 'file:/y']],
      ['with_items: ["{{ people }}"]', ['file:/x', 'file:/y']],
    ] as const) {
      const [of] = await build([`- { copy: { dest: "/{{ item.n }}", content: "{{ item.of }}" }, ${words}, ${vars} }`]);
      expect(of?.resources.get('a')?.map(({ address }) => address)).toEqual(paths);
      expect(await problems(`- { group: { name: "{{ item.of }}" }, ${words}, ${vars} }`)).toEqual([
        expect.stringMatching(/name: holds a vault value/),
      ]);
    }
    const [of] = await build([
      `- { copy: { dest: "/{{ item.key }}", content: "{{ item.value.of }}" }, with_dict: "{{ all }}", ${vars} }`,
    ]);
    expect(of?.resources.get('a')?.map(({ address }) => address)).toEqual(['file:/z']);
    // Nor is a key a template, beside a secret or not.
    const braces = (value: string): string =>
      `vars: { all: "{{ {'{' ~ '{ secret }' ~ '}': '${value}', 'k': ${value} } }}" }`;
    for (const value of ['secret', '1']) {
      for (const [name, words] of [
        ['item.key', 'with_dict: "{{ all }}"'],
        ['item', 'with_items: "{{ all }}"'],
      ] as const) {
        const [keyed] = await build([`- { group: { name: "{{ ${name} }}" }, ${words}, ${braces(value)} }`]);
        const made = keyed?.resources.get('a')?.map(({ address }) => address);
        expect(made?.toSorted()).toEqual(['group:k', 'group:{{ secret }}']);
      }
    }
  });

  test.each([
    ['loop: names', 'p.yaml:4:46: loop: expected a list, or a template that gives one: "{{ names }}"'],
    ['loop: { a: b }', 'p.yaml:4:46: loop: expected a list, or'],
    ['loop: ~', undefined],
    ['loop: "{{ 1 }}"', 'p.yaml:4:46: loop: expected a list, or'],
    [`loop: "{{ 'abc' }}"`, 'p.yaml:4:46: loop: expected a list, or'],
    ['loop: "{{ {1: 2} }}"', 'p.yaml:4:46: loop: expected a list, or'],
    ['loop: "a {{ [1] }}"', 'p.yaml:4:46: loop: expected a list, or'],
    ['loop: "{{ nobody }}"', 'p.yaml:4:46: '],
    ['loop: "{{ [1 }}"', 'p.yaml:4:46: '],
    ['with_dict: [a]', 'p.yaml:4:51: with_dict: expected a mapping, or a template that gives one: "{{ users }}"'],
    ['with_dict: "{{ [1] }}"', 'p.yaml:4:51: with_dict: expected a mapping'],
    ['loop: [a], with_items: [b]', 'p.yaml:4:46: loop: stands beside with_items: a task has one loop'],
    ['loop: [a, a]', 'p.yaml:4:7: task: group:a is what two items of this loop are about; leave one out (`| unique`)'],
    ['loop: "{{ nobody }}", when: true', 'p.yaml:4:46: '],
    ['loop: "{{ nobody }}", when: nobody', 'p.yaml:4:46: '],
    ['loop: [a], loop_control: { loop_var: a-b }', 'tasks.loop_control.loop_var: expected the name of a variable'],
    ['loop: [a], loop_control: { pause: 1 }', 'pause: is not known here; known: loop_var, index_var, label'],
  ])('with %s in a task is refused with its place', async (words, message) => {
    const found = await problems(`- { group: { name: "{{ item }}" }, ${words} }`);
    if (message !== undefined) expect(found).toEqual([expect.stringContaining(message)]);
    else expect(found).not.toEqual([]);
  });

  test('commands without a name are told apart by what they run', async () => {
    const [play] = await build([
      '- command: { cmd: touch /x, creates: /x }',
      '- command: { cmd: touch /y, creates: /y }',
    ]);
    const addresses = play?.resources.get('a')?.map(({ address }) => address);
    expect(addresses).toEqual(['command:touch /x', 'command:touch /y']);
  });

  test.each<[string, readonly string[], readonly unknown[]]>([
    [
      'a parameter that is not known',
      ['- copy:', '    dest: /x', '    contnet: y'],
      ['p.yaml:6:9: contnet: is not known here; did you mean content?'],
    ],
    [
      'a mode that YAML reads as a number',
      ['- copy: { dest: /x, content: y, mode: 0644 }'],
      ['p.yaml:4:43: tasks.copy.mode: a mode must be quoted: "0644"'],
    ],
    [
      'a relative path',
      ['- file:', '    path: x', '    state: directory'],
      ['p.yaml:5:15: tasks.file.path: expected an absolute path'],
    ],
    [
      'a command for every plan',
      ['- command: { cmd: date }'],
      ['p.yaml:4:16: tasks.command: needs creates or removes: otherwise every apply would run it again'],
    ],
    [
      'neither content nor source',
      ['- copy: { dest: /x }'],
      ['p.yaml:4:13: tasks.copy: takes exactly one of content and src'],
    ],
    [
      'a source that is not there',
      ['- copy: { dest: /x, src: nothing }'],
      [
        'p.yaml:4:30: tasks.copy.src: nothing cannot be read: no such file or directory (ENOENT); looked for files/nothing and nothing: put it there, or correct the path',
      ],
    ],
    [
      'a source by its whole path, which is one place',
      ['- copy: { dest: /x, src: /nowhere/x }'],
      [
        'p.yaml:4:30: tasks.copy.src: /nowhere/x cannot be read: no such file or directory (ENOENT); looked for /nowhere/x: put it there, or correct the path',
      ],
    ],
    [
      'a template that is not there',
      ['- template: { dest: /x, src: nothing.j2 }'],
      [
        'p.yaml:4:34: tasks.template.src: nothing.j2 cannot be read: no such file or directory (ENOENT); looked for templates/nothing.j2 and nothing.j2: put it there, or correct the path',
      ],
    ],
    [
      'two tasks about one thing',
      ['- copy: { dest: /x, content: y }', '- copy: { dest: /x, content: z }'],
      [
        'p.yaml:5:7: task: file:/x is what an earlier task of this play is about, too; put both into one, or name them apart',
      ],
    ],
    [
      'a task about what one of several before it is about',
      [
        '- copy: { dest: /x, content: y }',
        '- copy: { dest: /y, content: y }',
        '- copy: { dest: /z, content: y }',
        '- copy: { dest: /y, content: z }',
      ],
      [expect.stringMatching(/^p\.yaml:7:7: task: file:\/y is what an earlier task of this play is about/)],
    ],
    [
      'a source without an end',
      ['- copy: { dest: /x, src: /dev/zero }'],
      ['p.yaml:4:30: tasks.copy.src: /dev/zero cannot be read: it holds more than 16384 KiB'],
    ],
    [
      'a parameter of the third task',
      ['- group: { name: a }', '- group: { name: b }', '- group: { name: c, sytem: true }'],
      ['p.yaml:6:25: sytem: is not known here; did you mean system?'],
    ],
    [
      'a variable that is not set, deep in a parameter',
      ['- hosts_entries: { entries: [{ address: 192.0.2.1, names: [x, "{{ nope }}"] }] }'],
      ["p.yaml:4:67: host a: 'nope' is undefined"],
    ],
    [
      'one in the condition of the second task',
      ['- group: { name: x }', '- group: { name: g }', '  when: nope == 1'],
      ["p.yaml:6:13: host a: 'nope' is undefined"],
    ],
    [
      'one in a template',
      ['- template:', '    dest: /x', '    src: lacks.j2'],
      ["p.yaml:6:14: host a: 'nope' is undefined"],
    ],
    [
      'a vault value deep in a parameter',
      ['- hosts_entries: { entries: [{ address: 192.0.2.1, names: ["{{ secret }}"] }] }'],
      [expect.stringMatching(/^p\.yaml:4:33: entries: holds a vault value/)],
    ],
    [
      'a vault value in a command',
      ['- command:', '    cmd: login {{ secret }}', '    creates: /x'],
      [
        'p.yaml:5:14: cmd: holds a vault value, or what was computed from one, which would be seen in plans and processes; write it to a file with copy or template, and read it from there',
      ],
    ],
  ])('%s is refused at its place', async (_, tasks, expected) => {
    expect(await problems(...tasks)).toEqual(expected);
  });
});

test('a condition of a play that can not be told is refused at its place', async () => {
  const error: unknown = await build(['- group: { name: g }'], undefined, ['  when: nope == 1']).catch(
    (reason: unknown) => reason,
  );
  expect(String(error)).toContain("p.yaml:5:9: host a: 'nope' is undefined");
});

test('contents show no secret, whatever became of it, and hold it all the same', async () => {
  const tasks = [
    '- copy:',
    '    dest: /x',
    '    content: |',
    "      header: {{ ('admin:' ~ secret) | b64encode }}",
    '      upper: {{ secret | upper }}',
  ];
  const [play] = await build(tasks);
  const outcome = await play?.resources.get('a')?.[0]?.plan(fakeProbe({ 'file-states': { '/x': { kind: 'absent' } } }));
  if (outcome?.kind !== 'change') throw new Error('nothing is changed');
  const [action] = outcome.change.actions;
  if (action?.kind !== 'write-file') throw new Error('no file is written');
  expect(outcome.change.diff.slice(-2)).toEqual(['+header: [redacted]', '+upper: [redacted]']);
  const encoded = Buffer.from('admin:planted-clear-text').toString('base64');
  expect(action.content.reveal()).toBe(`header: ${encoded}\nupper: PLANTED-CLEAR-TEXT\n`);
});

test('variables beside a playbook that is elsewhere than the inventory are refused, once for each of its files', async () => {
  await mkdir(join(directory, 'plays/group_vars'), { recursive: true });
  await mkdir(join(directory, 'plays/host_vars'));
  await mkdir(join(directory, 'group_vars'));
  await writeFile(join(directory, 'plays/p.yaml'), '- hosts: a\n- hosts: b\n');
  await writeFile(join(directory, 'here.yaml'), '- hosts: a\n');
  const inventory = await loadInventory(join(directory, 'hosts.yaml'), { provided: PROVIDED_VARIABLES });
  const plays = async (name: string): Promise<number> => {
    const playbook = await readPlaybook(join(directory, name));
    const roleSource = { roles: new Map(), cluster: SAMPLE_CLUSTER, describe: () => SAMPLE_CLUSTER };
    return buildPlays({ playbook, inventory, limit: undefined, roleSource, gates: new Map(), orders: new Map() })
      .length;
  };
  expect(await plays('here.yaml')).toBe(1);
  const error: unknown = await plays('plays/p.yaml').catch((reason: unknown) => reason);
  expect(error instanceof Error ? error.message.replaceAll(`${directory}/`, '') : error).toBe(
    ['group_vars', 'host_vars']
      .map(
        (name) =>
          `plays/p.yaml:1:3: ${name}/: stands beside this playbook, where it is not read; move it to ${directory}, beside the inventory`,
      )
      .join('\n'),
  );
});
