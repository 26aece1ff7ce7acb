import { writeFiles } from './write-inventory.js';

/** The inventory of {@link WRITTEN_FILES}. */
const INVENTORY = `
all:
  hosts: { a: { ansible_connection: local, ansible_python_interpreter: /usr/bin/python3 } }
  vars:
    mapping: { a: 1, b: [x, null, true] }
    list: [one, two]
    truth: true
    json: '{"a":1,"b":"c"}'
    numbers: '[1,2]'
    left_out: "{{ nobody_set_it | default(omit) }}"
`;

/** Parameters of `copy` and `template` without `dest`, and the file that Ansible writes for them. */
export const WRITTEN_FILES: readonly (readonly [parameters: string, text: string])[] = [
  ['copy: { content: "{{ mapping }}" }', '{"a": 1, "b": ["x", null, true]}'],
  ['copy: { content: "{{ list }}" }', '["one", "two"]'],
  // A text that looks like a list or mapping, where a template made it.
  ['copy: { content: "{{ json }}" }', '{"a": 1, "b": "c"}'],
  ['copy: { content: "{{ json }}\\n" }', '{"a": 1, "b": "c"}'],
  ['copy: { content: "{{ numbers }}" }', '[1, 2]'],
  ['copy: { content: " {{ numbers }}" }', ' [1,2]'],
  ['copy: { content: "[1,2]" }', '[1,2]'],
  ['copy: { content: "{{ json | string }}" }', '{"a":1,"b":"c"}'],
  ['copy: { content: "{{ [1] | to_nice_json }}" }', '[\n    1\n]'],
  ['copy: { content: "is {{ mapping }}" }', "is {'a': 1, 'b': ['x', None, True]}"],
  ['copy: { content: "{{ truth }}" }', 'True'],
  [
    'copy: { content: { a: 1, b: ["{{ list }}", ~, 1.0, "é"] } }',
    '{"a": 1, "b": [["one", "two"], null, 1.0, "\\u00e9"]}',
  ],
  ['copy: { content: [1, yes] }', '[1, true]'],
  ['copy: { content: 017 }', '15'],
  ['copy: { content: yes }', 'True'],
  ['copy: { content: 1.50 }', '1.5'],
  ['copy: { content: "" }', ''],
  ['copy: { content: x, mode: "{{ nobody_set_it | default(omit) }}", owner: "{{ left_out }}" }', 'x'],
  ['copy: { content: { a: "{{ left_out }}", b: { c: "{{ omit }}", d: 1 } } }', '{"b": {"d": 1}}'],
  ['copy: { content: "{{ left_out }}", src: crlf }', 'a\r\nb\r\n'],
  ['copy: { src: crlf }', 'a\r\nb\r\n'],
  ['copy: { src: mark }', '\uFEFFa\n'],
  ['template: { src: crlf.j2 }', 'a\nb a\n'],
  ['template: { src: mark.j2 }', '\uFEFFof a\n'],
  ['template: { src: lines.j2 }', 'a\n\n\n'],
  ['template: { src: empty.j2 }', ''],
  ['template: { src: blocks.j2 }', '  x\n  end\n'],
];

/** A directory with `hosts.yml` and the files that {@link WRITTEN_FILES} name. */
export function writtenFilesDirectory(): string {
  return writeFiles({
    'hosts.yml': INVENTORY,
    'files/crlf': 'a\r\nb\r\n',
    'files/mark': '\uFEFFa\n',
    'templates/crlf.j2': 'a\r\nb {{ inventory_hostname }}\r\n',
    'templates/mark.j2': '\uFEFFof {{ inventory_hostname }}\n',
    'templates/lines.j2': 'a\n\n\n',
    'templates/empty.j2': '',
    'templates/blocks.j2': '{% if true %}\n  x\n{% endif %}\n  {# c #}\nend\n',
  });
}

/** A play with a task for each, which writes `DIRECTORY/0`, `DIRECTORY/1`, … */
export function playOfWrittenFiles(directory: string): string {
  const tasks = WRITTEN_FILES.map(
    ([parameters], index) => `    - ${parameters.replace('{ ', `{ dest: ${directory}/${index}, `)}`,
  );
  return ['- hosts: a', '  gather_facts: false', '  tasks:', ...tasks, ''].join('\n');
}
