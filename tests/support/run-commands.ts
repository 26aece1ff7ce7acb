/** Tasks that run `show`, whose first argument names the file that it writes; and what Ansible has it write: each argument in brackets. */
export const RUN_COMMANDS: readonly (readonly [task: string, shown: string])[] = [
  ['command: { cmd: ./show OUT a "b  c" \'d e\' f\\ g, chdir: DIR, creates: OUT }', '[a][b  c][d e][f g]'],
  ['command: ./show OUT *.none ? [ab]\n      args: { chdir: DIR, creates: OUT }', '[*.none][?][[ab]]'],
  [
    'command: ./show OUT $NOT_SET ${NOT_SET} "$NOT_SET x" a$b-\n      args: { chdir: DIR, creates: OUT }',
    '[$NOT_SET][${NOT_SET}][$NOT_SET x][a$b-]',
  ],
  [
    'command: ./show OUT $HOME/x ${HOME} "in $HOME"\n      args: { chdir: DIR, creates: OUT }',
    '[HOME/x][HOME][in HOME]',
  ],
  ['command: ./show OUT ~ ~/x a~\n      args: { chdir: DIR, creates: OUT }', '[HOME][HOME/x][a~]'],
  ['command: ./show OUT http://x/?a=1&b=2 a;b\n      args: { chdir: DIR, creates: OUT }', '[http://x/?a=1&b=2][a;b]'],
  ['command: ./show OUT "" \'\' {a,b} !x %d\n      args: { chdir: DIR, creates: OUT }', '[][][{a,b}][!x][%d]'],
  [
    'command: { argv: [./show, OUT, a b, "$HOME", "*", "x;y", "&&", ""], chdir: DIR, creates: OUT }',
    '[a b][HOME][*][x;y][&&][]',
  ],
  ['command: >\n        ./show OUT a\n        b\n      args: { chdir: DIR, creates: OUT }', '[a][b]'],
  ['command:\n        cmd: ./show OUT own\n        chdir: DIR\n      args: { creates: OUT }', '[own]'],
  ['command: { argv: [./show, OUT, 5, true], chdir: DIR, creates: OUT }', '[5][True]'],
  [
    'command: |\n        ./show OUT a \\\n          "b c"\n        d\n      args: { chdir: DIR, creates: OUT }',
    '[a][b c][d]',
  ],
  [
    'command: ./show OUT "a\\$b" "x\\\\y" "q\\"q" --creates=foo\n      args: { chdir: DIR, creates: OUT }',
    '[a\\$b][x\\y][q"q][--creates=foo]',
  ],
  [
    'shell: ./show OUT "$(echo a b)" {1,2} $((1 + 1)) $NOT_SET && true\n      args: { chdir: DIR, creates: OUT }',
    '[a b][{1,2}][2]',
  ],
  ['shell: { cmd: "false; ./show OUT goes on", chdir: DIR, creates: OUT }', '[goes][on]'],
  [
    'shell: |\n        x="a b"\n        ./show OUT "$x" \\\n          c\n      args: { chdir: DIR, creates: OUT }',
    '[a b][c]',
  ],
  ['shell: ./show OUT {1,2} <<<x\n      args: { chdir: DIR, creates: OUT, executable: /bin/bash }', '[1][2]'],
  ['ansible.builtin.shell: ./show OUT {{ word }}\n      args: { chdir: DIR, creates: OUT }', '[of][Jinja2]'],
  ['ansible.builtin.command: ./show OUT {{ word }}\n      args: { chdir: DIR, creates: OUT }', '[of][Jinja2]'],
];

/** What a task runs: it writes its arguments but for the first, each in brackets, to the file that the first names. */
export const SHOW = '#!/bin/sh\nout=$1\nshift\nfor each; do printf "[%s]" "$each"; done >"$out"\n';

/** The play of {@link RUN_COMMANDS}, with what they write in `out`. @param directory where `show` is */
export function playOfCommands(directory: string): string {
  const tasks = RUN_COMMANDS.map(
    ([task], index) => `    - ${task.replaceAll('DIR', directory).replaceAll('OUT', `out/${index}`)}`,
  );
  return ['- hosts: a', '  gather_facts: false', '  vars: { word: of Jinja2 }', '  tasks:', ...tasks, ''].join('\n');
}
