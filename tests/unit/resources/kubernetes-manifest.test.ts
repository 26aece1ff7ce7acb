import { describe, expect, test } from '@jest/globals';
import { appliedObjects, liveObject, type AppliedObject, type LiveObject } from '../../../src/facts/applied-objects.js';
import { manifestDiff, type ManifestDiff } from '../../../src/facts/manifest-diff.js';
import type { Outcome } from '../../../src/model/change.js';
import { kubernetesManifest } from '../../../src/resources/kubernetes-manifest.js';
import { fakeProbe, fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';

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

/** What the cluster has of {@link TEXT}. */
const LISTED: readonly AppliedObject[] = [
  { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'net' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'net', name: 'agent' },
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', namespace: '', name: 'pools.net' },
];

function host(
  isThere: boolean,
  found?: ManifestDiff,
  listed: readonly AppliedObject[] | undefined = LISTED,
  live: Readonly<Record<string, LiveObject>> = {},
): FakeAnswers {
  return {
    'applied-objects': { network: listed },
    'live-objects': live,
    'file-contents': { '/var/lib/provision/kubernetes': undefined },
    paths: {
      '/etc/kubernetes/kubelet.conf': isThere,
      '/etc/kubernetes/bootstrap-kubelet.conf': false,
      '/etc/kubernetes/admin.conf': isThere,
      '/etc/kubernetes/manifests/kube-apiserver.yaml': isThere,
    },
    'manifest-diffs': { [TEXT]: found },
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

  describe('an object that the file has no more', () => {
    const SAME: ManifestDiff = { kind: 'compared', objects: [] };
    const OLD = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'net', name: 'old' };
    const gone = (object: AppliedObject, is: LiveObject): FakeAnswers =>
      host(true, SAME, [...LISTED, object], {
        [[object.apiVersion, object.kind, object.namespace || '-', object.name].join(' ')]: is,
      });
    const summaries = (outcome: Outcome): readonly string[] =>
      outcome.kind !== 'change'
        ? [outcome.kind]
        : outcome.change.actions.map((action) => (action.kind === 'run' ? action.command.summary : action.kind));
    const NOTE = 'note what was applied in ConfigMap kube-system/provision-network';

    const told = async (answers: FakeAnswers, text = TEXT): Promise<string | undefined> => {
      const resource = kubernetesManifest({ path: '/srv/cni.yaml', text }, ['cp-1', 'cp-2']);
      return resource.doubt?.(fakeProbe(answers, { 'cp-1': answers, 'cp-2': host(false) }, 'cp-1'));
    };

    test('stays, and is reported with the command, where it is by this program', async () => {
      expect(summaries(await plan({ 'cp-1': gone(OLD, 'ours') }))).toEqual(['unchanged']);
      expect(await told(gone(OLD, 'ours'))).toBe(
        'cni.yaml has no more ConfigMap net/old, which stay: delete by hand what nobody needs, on a control plane: kubectl delete ConfigMap old -n net',
      );
      const agent = { ...OLD, apiVersion: 'apps/v1', kind: 'DaemonSet' };
      expect(await told(gone(agent, 'ours'))).toContain('kubectl delete DaemonSet.v1.apps old -n net');
    });

    test.each(['others', 'absent', 'unknown'] as const)('is nobody’s word where it is there as %s', async (is) => {
      expect(summaries(await plan({ 'cp-1': gone(OLD, is) }))).toEqual(['unchanged']);
      expect(await told(gone(OLD, is))).toBeUndefined();
    });

    test('is none that the file has in a list, nor by its default namespace', async () => {
      const item = 'apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: old, namespace: default}';
      const text = `${TEXT}---\napiVersion: v1\nkind: List\nitems:\n- ${item}\n`;
      expect(await told(gone({ ...OLD, namespace: '' }, 'ours'), text)).toBeUndefined();
    });

    test('all that is there is on the list before it is made, and a cluster of an earlier version gets its list', async () => {
      const found: ManifestDiff = { kind: 'compared', objects: [CHANGED] };
      const apply = 'kubectl apply --server-side -f cni.yaml';
      expect(summaries(await plan({ 'cp-1': host(true, found, LISTED.slice(1)) }))).toEqual([NOTE, apply]);
      const first = await plan({ 'cp-1': host(true, SAME, []) });
      expect(first).toMatchObject({
        change: { summary: 'note which objects are those of cni.yaml', disruptive: false },
      });
      expect(summaries(first)).toEqual([NOTE]);
      expect(summaries(await plan({ 'cp-1': host(false) }))).toEqual([NOTE, apply]);
    });

    test('another version of its API is the same object', async () => {
      const older = LISTED.map((each) => ({ ...each, apiVersion: each.apiVersion.replace(/v1$/, 'v1beta1') }));
      expect(summaries(await plan({ 'cp-1': host(true, SAME, older) }))).toEqual(['unchanged']);
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

describe('what the cluster says of applied objects', () => {
  const GONE = `error: the server doesn't have a resource type "Pool"`;
  const answer = (status: number, out: string, beside = ''): string =>
    `${[String(status), ...[out, beside].map((text) => Buffer.from(text).toString('base64'))].join(' ')}\n`;

  test('is read line by line, and what names no object is passed over', () => {
    const text = 'apps/v1 DaemonSet net agent\nv1 Namespace - net\nv1 Pod $(x) y\n; rm\n';
    expect(appliedObjects.parse(answer(0, text), ['network']).get('network')).toEqual([
      { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'net', name: 'agent' },
      { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: 'net' },
    ]);
    expect(appliedObjects.parse(answer(0, ''), ['network']).get('network')).toBeUndefined();
    expect(() => appliedObjects.parse(answer(1, '', 'refused'), ['network'])).toThrow();
  });

  test.each([
    [0, 'kube-controller-manager/Update provision/Apply ', '', 'ours'],
    [0, 'helm/Apply provision/Update', '', 'others'],
    // A warning is no manager.
    [0, 'helm/Apply', 'Warning: v1beta1 provision/Apply is deprecated', 'others'],
    [0, '', '', 'absent'],
    [0, '', 'Warning: v1beta1 is deprecated', 'absent'],
    [1, '', GONE, 'absent'],
    // Discovery is broken for a moment: the kind may be there.
    [
      1,
      '',
      `E1127 memcache.go:287] couldn't get resource list for a/v1: the server is currently unable\n${GONE}`,
      'unknown',
    ],
    [1, '', `${GONE}\nUnable to connect to the server`, 'unknown'],
    [1, 'helm/Apply', GONE, 'unknown'],
    [1, GONE, '', 'unknown'],
    [1, '', 'Unable to connect to the server', 'unknown'],
    [137, '', '', 'unknown'],
  ])('of one object: %s %j %j', (status, out, beside, expected) => {
    expect(liveObject.parse(answer(status, out, beside), ['k']).get('k')).toBe(expected);
  });

  test('nothing is an error', () => {
    expect(() => liveObject.parse('1 eA==\n', ['k'])).toThrow('an object has no answer');
  });
});
