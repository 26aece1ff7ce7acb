import { writeFiles } from './write-inventory.js';

const INVENTORY = `
all:
  hosts: { a: { ansible_connection: local, ansible_python_interpreter: /usr/bin/python3 } }
  vars:
    names: [one, two]
    nested: [[x, y], z, [[deep]]]
    users: { ann: { uid: 1 }, ben: { uid: 2 } }
    none_at_all: []
    with_null: [a, null, b]
    people: [{ name: al, pw: x }, { name: bo, pw: y }]
`;

/** Tasks with loops, in which each item writes a file; and the files that Ansible writes, by name. */
const LOOPED_FILES: readonly (readonly [task: string, files: Readonly<Record<string, string>>])[] = [
  ['copy: { dest: "OUT{{ item }}", content: "{{ item }}" }\n      loop: [p, "{{ names[1] }}"]', { p: 'p', two: 'two' }],
  ['copy: { dest: "OUT{{ item }}", content: "{{ item }}" }\n      loop: "{{ names }}"', { one: 'one', two: 'two' }],
  [
    'copy: { dest: "OUT{{ item.n }}", content: "{{ item.c | upper }}" }\n      loop: [{ n: a, c: x }, { n: b, c: "{{ names[0] }}" }]',
    { a: 'X', b: 'ONE' },
  ],
  [
    'copy: { dest: "OUT{{ index }}", content: "{{ item }}" }\n      loop: "{{ nested }}"\n      loop_control: { index_var: index }',
    { 0: '["x", "y"]', 1: 'z', 2: '[["deep"]]' },
  ],
  [
    'copy: { dest: "OUT{{ index }}", content: "{{ item }}" }\n      with_items: "{{ nested }}"\n      loop_control: { index_var: index }',
    { 0: 'x', 1: 'y', 2: 'z', 3: '["deep"]' },
  ],
  [
    'copy: { dest: "OUT{{ index }}", content: "{{ item }}" }\n      with_items: ["{{ names }}", [q, [r]], s]\n      loop_control: { index_var: index }',
    { 0: 'one', 1: 'two', 2: 'q', 3: '["r"]', 4: 's' },
  ],
  [
    'copy: { dest: "OUT{{ index }}", content: "{{ item }}" }\n      with_list: "{{ nested }}"\n      loop_control: { index_var: index }',
    { 0: '["x", "y"]', 1: 'z', 2: '[["deep"]]' },
  ],
  [
    'copy: { dest: "OUT{{ item.key }}", content: "{{ item.value.uid }}" }\n      with_dict: "{{ users }}"',
    { ann: '1', ben: '2' },
  ],
  [
    'copy: { dest: "OUT{{ item.key }}", content: "{{ item.value }}" }\n      with_dict: { k: "{{ names[0] }}", l: 2 }',
    { k: 'one', l: '2' },
  ],
  [
    'copy: { dest: "OUT{{ item.key }}", content: "{{ item.value.uid }}" }\n      loop: "{{ users | dict2items }}"\n      when: item.value.uid > 1',
    { ben: '2' },
  ],
  ['copy: { dest: "OUT{{ item }}", content: x }\n      loop: "{{ none_at_all }}"', {}],
  ['copy: { dest: "OUT{{ item }}", content: x }\n      loop: []', {}],
  [
    'copy: { dest: "OUT{{ n }}", content: "{{ item | default(3) }}" }\n      loop: "{{ names }}"\n      loop_control: { loop_var: n, label: "{{ n }}" }',
    { one: '3', two: '3' },
  ],
  [
    'copy: { dest: "OUT{{ item }}", content: "{{ mine }}" }\n      loop: "{{ names }}"\n      vars: { mine: "of {{ item }}" }',
    { one: 'of one', two: 'of two' },
  ],
  [
    'copy: { dest: "OUT{{ item }}", content: "{{ item }}" }\n      loop: "{{ range(1, 3) | list }}"',
    { 1: '1', 2: '2' },
  ],
  [
    'copy: { dest: "OUT{{ item[0] }}", content: "{{ item | to_json }}" }\n      loop: "{{ [\'a\', \'b\'] | product([1]) | list }}"',
    { a: '["a", 1]', b: '["b", 1]' },
  ],
  ['copy: { dest: "OUT{{ item }}", content: "{{ item }}" }\n      loop: "{{ groups.all }}"', { a: 'a' }],
  [
    'copy: { dest: "OUT{{ item }}", content: "{{ names is sequence }}" }\n      loop: "{{ names + [\'x\'] }}"',
    { one: 'True', two: 'True', x: 'True' },
  ],
  [
    'copy: { dest: "OUT{{ item }}", content: "{{ (names + [1]) is sequence }}" }\n      loop: "{{ names[1:] }}"',
    { two: 'True' },
  ],
  ['copy: { dest: "OUT{{ item }}", content: "x" }\n      loop: "{{ range(3) }}"', { 0: 'x', 1: 'x', 2: 'x' }],
  ['copy: { dest: "OUT{{ item }}", content: "x" }\n      with_items: "{{ users }}"', { ann: 'x', ben: 'x' }],
  [
    'copy: { dest: "OUT{{ i }}", content: "{{ item is none }}" }\n      with_items: "{{ with_null }}"\n      loop_control: { index_var: i }',
    { 0: 'False', 1: 'True', 2: 'False' },
  ],
  ['copy: { dest: "OUT{{ item }}", content: "x" }\n      with_items: plain', { plain: 'x' }],
  [
    'copy: { dest: "OUT{{ i }}", content: "{{ item }}" }\n      with_items: ["{% if true %}{{ names }}{% endif %}"]\n      loop_control: { index_var: i }',
    { 0: 'one', 1: 'two' },
  ],
  ['copy: { dest: "OUT{{ item }}", content: "x" }\n      loop: "{{ nobody }}"\n      when: nobody is defined', {}],
  ['copy: { dest: "OUT{{ item.name }}", content: "{{ item.pw }}" }\n      loop: "{{ people }}"', { al: 'x', bo: 'y' }],
];

/** A directory with the inventory of these tasks. */
export function loopedFilesDirectory(): string {
  return writeFiles({ 'hosts.yml': INVENTORY });
}

/** A play of all these tasks; the files of each begin with its number, as `DIRECTORY/3-`. */
export function playOfLoops(directory: string): string {
  const tasks = LOOPED_FILES.map(([task], index) => `    - ${task.replace('OUT', `${directory}/${index}-`)}`);
  return ['- hosts: a', '  gather_facts: false', '  tasks:', ...tasks, ''].join('\n');
}

/** All files of {@link playOfLoops}, by name. */
export function loopedFiles(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    LOOPED_FILES.flatMap(([, files], index) => Object.entries(files).map(([name, text]) => [`${index}-${name}`, text])),
  );
}
