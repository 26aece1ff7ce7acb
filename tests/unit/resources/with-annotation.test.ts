import { describe, expect, test } from '@jest/globals';
import { annotationOf, withAnnotation } from '../../../src/resources/with-annotation.js';
import { fixture } from '../../support/fixture.js';

const PATH = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const NAME = 'provision/restarts';
const KUBEADM = fixture('manifests/kube-apiserver.yaml');

function edit(text: string, value = '1'): string {
  return withAnnotation({ path: PATH, text }, NAME, value);
}

describe('withAnnotation', () => {
  test("adds one line to kubeadm's manifest, and then changes that alone", () => {
    const once = edit(KUBEADM);
    const [before, after] = [KUBEADM.split('\n'), once.split('\n')];
    expect(after.filter((line) => !before.includes(line))).toEqual([`    ${NAME}: "1"`]);
    expect(after).toHaveLength(before.length + 1);
    expect(edit(once, '2')).toBe(once.replace('"1"', '"2"'));
    expect([annotationOf({ text: KUBEADM }, NAME), annotationOf({ text: once }, NAME)]).toEqual([undefined, '1']);
  });

  test.each([
    [
      'no annotations',
      'metadata:\n  name: a # mine\n',
      'metadata:\n  annotations:\n    provision/restarts: "1"\n  name: a # mine\n',
    ],
    [
      'a comment above',
      'metadata:\n  annotations:\n    # why\n    a: b\n',
      'metadata:\n  annotations:\n    # why\n    provision/restarts: "1"\n    a: b\n',
    ],
    ['braces', 'metadata: {name: a}\n', 'metadata: {"annotations": {"provision/restarts": "1"}, name: a}\n'],
    [
      'JSON',
      '{"metadata": {"annotations": {"a": "b"}}}',
      '{"metadata": {"annotations": {"provision/restarts": "1", "a": "b"}}}',
    ],
    [
      'line ends of Windows',
      'metadata:\r\n  name: a\r\n',
      'metadata:\r\n  annotations:\r\n    provision/restarts: "1"\r\n  name: a\r\n',
    ],
    [
      'its own, quoted',
      "metadata:\n  annotations:\n    'provision/restarts': '7'\n",
      'metadata:\n  annotations:\n    \'provision/restarts\': "1"\n',
    ],
    [
      'a number of others',
      'metadata:\n  annotations:\n    provision/restarts: 7\n',
      'metadata:\n  annotations:\n    provision/restarts: "1"\n',
    ],
  ])('%s', (_, text, wanted) => {
    expect(edit(text)).toBe(wanted);
  });

  test.each([
    ['no metadata', 'spec: {}\n'],
    ['metadata that is no map', 'metadata: x\n'],
    ['annotations that are a list', 'metadata:\n  annotations: [a]\n'],
    ['annotations without one', 'metadata:\n  annotations: {}\n'],
    ['annotations of elsewhere', 'x: &x\n  a: b\nmetadata:\n  annotations: *x\n'],
  ])('refuses %s', (_, text) => {
    expect(() => edit(text)).toThrow(expect.objectContaining({ code: 'manifest-unreadable' }));
  });
});
