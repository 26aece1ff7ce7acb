import { describe, expect, test } from '@jest/globals';
import { manifestDiff, type ManifestDiff } from '../../../src/facts/manifest-diff.js';
import type { Outcome } from '../../../src/model/change.js';
import { kubernetesManifest } from '../../../src/resources/kubernetes-manifest.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';

const TEXT = `# The network.
---
apiVersion: v1
kind: Namespace
metadata: {name: net}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: net}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pools.net}
spec: {names: {kind: Pool}}
`;

function host(isThere: boolean, found?: ManifestDiff, text = TEXT): FakeAnswers {
  return {
    'file-contents': { '/var/lib/provision/kubernetes': undefined },
    paths: {
      '/etc/kubernetes/kubelet.conf': isThere,
      '/etc/kubernetes/bootstrap-kubelet.conf': false,
      '/etc/kubernetes/admin.conf': isThere,
      '/etc/kubernetes/manifests/kube-apiserver.yaml': isThere,
    },
    'manifest-diffs': { [text]: found },
  };
}

/** On the first of two control planes, unless another is named. */
async function plan(hosts: Readonly<Record<string, FakeAnswers>>, on = 'cp-1'): Promise<Outcome> {
  const resource = kubernetesManifest({ path: '/srv/cni.yaml', text: TEXT }, ['cp-1', 'cp-2']);
  const probe = fakeProbes({ 'cp-2': host(false), ...hosts }).get(on);
  if (probe === undefined) throw new Error('there is no such host');
  return resource.plan(probe);
}

const live = async (found: ManifestDiff): Promise<Outcome> => plan({ 'cp-1': host(true, found) });

const diffOf = (outcome: Outcome): readonly string[] =>
  outcome.kind === 'change' ? outcome.change.diff : [outcome.kind];

const CHANGED = { name: 'v1.ConfigMap.net.cfg', before: 'data:\n  a: "1"\n', after: 'data:\n  a: "2"\n' };

describe('manifests that the inventory names', () => {
  test('on bare hosts all objects are shown; on a cluster what differs; and nothing where nothing does', async () => {
    expect(diffOf(await plan({ 'cp-1': host(false) }))).toEqual([
      ...['+ Namespace net', '+ DaemonSet net/agent', '+ CustomResourceDefinition pools.net'],
    ]);
    expect(diffOf(await live({ kind: 'compared', objects: [CHANGED] }))).toEqual(
      expect.arrayContaining(['-  a: "1"', '+  a: "2"']),
    );
    expect(await live({ kind: 'compared', objects: [] })).toEqual({ kind: 'unchanged' });
  });

  test('values of secrets are not shown', async () => {
    const objects = [{ name: 'v1.Secret.net.key', before: undefined, after: 'data:\n  k: planted\n' }];
    expect(diffOf(await live({ kind: 'compared', objects }))).toEqual(['~ v1.Secret.net.key: [redacted]']);
  });

  test('one control plane applies them: the first that serves, also where the first of the inventory is a new machine', async () => {
    const found: ManifestDiff = { kind: 'compared', objects: [CHANGED] };
    const replaced = { 'cp-1': host(false), 'cp-2': host(true, found) };
    expect(await plan(replaced)).toEqual({ kind: 'unchanged' });
    expect((await plan(replaced, 'cp-2')).kind).toBe('change');
    const away = { 'cp-1': UNREACHABLE, 'cp-2': host(true, found) };
    expect((await plan(away, 'cp-2')).kind).toBe('change');
    expect(await plan({ 'cp-1': host(false) }, 'cp-2')).toEqual({ kind: 'unchanged' });
  });

  test.each([
    ['namespaces "net" not found', 'change'],
    ['namespaces "other" not found', 'unknown'],
    ['no matches for kind "Pool" in version "v1"', 'change'],
    ['no matches for kind "Other" in version "v1"', 'unknown'],
    ['no matches for kind "DaemonSet" in version "v1"', 'unknown'],
    ['connection refused', 'unknown'],
  ])(
    'what cannot be compared is applied only where the file itself makes what is missing: %s',
    async (reason, kind) => {
      expect((await live({ kind: 'failed', reason })).kind).toBe(kind);
    },
  );

  test('what others have set is refused', async () => {
    await expect(live({ kind: 'conflict', reason: 'conflict with "helm"' })).rejects.toMatchObject({
      code: 'objects-conflict',
    });
  });

  test('another difference is other evidence: a plan that was agreed to is not performed for it', () => {
    const other = { kind: 'compared', objects: [{ ...CHANGED, after: 'data:\n  a: "3"\n' }] } as const;
    const evidence = (found: ManifestDiff): unknown => manifestDiff.evidence?.(found);
    expect(evidence(other)).not.toBe(evidence({ kind: 'compared', objects: [CHANGED] }));
  });

  test.each([
    ['', 'it holds 0 objects of Kubernetes'],
    ['# nothing\n', 'it holds 0 objects of Kubernetes'],
    ['kind: [', 'document 1 of it is no object'],
    ['a: 1\n', 'document 1 of it is no object'],
    ['---\nkind: X\n', 'document 1 of it is no object'],
    ['kind: X\napiVersion: v1\n---\nkind: Y\n', 'document 2 of it is no object'],
  ])('no objects: %j', (text, why) => {
    expect(() => kubernetesManifest({ path: '/srv/cni.yaml', text }, ['cp-1'])).toThrow(`/srv/cni.yaml: ${why}`);
  });
});

describe('the answer of kubectl diff', () => {
  const parse = (status: number, text: string): ManifestDiff | undefined =>
    manifestDiff.parse(`${status} ${Buffer.from(text).toString('base64')}\n`, ['m']).get('m');

  const section = (name: string, ...lines: readonly string[]): string =>
    [
      `diff -N -U999999 /run/LIVE-1/${name} /run/MERGED-2/${name}`,
      `--- /run/LIVE-1/${name}\t2026`,
      `+++ /run/MERGED-2/${name}\t2026`,
      '@@ -1,9 +1,9 @@',
      ...lines,
      '',
    ].join('\n');

  test('has each object as it is and as it would be, without what is only counted or reported', () => {
    const text = section(
      'v1.ConfigMap.net.cfg',
      ' data:',
      '-  a: "1"',
      '+  a: "2"',
      '   generation: "7"',
      ' metadata:',
      '-  generation: 1',
      '+  generation: 2',
      '   managedFields:',
      '   - apiVersion: v1',
      '-    time: "1"',
      '+    time: "2"',
      '   name: cfg',
      '   uid: x',
      ' status:',
      '   conditions:',
      '-  - ready: 1',
      '+  - ready: 2',
    );
    const of = (a: number): string => `data:\n  a: "${a}"\n  generation: "7"\nmetadata:\n  name: cfg\n`;
    expect(parse(1, text)).toEqual({
      kind: 'compared',
      objects: [{ name: 'v1.ConfigMap.net.cfg', before: of(1), after: of(2) }],
    });
  });

  test('has no object of which only that changes; a new one has no side before', () => {
    const counted = section(
      'v1.ConfigMap.a.b',
      ' metadata:',
      '-  generation: 1',
      '+  generation: 2',
      '-status: 1',
      '+status: 2',
    );
    const fresh = section('v1.ConfigMap.a.c', '+data:', '+  uid: x');
    expect(parse(1, counted + fresh)).toEqual({
      kind: 'compared',
      objects: [{ name: 'v1.ConfigMap.a.c', before: undefined, after: 'data:\n  uid: x\n' }],
    });
  });

  test.each<readonly [string, number, string, ManifestDiff]>([
    ['nothing', 0, '', { kind: 'compared', objects: [] }],
    [
      'a namespace that is not there',
      1,
      'Error from server (NotFound): namespaces "net" not found',
      { kind: 'failed', reason: 'Error from server (NotFound): namespaces "net" not found' },
    ],
    [
      'others',
      1,
      'error: Apply failed with 1 conflict: conflict with "helm": .data.a',
      { kind: 'conflict', reason: 'error: Apply failed with 1 conflict: conflict with "helm": .data.a' },
    ],
    ['no kubectl', 127, 'sh: 1: kubectl: not found', { kind: 'failed', reason: 'sh: 1: kubectl: not found' }],
    ['no answer', 1, '', { kind: 'failed', reason: 'status 1' }],
  ])('%s', (_, status, text, expected) => {
    expect(parse(status, text)).toEqual(expected);
  });

  test('nonsense is an error', () => {
    expect(() => manifestDiff.parse('hello', ['m'])).toThrow();
  });
});
