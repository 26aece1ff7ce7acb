import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { argumentOf, readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import { withArguments } from '../../../src/resources/with-arguments.js';
import { fixture } from '../../support/fixture.js';

const PATH = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const KUBEADM = fixture('manifests/kube-apiserver.yaml');
const VIP = 'https://203.0.113.100:2379';

function edit(text: string, wanted: Readonly<Record<string, string>>): string {
  const manifest = readStaticPodManifest(PATH, text, 'kube-apiserver');
  return withArguments(manifest, new Map(Object.entries(wanted)), 'etcd-servers');
}

/** A manifest around these lines of a command. */
function around(command: string): string {
  return `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n${command}    image: x\n`;
}

describe('withArguments', () => {
  test("changes one line of kubeadm's manifest, and nothing else", () => {
    const before = KUBEADM.split('\n');
    const after = edit(KUBEADM, { 'etcd-servers': VIP }).split('\n');
    const changed = after.flatMap((line, index) => (line === before[index] ? [] : [line]));
    expect(after).toHaveLength(before.length);
    expect(changed).toEqual([`    - --etcd-servers=${VIP}`]);
  });

  test('is done when it is done', () => {
    const once = edit(KUBEADM, { 'etcd-servers': VIP });
    expect(edit(once, { 'etcd-servers': VIP })).toBe(once);
  });

  test('keeps comments, quotes, odd indentation and line ends without a last one', () => {
    const text = around(
      [
        '    command: # do not touch',
        '        - kube-apiserver   # the program',
        "        - '--etcd-servers=https://10.0.0.1:2379'  # three members",
        '        - "--v=2"',
        '',
      ].join('\n'),
    ).trimEnd();
    expect(edit(text, { 'etcd-servers': VIP })).toBe(text.replace('https://10.0.0.1:2379', VIP));
  });

  test('changes several at once, in whatever order they are wanted', () => {
    const text = around('    command:\n    - kube-apiserver\n    - --etcd-servers=https://a:1\n    - --v=2\n');
    expect(edit(text, { v: '4', 'etcd-servers': VIP, 'etcd-cafile': '/ca' })).toBe(
      text.replace('https://a:1', `${VIP}\n    - --etcd-cafile=/ca`).replace('--v=2', '--v=4'),
    );
  });

  test('adds what is missing after its anchor, in order', () => {
    const text = around('    command:\n    - kube-apiserver\n    - --etcd-servers=https://a:1 # here\n    - --v=2\n');
    expect(
      edit(text, { 'etcd-servers': VIP, 'etcd-cafile': '/ca', 'etcd-certfile': '/crt', 'etcd-keyfile': '/key' }),
    ).toBe(
      around(
        [
          '    command:',
          '    - kube-apiserver',
          `    - --etcd-servers=${VIP} # here`,
          '    - --etcd-cafile=/ca',
          '    - --etcd-certfile=/crt',
          '    - --etcd-keyfile=/key',
          '    - --v=2',
          '',
        ].join('\n'),
      ),
    );
  });

  test('knows flow lists, where a comma needs quotes', () => {
    const text = around('    command: [kube-apiserver, --etcd-servers=https://a:1, --v=2]\n');
    expect(edit(text, { 'etcd-servers': 'https://a:1,https://b:1', 'etcd-cafile': '/ca' })).toBe(
      around('    command: [kube-apiserver, "--etcd-servers=https://a:1,https://b:1", --etcd-cafile=/ca, --v=2]\n'),
    );
  });

  test('reads arguments from args as well as from command', () => {
    const text = around('    command: [kube-apiserver]\n    args:\n    - --etcd-servers=https://a:1\n');
    expect(argumentOf(readStaticPodManifest(PATH, text, 'kube-apiserver'), 'etcd-servers')).toBe('https://a:1');
  });
});

/** The command line that a manifest gives, as another reader of YAML sees it. */
function commandLine(text: string): readonly string[] {
  const { spec } = parse(text, { merge: true }) as {
    spec: { containers: readonly { name: string; command?: readonly string[]; args?: readonly string[] }[] };
  };
  const found = spec.containers.find(({ name }) => name === 'kube-apiserver');
  return [...(found?.command ?? []), ...(found?.args ?? [])];
}

describe('other spellings are understood', () => {
  const words = { 'etcd-servers': VIP, 'etcd-cafile': '/ca' };
  const done = ['kube-apiserver', `--etcd-servers=${VIP}`, '--etcd-cafile=/ca', '--v=2'];

  test.each<readonly [string, string, readonly string[]]>([
    [
      'a folded block scalar',
      '    command:\n    - kube-apiserver\n    - >-\n      --etcd-servers=https://a:1,\n      https://b:1\n    - --v=2\n',
      done,
    ],
    [
      'a literal block scalar, and more lines after it',
      '    command:\n    - kube-apiserver\n    - |\n      --etcd-servers=https://a:1\n\n    # next\n    - --v=2\n',
      done,
    ],
    [
      'a value that goes on in the next line',
      '    command:\n    - kube-apiserver\n    - --etcd-servers=https://a:1,\n      https://b:1\n    - --v=2\n',
      done,
    ],
    [
      'two words',
      '    command:\n    - kube-apiserver\n    - --etcd-servers\n    - "https://a:1"\n    - --v=2\n',
      ['kube-apiserver', '--etcd-servers', VIP, '--etcd-cafile=/ca', '--v=2'],
    ],
    [
      'underscores',
      '    command: [kube-apiserver, --etcd_servers=https://a:1, --v=2]\n',
      ['kube-apiserver', `--etcd_servers=${VIP}`, '--etcd-cafile=/ca', '--v=2'],
    ],
    ['args', '    command: [kube-apiserver]\n    args:\n      - --etcd-servers=https://a:1\n      - --v=2\n', done],
    ['args alone', '    args:\n    - --etcd-servers=https://a:1\n    - --v=2\n', done.slice(1)],
    [
      'a flow list over several lines',
      '    command: [\n      kube-apiserver, # it\n      "--etcd-servers=https://a:1",\n      --v=2 ]\n',
      done,
    ],
    [
      'an anchor that nobody uses',
      '    command:\n    - kube-apiserver\n    - &servers --etcd-servers=https://a:1\n    - --v=2\n',
      done,
    ],
    [
      'more than one blank after the dash',
      "    command:\n      -   kube-apiserver\n      -   '--etcd-servers=https://a:1'\n      -   --v=2\n",
      done,
    ],
  ])('%s', (_, command, expected) => {
    const text = around(command);
    const after = edit(text, words);
    expect(commandLine(after)).toEqual(expected);
    expect(edit(after, words)).toBe(after);
    expect(after.split('\n').filter((line) => line.includes('#'))).toHaveLength(text.split('#').length - 1);
  });

  test('Windows line ends stay, on added lines too', () => {
    const text = around('    command:\n    - kube-apiserver\n    - --etcd-servers=https://a:1\n').replaceAll(
      '\n',
      '\r\n',
    );
    const after = edit(text, words);
    expect(after).toBe(text.replace('https://a:1', `${VIP}\r\n    - --etcd-cafile=/ca`));
  });

  test('JSON', () => {
    const container = { name: 'kube-apiserver', command: ['kube-apiserver', '--etcd-servers=https://a:1'] };
    const text = JSON.stringify({ kind: 'Pod', spec: { containers: [container] } }, undefined, 2);
    expect(JSON.parse(edit(text, words))).toEqual({
      kind: 'Pod',
      spec: { containers: [{ ...container, command: done.slice(0, 3) }] },
    });
  });

  test.each(['>-', '>', '|', '|-', '"', "'", ''])(
    'whatever a word looks like, what is written is YAML (%s)',
    (style) => {
      const word = '--etcd-servers=https://a:1,https://b:1';
      const written =
        style.length > 1 || style === '|' || style === '>' ? `${style}\n        ${word}` : style + word + style;
      const after = edit(around(`    command:\n    - kube-apiserver\n    - ${written}\n    - --v=2\n`), words);
      expect(commandLine(after)).toEqual(done);
    },
  );
});

describe('what is no such manifest is refused', () => {
  test.each([
    ['no YAML', 'a: [', 'kube_apiserver_manifest'],
    ['tabs', around('\tcommand: [kube-apiserver]\n'), 'TAB_AS_INDENT'],
    ['two documents', `${KUBEADM}---\n${KUBEADM}`, 'of which the kubelet reads only the first'],
    ['another pod', around('').replace('kube-apiserver', 'etcd'), 'no container kube-apiserver'],
    ['no command', around(''), 'not a list of --name=value'],
    [
      'a shell command',
      around('    command: [sh, -c, "kube-apiserver --etcd-servers=x"]\n'),
      'not a list of --name=value',
    ],
    ['a command that is a text', around('    command: kube-apiserver --etcd-servers=x\n'), 'not written as a list'],
    ['a command by an alias', `x: &c [--etcd-servers=x]\n${around('    command: *c\n')}`, 'not written as a list'],
    ['a command by a merge', `x: &c {command: [--etcd-servers=x]}\n${around('    <<: *c\n')}`, 'not written as a list'],
    ['a word that is a map', around('    command: [--etcd-servers=x, {a: b}]\n'), 'is not a plain word'],
  ])('%s', (_, text, words) => {
    expect(() => readStaticPodManifest(PATH, text, 'kube-apiserver')).toThrow(
      expect.objectContaining({ code: 'manifest-unreadable' }),
    );
    try {
      readStaticPodManifest(PATH, text, 'kube-apiserver');
    } catch (error) {
      expect(`${String(error)} ${(error as { hint: string }).hint}`).toContain(words);
    }
  });

  test.each([
    [
      'an argument that is given twice: the apiserver would use both',
      '    command: [kube-apiserver, --etcd-servers=a, --etcd_servers=b]\n',
      '--etcd-servers is given 2 times',
    ],
    ['none', '    command: [kube-apiserver, --v=2]\n', 'it gives no --etcd-servers'],
    ['one without a value', '    command: [kube-apiserver, --v=2, --etcd-servers]\n', 'it gives no --etcd-servers'],
    [
      'a variable',
      '    command: [kube-apiserver, --etcd-servers=$(SERVERS)]\n',
      '--etcd-servers is given by a variable: $(SERVERS)',
    ],
    [
      'an alias',
      '    env: [{name: A, value: &s --etcd-servers=https://a:1}]\n    command: [kube-apiserver, *s]\n',
      'it is a YAML alias',
    ],
    [
      'a word that others use by its anchor: they would change with it',
      '    command: [kube-apiserver, &s --etcd-servers=https://a:1]\n    env: [{name: A, value: *s}]\n',
      'it would say more or less than was wanted',
    ],
    [
      'a dash in a line of its own',
      '    command:\n    -\n      --etcd-servers=https://a:1\n',
      'it is not on the line of its dash',
    ],
  ])('%s', (_, command, words) => {
    const wanted = { 'etcd-servers': VIP, 'etcd-cafile': '/ca' };
    expect(() => edit(around(command), wanted)).toThrow(words);
    expect(() => edit(around(command), wanted)).toThrow(PATH);
  });

  test('an alias is named by its word', () => {
    const command = '    env: [{name: A, value: &s --etcd-servers=https://a:1}]\n    command: [kube-apiserver, *s]\n';
    expect(() => edit(around(command), { 'etcd-servers': VIP })).toThrow(
      '--etcd-servers=https://a:1 is defined elsewhere in the file: it is a YAML alias',
    );
  });
});
