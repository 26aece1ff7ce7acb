import { describe, expect, test } from '@jest/globals';
import { manifestDiff, type ManifestDiff } from '../../../src/facts/manifest-diff.js';

const KEY = 'kind: Pool\n';

/** What is made of the status and the words of `kubectl diff`. */
function parse(status: number, text: string): ManifestDiff | undefined {
  const line = `${status} ${Buffer.from(text).toString('base64')}`;
  return manifestDiff.parse(`${line}\n`, [KEY]).get(KEY);
}

/** As `diff -N -U999999` prints an object. */
function section(name: string, ...lines: readonly string[]): string {
  const [live, merged] = ['LIVE-12', 'MERGED-34'].map((side) => `/run/${side}/${name}`);
  return [
    `diff -N -U999999 ${live ?? ''} ${merged ?? ''}`,
    `--- ${live ?? ''}\t2026-11-27 10:00:00.000000000 +0000`,
    `+++ ${merged ?? ''}\t2026-11-27 10:00:00.000000000 +0000`,
    '@@ -1,9 +1,9 @@',
    ...lines,
    '',
  ].join('\n');
}

describe('what an apply would change', () => {
  test('is each object, before and after, with all of its lines', () => {
    const changed = section('v1.ConfigMap.net.cfg', ' kind: ConfigMap', ' data:', '-  a: "1"', '+  a: "2"', '+  /: x');
    const made = section('apps.v1.DaemonSet.net.agent', '+kind: DaemonSet', '\\ No newline at end of file');
    expect(parse(1, changed + made)).toEqual({
      kind: 'compared',
      objects: [
        {
          name: 'v1.ConfigMap.net.cfg',
          before: 'kind: ConfigMap\ndata:\n  a: "1"\n',
          after: 'kind: ConfigMap\ndata:\n  a: "2"\n  /: x\n',
        },
        { name: 'apps.v1.DaemonSet.net.agent', before: undefined, after: 'kind: DaemonSet\n' },
      ],
    });
  });

  test('is nothing where kubectl finds nothing, and where only what the API server counts differs', () => {
    expect(parse(0, '')).toEqual({ kind: 'compared', objects: [] });
    const counted = [
      ' metadata:',
      '-  generation: 3',
      '+  generation: 4',
      '-  resourceVersion: "9"',
      '+  resourceVersion: "10"',
      '-  uid: a',
      '+  uid: b',
      '+  creationTimestamp: "2026"',
      '+  selfLink: /x',
      '   managedFields:',
      '-  - manager: kubectl',
      '-    operation: Update',
      '+  - manager: provision',
      '   name: agent',
      ' status:',
      '-  ready: 1',
      '-  conditions:',
      '-  - type: A',
      '+  ready: 2',
      ' spec: {}',
    ];
    expect(parse(1, section('x', ...counted))).toEqual({ kind: 'compared', objects: [] });
  });

  test.each([
    ['a name of its metadata', [' metadata:', '-  name: a', '+  name: b', '   uid: x']],
    ['a field of the same name elsewhere', [' spec:', '-  generation: 3', '+  generation: 4']],
    ['what comes after its status', [' status:', '   ready: 1', '-spec: 1', '+spec: 2']],
    ['what is within its metadata, and deeper', [' metadata:', '   labels:', '-    uid: a', '+    uid: b']],
    [
      'what comes after a counted list',
      [' metadata:', '   managedFields:', '   - manager: x', '-  zone: 1', '+  zone: 2'],
    ],
    ['the status of an entry of a list', [' items:', ' - a: 1', '-  status: 1', '+  status: 2']],
    ['a list of the top level', [' status:', ' - x', ' items:', '-- a: 1', '+- a: 2']],
  ])('is %s', (_, lines) => {
    const found = parse(1, section('x', ...lines));
    expect(found).toMatchObject({ kind: 'compared', objects: [{ name: 'x' }] });
    const [object] = found?.kind === 'compared' ? found.objects : [];
    expect(object?.before).not.toBe(object?.after);
  });

  test('has no more of its status than that it is left out', () => {
    const found = parse(
      1,
      section('x', ' kind: A', '-spec: 1', '+spec: 2', ' status:', ' - a', '   deep: 1', ' last: 1'),
    );
    expect(found).toEqual({
      kind: 'compared',
      objects: [{ name: 'x', before: 'kind: A\nspec: 1\nlast: 1\n', after: 'kind: A\nspec: 2\nlast: 1\n' }],
    });
  });

  test('is of no section that names nothing', () => {
    expect(parse(1, 'diff -N\n-a\n+b\n')).toEqual({ kind: 'compared', objects: [] });
  });
});

describe('what cannot be compared', () => {
  test.each<[string, number, string, ManifestDiff]>([
    ['an error', 2, 'Warning: old\nerror: no route', { kind: 'failed', reason: 'error: no route' }],
    [
      'an error beside a difference',
      1,
      `${section('x', '-a', '+b')}Error from server: no`,
      { kind: 'failed', reason: 'Error from server: no' },
    ],
    ['an error though it ended well', 0, 'Unable to connect', { kind: 'failed', reason: 'Unable to connect' }],
    ['an error of its own words', 1, 'The Pool "a" is invalid', { kind: 'failed', reason: 'The Pool "a" is invalid' }],
    [
      'a conflict',
      1,
      'error: Apply failed with 1 Conflict: x',
      { kind: 'conflict', reason: 'error: Apply failed with 1 Conflict: x' },
    ],
    ['other words', 3, '\nkilled\n', { kind: 'failed', reason: 'killed' }],
    ['no words', 137, '\n', { kind: 'failed', reason: 'status 137' }],
    ['too many words', 2, `error: ${'x'.repeat(500)}`, { kind: 'failed', reason: `error: ${'x'.repeat(393)}` }],
  ])('is %s', (_, status, text, expected) => {
    expect(parse(status, text)).toEqual(expected);
  });

  test.each(['', '1', 'x 1 YQ==', '1 YQ== x', '1  YQ==', '-1 YQ=='])('an answer like %j is none', (line) => {
    expect(() => manifestDiff.parse(line, [KEY])).toThrow('no difference came back');
  });
});

test('its evidence tells two answers apart, and shows none of it', () => {
  const evidence = (reason: string): unknown => manifestDiff.evidence?.({ kind: 'failed', reason });
  expect(evidence('a')).toMatch(/^[0-9a-f]{64}$/);
  expect(evidence('a')).not.toBe(evidence('b'));
});
