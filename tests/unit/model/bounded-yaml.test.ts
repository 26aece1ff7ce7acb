import { expect, test } from '@jest/globals';
import { settingsOf } from '../../../src/adopt/etcd-settings.js';
import type { EtcdProcess } from '../../../src/facts/etcd-process.js';
import { readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import { rivalFiles } from '../../../src/facts/static-pods.js';
import { parseBoundedYaml, YamlLimitError } from '../../../src/model/bounded-yaml.js';
import { externalEndpoints, withExternalEndpoint } from '../../../src/resources/cluster-configuration.js';

const ETCD: EtcdProcess = {
  pid: 1,
  program: '/usr/bin/etcd',
  argv: ['etcd'],
  environment: new Map(),
  workingDirectory: '/',
  startedBy: { kind: 'other', cgroup: '/' },
};

const BOMB = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
  ...[...Array(9).keys()].map((level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}*a${level}]`),
].join('\n');

const HOSTILE: readonly (readonly [string, string])[] = [
  ['brackets', '['.repeat(100_000)],
  ['braces', '{a: '.repeat(100_000)],
  ['dashes', '- '.repeat(100_000)],
  ['dashes with tags', '- !t '.repeat(100_000)],
  ['dashes with anchors', '- &a '.repeat(100_000)],
  ['dashes with tabs', '-\t'.repeat(100_000)],
  ['explicit keys', '? : '.repeat(100_000)],
  ['tags', '!t '.repeat(100_000)],
  ['indents', [...Array(1000).keys()].map((level) => `${' '.repeat(level)}a:\n`).join('')],
  ['aliases of aliases', BOMB],
  ['size', `a: ${'x'.repeat(2_000_000)}`],
];

test.each(HOSTILE)('%s are refused before or after parsing, with a place', (_, text) => {
  expect(() => parseBoundedYaml(text)).toThrow(YamlLimitError);
});

test.each(HOSTILE)('%s from a host end no reader of hosts', (_, text) => {
  expect(() => readStaticPodManifest('/m.yaml', text, 'kube-apiserver')).toThrow(/^\/m\.yaml: (is|holds)/);
  expect(rivalFiles([{ name: 'a', text }], 'a', 'kube-apiserver')).toEqual([]);
  expect(externalEndpoints(text)).toBeUndefined();
  expect(() => withExternalEndpoint(text, 'https://10.0.0.1:2379')).toThrow(/kubeadm-config/);
  expect(() => settingsOf(ETCD, { path: '/etc/etcd.yaml', text })).toThrow(/^\/etc\/etcd\.yaml:\d+:\d+: /);
});

test('an alias that holds itself is left to whoever reads it', () => {
  expect(parseBoundedYaml('a: &a [*a]').errors).toEqual([]);
});

test('what people write is read', () => {
  const text = `a: &a { b: [c, d] }\n${[...Array(1000).keys()].map((index) => `k${index}: *a\n`).join('')}`;
  expect(parseBoundedYaml(text).toJS({ maxAliasCount: -1 })).toMatchObject({ k999: { b: ['c', 'd'] } });
});
