import { expect, test } from '@jest/globals';
import { settingsOf } from '../../../src/adopt/etcd-settings.js';
import type { EtcdProcess } from '../../../src/facts/etcd-process.js';
import { readStaticPodManifest } from '../../../src/facts/static-pod-manifest.js';
import { rivalFiles } from '../../../src/facts/static-pods.js';
import { parseBoundedYaml, plainData, YamlLimitError } from '../../../src/model/bounded-yaml.js';
import {
  externalEndpoints,
  withControlPlaneEndpoint,
  withExternalEndpoint,
  withExternalEtcd,
} from '../../../src/resources/cluster-configuration.js';

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

// A container's environment may hold keys, and a host chooses what its files say.
const PLANTED = 'hunter2';
const SPOILED: readonly (readonly [what: string, text: string])[] = [
  ['a colon in a plain value', `a:\n  value: S3cret: ${PLANTED}`],
  ['no YAML token', `a: b\n%${PLANTED} x\n`],
  ['a reserved character', `a: @${PLANTED}`],
  ['a quote that does not end', `a: "${PLANTED}`],
  ['an escape that is none', `a: "\\x${PLANTED}"`],
  ['a tag that nobody knows', `a: !<${PLANTED}> [`],
  ['a block header with more', `a: |${PLANTED}\n  x\n`],
  ['a key twice', `${PLANTED}: 1\n${PLANTED}: 2`],
  ['an alias without its anchor', `a: *${PLANTED}`],
  ['a bracket that is not closed', `a: [${PLANTED}`],
];

function saidBy(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return `${String(error)} ${String((error as { hint?: unknown }).hint)} ${String((error as Error).cause)}`;
  }
  return '';
}

test.each(SPOILED)('an error of a text from outside says where and not what: %s', (_, text) => {
  const document = parseBoundedYaml(text);
  const said = [
    ...document.errors.map(({ message }) => message),
    saidBy(() => plainData(document)),
    saidBy(() => readStaticPodManifest('/m.yaml', text, 'kube-apiserver')),
    saidBy(() => settingsOf(ETCD, { path: '/etc/etcd.yaml', text })),
    saidBy(() => withExternalEndpoint(text, 'https://x')),
    saidBy(() => withExternalEtcd(text, { url: 'https://x', files: { ca: '/a', certificate: '/b', key: '/c' } })),
    saidBy(() => withControlPlaneEndpoint(text, { ip: '192.0.2.1', name: undefined, port: 6443 })),
  ];
  expect(said.filter((each) => each !== '').length).toBeGreaterThan(1);
  expect(said.join('\n')).not.toContain(PLANTED);
});

test('the words of a person’s own file are shown: so would those of others be, by a library that nobody has told', () => {
  const said = SPOILED.map(([, text]) => parseBoundedYaml(text, { words: 'own' }).errors.map(({ message }) => message));
  expect(said.flat().join('\n')).toContain(PLANTED);
});
