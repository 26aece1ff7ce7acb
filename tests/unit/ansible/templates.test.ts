import { beforeAll, describe, expect, test } from '@jest/globals';
import { InputError } from '../../../src/model/errors.js';
import type { Inventory } from '../../../src/model/inventory.js';
import type { Json } from '../../../src/model/json.js';
import { hostOf, loadFiles } from '../../support/write-inventory.js';

let inventory: Inventory;
beforeAll(async () => {
  inventory = await loadFiles({
    'hosts.yml': `
all:
  vars:
    domain: example.com
    fqdn: "{{ inventory_hostname }}.{{ domain }}"
    list: ["{{ fqdn }}", "etcd.{{ domain }}"]
    alias: "{{ list }}"
    mapping: { port: "{{ 2000 + 379 }}", nested: { deep: [1, { x: y }] } }
    port: "{{ mapping.port }}"
    flag: "{{ true }}"
    text_flag: "no"
    wrong: "{{ missing_thing }}"
    excused: "{{ wrong | default('fallback') }}"
    unsafe: !unsafe "{{ never }}"
    omitted: "{{ gone | default(omit) }}"
    omitting: { a: ["{{ omitted }}"] }
    circle: "{{ circle_b }}"
    circle_b: "{{ circle }}"
    as_list: "[{{ port }}, 'a']"
    number: 5
  children:
    etcd:
      hosts:
        etcd-[1:2]:
    kube_control_plane:
      hosts:
        cp-1: { own: "{{ hostvars['etcd-2'].fqdn }}" }
`,
  });
});

const render = (text: string, extra?: Readonly<Record<string, Json>>): string =>
  inventory.render('etcd-1', text, extra).reveal();

describe('variables', () => {
  test.each<[string, Json]>([
    ['fqdn', 'etcd-1.example.com'],
    ['alias', ['etcd-1.example.com', 'etcd.example.com']],
    ['mapping', { port: 2379, nested: { deep: [1, { x: 'y' }] } }],
    ['port', 2379],
    ['flag', true],
    ['excused', 'fallback'],
    ['unsafe', '{{ never }}'],
    ['as_list', [2379, 'a']],
    ['group_names', ['etcd']],
    ['inventory_hostname_short', 'etcd-1'],
  ])('%s keeps its type', (name, value) => {
    expect(hostOf(inventory, 'etcd-1').variables.get(name)).toStrictEqual(value);
  });

  test('a variable that is not set is undefined, and has no place', () => {
    expect(hostOf(inventory, 'etcd-1').variables.get('nobody')).toBeUndefined();
    expect(hostOf(inventory, 'etcd-1').variables.at('nobody')).toBeUndefined();
  });

  test('one host sees the variables of another as that one does', () => {
    expect(hostOf(inventory, 'cp-1').variables.get('own')).toBe('etcd-2.example.com');
  });

  test.each([
    ['wrong', /hosts\.yml:12:5: wrong: 'missing_thing' is undefined \(host etcd-1\)$/],
    ['omitted', /hosts\.yml:\d+:5: omitted: uses `omit` where there is nothing to leave out.* \(host etcd-1\)$/],
    ['omitting', /hosts\.yml:\d+:5: omitting: uses `omit`/],
    ['circle', /hosts\.yml:\d+:5: circle: refers to itself: circle → circle_b → circle/],
  ])('%s is an error with its place', (name, message) => {
    expect(() => hostOf(inventory, 'etcd-1').variables.get(name)).toThrow(message);
    expect(() => hostOf(inventory, 'etcd-1').variables.get(name)).toThrow(InputError);
  });
});

describe('render', () => {
  test.each([
    ['plain text', 'plain text'],
    ['a\n{{ domain }}\n', 'a\nexample.com\n'],
    ['{{ true }} {{ none }}|{{ [1, "a", none, false] }} {{ {"k": 1} }}', "True |[1, 'a', None, False] {'k': 1}"],
    [
      "{% for h in groups['etcd'] %}{{ h }}={{ hostvars[h].fqdn }}{{ ',' if not loop.last }}{% endfor %}",
      'etcd-1=etcd-1.example.com,etcd-2=etcd-2.example.com',
    ],
    ["{{ groups['etcd'] | map('extract', hostvars, 'fqdn') | join(',') }}", 'etcd-1.example.com,etcd-2.example.com'],
    ["{{ groups.etcd | map('extract', hostvars, ['mapping', 'port']) | list }}", '[2379, 2379]'],
    ['{# {{ nope }} #}{% raw %}{{ raw }}{% endraw %}{{ "}}" }}', '{{ raw }}}}'],
    ['{% if port > 2000 %}\nbig\n{% endif %}\nend', 'big\nend'],
    ['{% set domain = "other" %}{{ domain }}', 'other'],
    ['{{ domain.split(".")[0] }} {{ domain[0:3] }} {{ domain[-1] }} {{ mapping.nested.deep[1].x }}', 'example exa m y'],
    [
      '{{ nope | default("d") }} {{ nope.a.b | default("e") }} {{ "" | default("f", true) }} {{ nope is defined }}',
      'd e f False',
    ],
    ['{{ groups.get("etcd") | length }} {{ groups[group_names[0]] | first }}', '2 etcd-1'],
    ['{{ domain | regex_replace("^(\\w+)\\.", "\\\\1-") }}', 'example-com'],
    [
      '{{ "no" | bool }} {{ "7" | int + 1 }} {{ true | ternary("a", "b") }} {{ "x" | b64encode | b64decode }}',
      'False 8 a x',
    ],
    ['{{ {"a": 1} | combine({"b": [2]}) | to_json }} {{ "[1]" | from_json | first }}', '{"a": 1, "b": [2]} 1'],
    [
      '{{ "1.10.0" is version("1.9", ">") }} {{ domain is match("ex") }} {{ domain is search("com$") }}',
      'True True True',
    ],
  ])('%s', (text, result) => {
    expect(render(text)).toBe(result);
  });

  test("a play's variables go before the host's, and are templates too", () => {
    const play = inventory.withVariables({ x: '{{ fqdn }}!', domain: 'play' });
    expect(play.render('etcd-1', '{{ x }} {{ fqdn }}').reveal()).toBe('etcd-1.play! etcd-1.play');
    expect(render('{{ fqdn }}')).toBe('etcd-1.example.com');
  });

  test.each(["{{hostvars['etcd-2'].fqdn}}", '{% for x in range(9) %}x{% endfor %}', '{# gone #}', '[{{ fqdn }}]'])(
    'the value %s is text, alone, in lists and in mappings',
    (value) => {
      const text = '{{ a }} {{ b[0] }} {{ c.d.e }} {% for x in b %}{{ x }}{% endfor %}';
      const values = { a: value, b: [value], c: { d: { e: value } } };
      expect(render(text, values)).toBe([value, value, value, value].join(' '));
    },
  );

  test.each([
    ['{{ domian }}', "'domian' is undefined; did you mean domain?"],
    ['{{ domian == 1 }}', "'domian' is undefined"],
    ['{{ mapping.prot }}', `'mapping' has no "prot"; did you mean port?`],
    ["{{ hostvars['etcd-9'].x }}", 'there is no such host in'],
    ["{{ hostvars['etcd-2'].nope }}", "hostvars['etcd-2'] has no 'nope'"],
    ['{% for h in list %}{{ h.name }}{% endfor %}', 'undefined value'],
    ['{{ domain | nosuchfilter }}', "unknown filter 'nosuchfilter'"],
    ['{{ lookup("env", "HOME") }}', 'lookups are not run: write the value in the inventory'],
    ['{{ "{" | from_json }}', 'filter from_json'],
    ['{% if %}', 'syntax error'],
    ['{{ domain', 'syntax error'],
    ['{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}', 'fuel'],
  ])('%s is refused', (text, message) => {
    expect(() => render(text)).toThrow(message);
    // The engine lives on.
    expect(render('{{ port }}')).toBe('2379');
  });
});

describe('test', () => {
  test.each<[string, boolean]>([
    ["inventory_hostname == 'etcd-1'", true],
    ["'etcd' in group_names and not flag", false],
    ['flag', true],
    ['not text_flag | bool', true],
    ['nope is not defined', true],
    ['nope is defined and nope == 1', false],
    ["groups['etcd'][0] == inventory_hostname", true],
    ['number', true],
    ['number - 5', false],
  ])('%s', (expression, result) => {
    expect(inventory.test('etcd-1', expression)).toBe(result);
  });

  test.each(['nope == 1', 'nope', 'not nope'])('%s is refused: a missing variable is no answer', (expression) => {
    expect(() => inventory.test('etcd-1', expression)).toThrow("'nope' is undefined");
  });
});

describe('withVariables', () => {
  test('lies over the variables of every host', () => {
    const play = inventory.withVariables({ domain: 'play', made: '{{ fqdn }}' });
    expect(hostOf(play, 'etcd-2').variables.get('made')).toBe('etcd-2.play');
    expect(hostOf(play, 'cp-1').variables.get('own')).toBe('etcd-2.play');
    expect(play.render('etcd-1', '{{ made }}').reveal()).toBe('etcd-1.play');
    expect(hostOf(inventory, 'etcd-2').variables.get('fqdn')).toBe('etcd-2.example.com');
  });
});
