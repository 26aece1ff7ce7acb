import { describe, expect, test } from '@jest/globals';
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

describe('what is no such manifest is refused', () => {
  test.each([
    ['no YAML', 'a: [', 'kube_apiserver_manifest'],
    ['another pod', around('').replace('kube-apiserver', 'etcd'), 'no container kube-apiserver'],
    [
      'a shell command',
      around('    command: [sh, -c, "kube-apiserver --etcd-servers=x"]\n'),
      'no list of --name=value',
    ],
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

  test('an argument that is given twice: the apiserver would use both', () => {
    const text = around('    command: [kube-apiserver, --etcd-servers=a, --etcd-servers=b]\n');
    expect(() => edit(text, { 'etcd-servers': VIP })).toThrow('--etcd-servers is given 2 times');
  });
});
