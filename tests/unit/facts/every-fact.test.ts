import { readdirSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { etcdIdentity } from '../../../src/facts/etcd-identity.js';
import { keyProof } from '../../../src/facts/key-proof.js';
import type { Fact } from '../../../src/model/remote.js';

const DIRECTORY = new URL('../../../src/facts/', import.meta.url);

function isFact(value: unknown): value is Fact<unknown> {
  return typeof value === 'object' && value !== null && 'script' in value && 'parse' in value;
}

let facts: readonly Fact<unknown>[] = [];
beforeAll(async () => {
  // One after the other: they share modules.
  for (const file of readdirSync(DIRECTORY).filter((name) => name.endsWith('.ts'))) {
    const module = (await import(new URL(file, DIRECTORY).href)) as Readonly<Record<string, unknown>>;
    facts = [...facts, ...Object.values(module).filter(isFact)];
  }
});

test('every fact has a name of its own', () => {
  const names = facts.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(30);
  expect([...new Set(names)]).toEqual(names);
  expect(names.filter((name) => !/^[a-z][a-z-]+$/.test(name))).toEqual([]);
});

// Texts of files, and words of processes: a password stands in them where somebody put it there.
test('answers that may hold secrets are shown in no error', () => {
  const confidential = facts.filter(({ isConfidential }) => isConfidential === true);
  expect(confidential.map(({ name }) => name).toSorted()).toEqual([
    'apiserver-objects',
    'apiserver-processes',
    'etcd-processes',
    'file-contents',
    'kube-proxy-processes',
    'kubeadm-config',
    'kubeconfig-answers',
    'kubelet-processes',
    'manifest-diffs',
    'static-pod-files',
    'unit-commands',
  ]);
});

// What a plan was decided on is compared before it is applied: facts about what others may change meanwhile.
test('what a saved plan keeps of what was there', () => {
  const kept = facts.filter((fact) => 'evidence' in fact);
  expect(kept.map(({ name }) => name).toSorted()).toEqual([
    'apt-sources',
    'apt-upgrade',
    'certificate-files',
    'directory-ways',
    'etcd-installed',
    'file-contents',
    'file-states',
    'groups',
    'has-content',
    'kernel-modules',
    'kubeconfig-certificates',
    'manifest-diffs',
    'packages',
    'paths',
    'pending-reboot',
    'swaps',
    'sysctls',
    'units',
    'users',
  ]);
});

test.each([
  ['xP 0 c2ln', undefined],
  ['P 0 c2ln x', undefined],
  ['P 1 c2ln', undefined],
  ['noise\nP 0 c2ln\nnoise', 'sig'],
])('an answer is a line of its own: %j', (stdout, expected) => {
  const key = JSON.stringify(['/k', 'statement']);
  expect(keyProof.parse(stdout, [key]).get(key)?.toString()).toBe(expected);
  const identity = etcdIdentity.parse(stdout.replace('P ', 'I '), [key]).get(key);
  // What came back is no gRPC; it is read all the same where it is the answer.
  expect(identity?.kind === 'silent' && identity.reason !== 'nothing came back').toBe(expected !== undefined);
});
