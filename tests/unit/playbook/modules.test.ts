import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Action } from '../../../src/model/action.js';
import { moduleNamed, moduleNames } from '../../../src/playbook/modules.js';
import type { Probe } from '../../../src/model/remote.js';
import { builtPlay } from '../../support/built-play.js';
import { fakeProbe } from '../../support/fake-probe.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** The same answer for every key. */
const always = (answer: unknown): Record<string, unknown> =>
  new Proxy({}, { get: () => answer, getOwnPropertyDescriptor: () => ({ configurable: true, value: answer }) });

/** A host that has nothing; its unit runs, since before all its files. */
const BARE = fakeProbe({
  'file-states': always({ kind: 'absent' }),
  'file-contents': always(undefined),
  'file-origins': always({ kind: 'unknown' }),
  paths: always(false),
  users: always(undefined),
  groups: always(false),
  packages: always({ installed: undefined, candidate: '1.0', held: false }),
  sysctls: always('0'),
  units: always({ load: 'not-found', active: false, enabled: false, maskedAtRuntime: false, needsDaemonReload: false }),
});

const KEY_FILE = '# mine\n-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----\n';

/** What an action does, in short. */
function inShort(action: Action): unknown {
  if (action.kind === 'write-file') {
    const { path, owner, group, mode, validate } = action;
    return { path, owner, group, mode, content: action.content.reveal(), ...(validate && { validate }) };
  }
  if (action.kind === 'make-directory')
    return { make: action.path, owner: action.owner, group: action.group, mode: action.mode };
  return action.kind === 'run' ? action.command.script : action;
}

/** A resource's address, and what it does. */
type Meant = readonly [string, ...unknown[]];

async function meantOn(probe: Probe, ...tasks: readonly string[]): Promise<readonly Meant[]> {
  const directory = temporaryDirectory('modules');
  mkdirSync(join(directory, 'templates'));
  mkdirSync(join(directory, 'files'));
  writeFileSync(join(directory, 'bytes'), Buffer.from([0x61, 0xff]));
  writeFileSync(join(directory, 'zero'), 'a\0b');
  writeFileSync(join(directory, 'options.j2'), '#jinja2: trim_blocks: False\n');
  writeFileSync(join(directory, 'omitting.j2'), 'mode {{ omit }}\n');
  writeFileSync(join(directory, 'plain'), 'copied {{ as it is }}\n');
  writeFileSync(join(directory, 'key.pem'), KEY_FILE);
  writeFileSync(join(directory, 'sealed.pem'), '$ANSIBLE_VAULT;1.1;AES256\n3061\n');
  writeFileSync(join(directory, 'beside.j2'), 'beside {{ inventory_hostname }}\n');
  for (const name of ['files/both', 'both', 'templates/both.j2', 'both.j2']) writeFileSync(join(directory, name), name);
  writeFileSync(join(directory, 'templates/t.j2'), 'of {{ inventory_hostname }}\n');
  writeFileSync(join(directory, 'hosts.yaml'), 'all: { hosts: { a: {} } }\n');
  const lines = ['- hosts: a', '  tasks:', ...tasks.map((task) => `    - ${task}`)];
  writeFileSync(join(directory, 'p.yaml'), `${lines.join('\n')}\n`);
  const play = await builtPlay(directory, 'p.yaml', 'hosts.yaml');
  return Promise.all(
    (play?.resources.get('a') ?? []).map(async (resource) => {
      const outcome = await resource.plan(probe);
      return [resource.address, ...(outcome.kind === 'change' ? outcome.change.actions.map(inShort) : [outcome.kind])];
    }),
  );
}

async function meant(task: string): Promise<readonly Meant[]> {
  return meantOn(BARE, task);
}

const ROOTS = { owner: 'root', group: 'root' };
const APT = ' -y --no-install-recommends -o Dpkg::Options::=--force-confold install';

const OMITTED = '"{{ nobody_set_it | default(omit) }}"';

const MEANINGS: readonly (readonly [string, ...unknown[]])[] = [
  ['copy: { dest: /x, content: y }', 'file:/x', { path: '/x', ...ROOTS, mode: '0644', content: 'y' }],
  [
    'copy: { dest: /x, src: plain }',
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: 'copied {{ as it is }}\n' },
  ],
  // A key is for its owner alone, wherever it comes from.
  ['copy: { dest: /x, src: key.pem }', 'file:/x', { path: '/x', ...ROOTS, mode: '0600', content: KEY_FILE }],
  ['template: { dest: /x, src: ../key.pem }', 'file:/x', { path: '/x', ...ROOTS, mode: '0600', content: KEY_FILE }],
  [
    "copy: { dest: /x, src: key.pem, mode: '0640' }",
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0640', content: KEY_FILE },
  ],
  // As Ansible looks for them: in the folder of the module, then beside the playbook.
  ['copy: { dest: /x, src: both }', 'file:/x', { path: '/x', ...ROOTS, mode: '0644', content: 'files/both' }],
  [
    'template: { dest: /x, src: both.j2 }',
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: 'templates/both.j2' },
  ],
  ['template: { dest: /x, src: beside.j2 }', 'file:/x', { path: '/x', ...ROOTS, mode: '0644', content: 'beside a\n' }],
  ['template: { dest: /x, src: t.j2 }', 'file:/x', { path: '/x', ...ROOTS, mode: '0644', content: 'of a\n' }],
  [
    "template: { dest: /x, src: t.j2, owner: o, group: g, mode: '640', validate: 'check %s && check %s' }",
    'file:/x',
    { path: '/x', owner: 'o', group: 'g', mode: '0640', content: 'of a\n', validate: 'check "$1" && check "$1"' },
  ],
  // What Ansible can be told to do and is done here always.
  [
    "copy: { dest: /x, content: y, force: yes, backup: 'no', remote_src: false }",
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: 'y' },
  ],
  [
    'file: { path: /d, state: directory, recurse: no, force: no }',
    'directory:/d',
    { make: '/d', ...ROOTS, mode: '0755' },
  ],
  [
    'sysctl: { name: vm.x, value: 1, state: present, reload: yes, sysctl_set: true }',
    'sysctl:vm.x',
    expect.objectContaining({ content: '# Kept by provision.\nvm.x = 1\n' }),
    "sysctl -q -w 'vm.x=1'",
  ],
  ["user: { name: u, groups: g, append: 'yes', state: present }", 'user:u', 'useradd --create-home --groups g u'],
  ['group: { name: g, state: present }', 'group:g', 'groupadd g'],
  [
    'systemd: { name: x, daemon_reload: true, enabled: false }',
    'service:x',
    expect.stringContaining('systemctl restart --quiet x.service'),
  ],
  // A parameter that is omitted is left out, at any depth.
  [
    `copy: { dest: /x, content: y, mode: ${OMITTED}, owner: ${OMITTED}, validate: "{{ omit }}" }`,
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: 'y' },
  ],
  [
    `copy: { dest: /x, content: { a: 1, b: ${OMITTED}, c: { d: ${OMITTED} } } }`,
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: '{"a": 1, "c": {}}' },
  ],
  [
    `copy: { dest: /x, src: beside.j2, content: ${OMITTED} }`,
    'file:/x',
    { path: '/x', ...ROOTS, mode: '0644', content: 'beside {{ inventory_hostname }}\n' },
  ],
  ['file: { path: /d, state: directory }', 'directory:/d', { make: '/d', ...ROOTS, mode: '0755' }],
  [
    "file: { path: /d, state: directory, owner: o, group: g, mode: '750' }",
    'directory:/d',
    { make: '/d', owner: 'o', group: 'g', mode: '0750' },
  ],
  ['file: { path: /d, state: absent }', 'absent:/d', 'unchanged'],
  [
    'apt: { name: "a, b ,c" }',
    'packages:a,b,c',
    { kind: 'await', gate: 'apt-unlocked', parameters: {} },
    expect.stringContaining(`${APT} 'a=1.0' 'b=1.0' 'c=1.0'; }`),
  ],
  [
    'apt: { name: [a, b=2.0], state: present }',
    'packages:a,b=2.0',
    { kind: 'await', gate: 'apt-unlocked', parameters: {} },
    expect.stringContaining(`${APT} 'a=1.0' 'b=2.0'; }`),
  ],
  [
    'systemd: { name: x.service }',
    'service:x',
    expect.stringContaining('systemctl enable --quiet x.service'),
    expect.stringContaining('systemctl restart --quiet x.service'),
  ],
  [
    'systemd: { name: a.service-b.service }',
    'service:a.service-b',
    expect.stringContaining('systemctl enable --quiet a.service-b.service'),
    expect.stringContaining('systemctl restart --quiet a.service-b.service'),
  ],
  ["service: { name: x, enabled: 'no' }", 'service:x', expect.stringContaining('systemctl restart --quiet x.service')],
  ['service: { name: x, enabled: false }', 'service:x', expect.stringContaining('systemctl restart --quiet x.service')],
  [
    'sysctl: { name: vm.swappiness, value: 10 }',
    'sysctl:vm.swappiness',
    {
      path: '/etc/sysctl.d/60-vm.swappiness.conf',
      ...ROOTS,
      mode: '0644',
      content: '# Kept by provision.\nvm.swappiness = 10\n',
    },
    "sysctl -q -w 'vm.swappiness=10'",
  ],
  // Numbers as they were written, beyond what a number of JavaScript holds.
  ...['9007199254740993', '3.0', '1e3'].map((value): [string, string, unknown, string] => [
    `sysctl: { name: a.b, value: ${value} }`,
    'sysctl:a.b',
    expect.objectContaining({ content: `# Kept by provision.\na.b = ${value}\n` }),
    `sysctl -q -w 'a.b=${value}'`,
  ]),
  [
    'ansible.posix.sysctl: { name: vm.x, value: true, sysctl_file: /etc/sysctl.d/9.conf }',
    'sysctl:vm.x',
    { path: '/etc/sysctl.d/9.conf', ...ROOTS, mode: '0644', content: '# Kept by provision.\nvm.x = 1\n' },
    "sysctl -q -w 'vm.x=1'",
  ],
  // As ansible.posix.sysctl reads them.
  ...[
    ['on', '1'],
    ["'Yes'", '1'],
    ["'no'", '0'],
    ["'{{ false }}'", '0'],
    ["' 5 6 '", '5 6'],
  ].map(([value = '', kept = '']): [string, ...unknown[]] => [
    `sysctl: { name: a/b.c, value: ${value} }`,
    'sysctl:a/b.c',
    expect.objectContaining({
      path: '/etc/sysctl.d/60-a.b.c.conf',
      content: `# Kept by provision.\na/b.c = ${kept}\n`,
    }),
    // The kernel has 0.
    ...(kept === '0' ? [] : [`sysctl -q -w 'a/b.c=${kept}'`]),
  ]),
  // A list that a template makes is one.
  ["user: { name: u, groups: \"{{ ['g', 'h'] }}\" }", 'user:u', 'useradd --create-home --groups g,h u'],
  ['user: { name: u }', 'user:u', 'useradd --create-home u'],
  [
    "ansible.builtin.user: { name: u, system: 'True', home: /h, shell: /bin/sh, groups: 'g,h' }",
    'user:u',
    'useradd --system --home-dir /h --shell /bin/sh --groups g,h u',
  ],
  ['group: { name: g }', 'group:g', 'groupadd g'],
  ...['yes', "'yes'", 'true', "'true'", "'True'"].map((value): [string, string, string] => [
    `group: { name: g, system: ${value} }`,
    'group:g',
    'groupadd --system g',
  ]),
  ...['no', "'no'", 'false', "'false'", "'False'"].map((value): [string, string, string] => [
    `group: { name: g, system: ${value} }`,
    'group:g',
    'groupadd g',
  ]),
  ['command: { cmd: touch /y, creates: /y }', 'command:touch /y', 'touch /y'],
  ['command: touch /y\n      args: { creates: /y }', 'command:touch /y', 'touch /y'],
  ['command: { argv: [touch, a b], creates: a b, chdir: /d }', 'command:touch a b', "cd -- /d || exit 1\ntouch 'a b'"],
  [
    'command: { cmd: "touch $HOME/a ${X}b ~/c $1 \'&&\'", creates: /y }',
    expect.anything(),
    'touch "${HOME-\\$HOME}"/a "${X-\\${X\\}}"b ~/c \'$1\' \'&&\'',
  ],
  ['group:\n      args: { name: g }', 'group:g', 'groupadd g'],
  ['group: { name: h }\n      args: { name: g, system: true }', 'group:h', 'groupadd --system h'],
  ['shell: { cmd: a | b, creates: /y, executable: /bin/bash }', 'command:a | b', "exec /bin/bash -c 'a | b'"],
  ['command: { cmd: rm /y, removes: /y }', 'command:rm /y', 'unchanged'],
  [
    'hosts_entries: { entries: [{ address: 192.0.2.1, names: [n, m] }] }',
    expect.stringContaining('hosts'),
    expect.objectContaining({ path: '/etc/hosts', content: '# BEGIN provision\n192.0.2.1\tn m\n# END provision\n' }),
  ],
];

test.each(MEANINGS.map(([task, ...meaning]) => ({ task, meaning })))('$task', async ({ task, meaning }) => {
  expect(await meant(task)).toEqual([meaning]);
});

test('a command is for a host where what it creates is missing, or what it removes is there', async () => {
  const made = fakeProbe({ paths: always(true) });
  const commands = ['command: { cmd: touch /y, creates: /y }', 'command: { cmd: rm /y, removes: /y }'];
  expect(await meantOn(made, ...commands)).toEqual([
    ['command:touch /y', 'unchanged'],
    ['command:rm /y', 'rm /y'],
  ]);
});

test.each([
  [
    'copy: { dest: /x, src: sealed.pem }',
    /p\.yaml:3:30: tasks\.copy\.src: .*sealed\.pem is encrypted with Ansible Vault/,
  ],
  [
    'template: { dest: /x, src: sealed.pem }',
    /tasks\.template\.src: .*is encrypted with Ansible Vault, and is not decrypted/,
  ],
  [
    'copy: { dest: /x, src: bytes }',
    /p\.yaml:3:30: tasks\.copy\.src: .*bytes is not UTF-8 text: only texts are written to hosts/,
  ],
  ['copy: { dest: /x, src: zero }', 'is not UTF-8 text'],
  ['template: { dest: /x, src: bytes }', 'is not UTF-8 text'],
  ['template: { dest: /x, src: options.j2 }', 'begins with `#jinja2:`, whose options are not read'],
  ['copy: { dest: /x/, content: y }', 'expected the path of the file itself, not of its directory'],
  ["copy: { dest: /x, content: y, owner: '0' }", 'tasks.copy.owner: expected a name, not a number'],
  ["file: { path: /x, state: directory, group: '20' }", 'tasks.file.group: expected a name, not a number'],
  ['copy: { dest: /x, content: y, validate: visudo -c }', 'expected a command with %s'],
  [
    "command: { cmd: x, creates: '/x/*.conf' }",
    'tasks.command.creates: expected a path: patterns like *.conf are not looked for',
  ],
  ["command: { cmd: x, removes: '/x/[ab]' }", 'tasks.command.removes: expected a path'],
  ['copy: { dest: /x, content: ~ }', 'content'],
  ['command: touch /y', 'p.yaml:3:16: tasks.command: needs creates or removes'],
  ['command: [touch, /y]', 'tasks.command: expected its parameters as a mapping: { cmd: …, creates: …, removes: …'],
  ['shell: { creates: /y }', 'tasks.shell.cmd: is missing'],
  ['shell: { cmd: x, argv: [x], creates: /y }', 'argv: is not known here'],
  ['command: x\n      args: { creatse: /y }', 'p.yaml:4:15: creatse: is not known here; did you mean creates?'],
  ["command: x\n      args: { creates: '/y*' }", 'p.yaml:4:24: tasks.args.creates: expected a path'],
  ['command: a && b', 'p.yaml:3:16: tasks.command: has &&, which'],
  ['command: a {{ nobody }}', 'p.yaml:3:16: '],
  ['command: x\n      args: [a]', 'p.yaml:4:13: tasks.args: expected the parameters of the module as a mapping'],
  ['copy: x\n      args: { dest: /y }', 'tasks.copy: expected its parameters as a mapping'],
  ['command: { cmd: x, creates: y }', 'tasks.command.creates: expected an absolute path, or chdir'],
  ['command: { cmd: x, removes: y }', 'tasks.command.removes: expected an absolute path, or chdir'],
  ['command: { cmd: x, chdir: d, creates: y }', 'tasks.command.chdir: expected an absolute path'],
  ['command: { cmd: x, argv: [x], creates: /y }', 'tasks.command: takes exactly one of cmd and argv'],
  ['command: { argv: [], creates: /y }', 'tasks.command.argv: names no program'],
  ["command: { cmd: ' ', creates: /y }", 'tasks.command.cmd: names no program'],
  ["command: { cmd: 'a \"b', creates: /y }", 'tasks.command.cmd: the quote at character 3 is not closed'],
  ['command: x creates=/y', 'p.yaml:3:16: tasks.command: has creates= in its text: write creates under `args`'],
  ['shell: chdir=/x y\n      args: { creates: /y }', 'tasks.shell: has chdir= in its text: write chdir under `args`'],
  ['shell: { cmd: x, creates: /y, executable: bash }', 'tasks.shell.executable: expected an absolute path'],
  ...['&&', '||', '|', ';', '>', '2>&1', '>>', '<', '&', '$(b)', '`b`', 'b;'].map((word): [string, string] => [
    `command: { cmd: 'a ${word} c', creates: /y }`,
    `tasks.command.cmd: has ${word.replace('(b)', '(').replace('`b`', '`')}, which a program would get as a word`,
  ]),
  ['apt: name=a state=present', 'tasks.apt: expected its parameters as a mapping: { name: …, state: … }'],
  ['command: { creates: /y }', 'tasks.command: takes exactly one of cmd and argv'],
  ['copy: { dest: /x, content: y, force: no }', 'tasks.copy.force: expected true: nothing else is done here'],
  ['copy: { dest: /x, content: y, backup: perhaps }', 'tasks.copy.backup: expected true or false'],
  ['template: { dest: /x, src: t.j2, backup: yes }', 'tasks.template.backup: expected false'],
  ['copy: { dest: /x, src: plain, remote_src: yes }', 'tasks.copy.remote_src: expected false'],
  ['file: { path: /x, state: directory, recurse: yes }', 'tasks.file.recurse: expected false'],
  ['file: { path: /x, state: directory, force: yes }', 'tasks.file.force: expected false'],
  ['sysctl: { name: a, value: 1, state: absent }', 'tasks.sysctl.state: expected present'],
  ['sysctl: { name: a, value: 1, reload: no }', 'tasks.sysctl.reload: expected true'],
  ['sysctl: { name: a, value: 1, sysctl_set: no }', 'tasks.sysctl.sysctl_set: expected true'],
  ['user: { name: u, append: no }', 'tasks.user.append: expected true'],
  ['user: { name: u, state: absent }', 'tasks.user.state: expected present'],
  ['group: { name: g, state: absent }', 'tasks.group.state: expected present'],
  ['apt: { name: a, state: absent }', 'tasks.apt.state: expected present'],
  ['systemd: { name: x, daemon_reload: no }', 'tasks.systemd.daemon_reload: expected true'],
  // There is nothing to leave out: in a list, in the middle of a text, in a file.
  [`apt: { name: [a, ${OMITTED}] }`, /p\.yaml:3:20: name: uses `omit` where there is nothing to leave out/],
  ['copy: { dest: /x, content: "a {{ omit }}" }', 'content: uses `omit` where'],
  ['template: { dest: /x, src: omitting.j2 }', 'src: uses `omit` where'],
  [`copy: { dest: ${OMITTED}, content: y }`, 'dest'],
  ['copy: { dest: x, content: y }', 'expected an absolute path'],
  ['template: { dest: x, src: t.j2 }', 'expected an absolute path'],
  ['copy: { dest: /x, content: y, src: plain }', 'takes exactly one of content and src'],
  ["copy: { dest: /x, content: y, mode: '0844' }", 'expected an octal mode'],
  ["copy: { dest: /x, content: y, mode: 'x644' }", 'expected an octal mode'],
  ["copy: { dest: /x, content: y, mode: '64' }", 'expected an octal mode'],
  ["copy: { dest: /x, content: y, mode: '06440' }", 'expected an octal mode'],
  ['file: { path: /x, state: touch }', 'files are made by copy or template'],
  ['apt: { name: a, state: latest }', 'state'],
  ['apt: { name: { a: b } }', 'expected a name or a list of names'],
  ['systemd: { name: x, enabled: perhaps }', 'expected true or false'],
  ['systemd: { name: x, state: stopped }', 'state'],
  ['hosts_entries: { entries: [{ address: 192.0.2.1, names: [] }] }', 'names'],
  ['hosts_entries: { entries: [{ address: 192.0.2.1, names: [n], more: 1 }] }', 'more: is not known here'],
])('%s is refused: %s', async (task, message) => {
  await expect(meant(task)).rejects.toThrow(message);
});

test('all that is wrong with the tasks of a play is said at once', async () => {
  const wrong = ['command: x', 'copy: { dest: /x, content: y }', 'apt: { name: a, state: latest }'];
  await expect(meantOn(BARE, ...wrong)).rejects.toMatchObject({
    problems: [
      { subject: 'tasks.command', at: { line: 3 } },
      { subject: 'tasks.apt.state', at: { line: 5 } },
    ],
  });
});

test('all that is wrong with a task is said at once', async () => {
  const task = "copy: { dest: x, content: y, mode: '0844' }";
  await expect(meant(task)).rejects.toThrow(/expected an absolute path[^]*expected an octal mode/);
});

/** A unit that runs since before its files of now were written. */
const OLDER = fakeProbe({
  'file-states': always({
    kind: 'file',
    owner: 'root',
    group: 'root',
    mode: '0644',
    changedAt: 9,
    sha256: createHash('sha256').update('y').digest('hex'),
  }),
  groups: always(true),
  units: always({
    load: 'loaded',
    active: true,
    enabled: true,
    maskedAtRuntime: false,
    needsDaemonReload: false,
    startedAt: 5,
    loadedAt: 5,
  }),
});

test.each([
  [undefined, ['unchanged']],
  ['started', ['unchanged']],
  ['restarted', [expect.stringContaining('systemctl restart --quiet x.service')]],
  ['reloaded', [expect.stringContaining('systemctl reload --quiet x.service')]],
])('a service of state %s, after a file that is newer than it', async (state, actions) => {
  const tasks = [
    'group: { name: g }',
    'copy: { dest: /x, content: y }',
    state === undefined ? 'service: { name: x }' : `service: { name: x, state: ${state} }`,
  ];
  expect((await meantOn(OLDER, ...tasks)).at(-1)).toEqual(['service:x', ...actions]);
});

test('a service runs with what is before it in the play, and not with what comes after', async () => {
  const tasks = ['service: { name: x, state: restarted }', 'copy: { dest: /x, content: y }', 'group: { name: g }'];
  expect(await meantOn(OLDER, ...tasks)).toEqual([
    ['service:x', 'unchanged'],
    ['file:/x', 'unchanged'],
    ['group:g', 'unchanged'],
  ]);
});

test('a module goes by its name alone, and by that of its collection', () => {
  for (const name of moduleNames())
    for (const collection of ['', 'ansible.builtin.', 'ansible.posix.'])
      expect(moduleNamed(`${collection}${name}`)).toBe(moduleNamed(name));
  for (const name of [
    'x',
    'community.general.apt',
    'x.ansible.builtin.apt',
    'constructor',
    'ansibleXbuiltin.apt',
    'apansible.builtin.t',
  ])
    expect(moduleNamed(name)).toBeUndefined();
  expect(moduleNames()).toEqual(
    'apt copy template file systemd service sysctl user group command shell hosts_entries'.split(' '),
  );
});
