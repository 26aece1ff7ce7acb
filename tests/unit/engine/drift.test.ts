import { describe, expect, test } from '@jest/globals';
import { describeStep, driftedSteps, essenceOf } from '../../../src/engine/drift.js';
import { stepToJson } from '../../../src/engine/plan-json.js';
import type { Action, IssueCertificate, WriteFile } from '../../../src/model/action.js';
import type { Change } from '../../../src/model/change.js';
import { plainContent } from '../../../src/model/content.js';
import type { PlannedStep } from '../../../src/model/plan.js';
import { SERVER_PROFILE } from '../../support/test-authority.js';

const FILE: WriteFile = {
  ...{ kind: 'write-file', path: '/etc/x', content: plainContent('a\n'), validate: 'check "$1"' },
  ...{ owner: 'root', group: 'root', mode: '0600', stagingDirectory: '/etc' },
};
const command = { summary: 'restart etcd', script: 'systemctl restart etcd', stdin: 'a', timeoutMs: 1000 };
const RUN = { kind: 'run', command, undo: command } as const satisfies Action;
const LEAF: IssueCertificate = {
  ...{ kind: 'issue-certificate', certificate: 'etcd-server', owner: 'etcd', group: 'etcd', mode: '0600' },
  destination: { layout: 'bundle', path: '/etc/x' },
  profile: SERVER_PROFILE,
};
const WAIT = { kind: 'await', gate: 'etcd-healthy', parameters: { url: 'a' } } as const satisfies Action;
const TRUST = { kind: 'install-trust', path: '/a', owner: 'root', group: 'root', mode: '0644' } as const;
const AUTHORITY = {
  kind: 'create-authority',
  profile: { commonName: 'ca', days: 1, keyType: 'ecdsa-p256' },
} as const satisfies Action;

function step(actions: readonly Action[], more: Partial<Change> = {}, address = 'file:/etc/x'): PlannedStep {
  const change = { summary: 'update /etc/x', diff: [], actions, effect: 'change' as const, disruptive: false, ...more };
  return { address, outcome: { kind: 'change', change } };
}

const unknown = (because: string, address = 'file:/etc/x'): PlannedStep => ({
  address,
  outcome: { kind: 'unknown', because },
});

describe('a step drifted where what it would do differs, under the same summary', () => {
  test.each<readonly [string, Action, Action]>([
    ['the content of a file', FILE, { ...FILE, content: plainContent('b\n') }],
    ['its path', FILE, { ...FILE, path: '/etc/y' }],
    ['its mode', FILE, { ...FILE, mode: '0644' }],
    ['its owner', FILE, { ...FILE, owner: 'etcd' }],
    ['its group', FILE, { ...FILE, group: 'etcd' }],
    ['its check', FILE, { ...FILE, validate: undefined }],
    ['its stage', FILE, { ...FILE, stagingDirectory: undefined }],
    ['a script', RUN, { ...RUN, command: { ...command, script: 'reboot' } }],
    ['what a script reads', RUN, { ...RUN, command: { ...command, stdin: 'b' } }],
    ['its time', RUN, { ...RUN, command: { ...command, timeoutMs: 2000 } }],
    ['how it is rolled back', RUN, { ...RUN, undo: { ...command, script: 'reboot' } }],
    ['that it is rolled back', RUN, { ...RUN, undo: 'nothing' }],
    ['that it lasts', { ...RUN, undo: 'nothing' }, { ...RUN, undo: { lasting: 'stays' } }],
    ['the names of a leaf', LEAF, { ...LEAF, profile: { ...SERVER_PROFILE, dnsNames: ['evil'] } }],
    ['the key of a leaf', LEAF, { ...LEAF, profile: { ...SERVER_PROFILE, keepPublicKey: 'AAAA' } }],
    ['the place of a leaf', LEAF, { ...LEAF, destination: { layout: 'bundle', path: '/tmp/x' } }],
    ['the mode of a key', LEAF, { ...LEAF, mode: '0644' }],
    ['the gate', WAIT, { ...WAIT, gate: 'vip-answers' }],
    ['what a gate is given', WAIT, { ...WAIT, parameters: { url: 'b' } }],
    ['where the authority is put', TRUST, { ...TRUST, path: '/b' }],
    ['the life of an authority', AUTHORITY, { ...AUTHORITY, profile: { ...AUTHORITY.profile, days: 2 } }],
    ['the kind of action', { kind: 'remove-file', path: '/etc/x' }, FILE],
  ])('%s', (_, was, is) => {
    expect(essenceOf(step([was]))).not.toBe(essenceOf(step([is])));
    expect(essenceOf(step([was]))).toBe(essenceOf(step([was])));
    expect(driftedSteps([step([was])], [step([is])], 'none')).toHaveLength(1);
    expect(driftedSteps([step([is])], [step([is])], 'none')).toEqual([]);
  });

  test('one action more, one less, or another order', () => {
    const all = [[FILE], [RUN], [FILE, RUN], [RUN, FILE], []].map((actions) => essenceOf(step(actions)));
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a step drifted', () => {
  test('where its summary differs, and not where only the diff does: that shows how the host was', () => {
    expect(essenceOf(step([FILE], { summary: 'create /etc/x' }))).not.toBe(essenceOf(step([FILE])));
    expect(essenceOf(step([FILE], { diff: ['- old'] }))).toBe(essenceOf(step([FILE])));
  });

  test('no more where this run has done a part of it already, and what is left was agreed to', () => {
    const [planned, left] = [step([FILE, RUN], { summary: 'now: 0' }), step([FILE], { summary: 'now: 1' })];
    expect(driftedSteps([planned], [left], 'begun')).toEqual([]);
    expect(driftedSteps([planned], [left], 'none')).toHaveLength(1);
    expect(driftedSteps([left], [planned], 'begun')).toHaveLength(1);
    expect(driftedSteps([planned], [step([RUN, FILE])], 'begun')).toHaveLength(1);
    const more = step([FILE, RUN, WAIT]);
    expect(driftedSteps([more], [step([FILE, WAIT])], 'begun')).toEqual([]);
    expect(driftedSteps([more], [step([WAIT, FILE])], 'begun')).toHaveLength(1);
    expect(driftedSteps([more], [step([RUN, RUN])], 'begun')).toHaveLength(1);
    expect(driftedSteps([planned], [step([{ ...FILE, mode: '0666' }])], 'begun')).toHaveLength(1);
  });

  test('no more where this run has installed some of its packages already, and of others it does', () => {
    const installing = (...installs: readonly string[]): PlannedStep =>
      step([{ ...RUN, command: { ...command, script: installs.join(' ') } }], { installs });
    const planned = installing('haproxy=1', 'keepalived=2');
    expect(driftedSteps([planned], [installing('haproxy=1')], 'begun')).toEqual([]);
    expect(driftedSteps([planned], [installing('haproxy=1')], 'none')).toHaveLength(1);
    expect(driftedSteps([planned], [installing('haproxy=9')], 'begun')).toHaveLength(1);
    expect(driftedSteps([planned], [installing('haproxy=1', 'nginx=1')], 'begun')).toHaveLength(1);
    expect(driftedSteps([installing('haproxy=1')], [planned], 'begun')).toHaveLength(1);
    // All of them, in another way: no part of what was agreed to.
    const otherwise = step([RUN], { installs: ['haproxy=1', 'keepalived=2'] });
    expect(driftedSteps([planned], [otherwise], 'begun')).toHaveLength(1);
  });

  test('where it is read back from a saved plan no other than as it is', () => {
    expect(essenceOf(stepToJson(step([FILE, RUN, LEAF])))).toBe(essenceOf(step([FILE, RUN, LEAF])));
    expect(essenceOf(stepToJson(step([FILE])))).not.toBe(essenceOf(step([{ ...FILE, mode: '0644' }])));
  });

  test('where nothing was agreed to, or nothing but a change of another address', () => {
    const now = step([FILE]);
    const line = 'file:/etc/x: now update /etc/x; planned: nothing to do';
    expect(driftedSteps([], [now], 'none')).toEqual([line]);
    expect(driftedSteps([step([FILE], {}, 'file:/etc/y')], [now], 'none')).toEqual([line]);
    expect(essenceOf(undefined)).not.toBe(essenceOf(now));
    expect(essenceOf(undefined)).not.toBe(essenceOf(unknown('x')));
  });

  test('where a change that was agreed to is not known any more', () => {
    expect(driftedSteps([step([FILE])], [unknown('etcd is not installed')], 'none')).toEqual([
      'file:/etc/x: now unknown (etcd is not installed); planned: update /etc/x',
    ]);
  });

  test('nowhere that was unknown before, and whatever is not to be done any more', () => {
    expect(driftedSteps([unknown('later')], [step([FILE])], 'none')).toEqual([]);
    expect(driftedSteps([unknown('later')], [unknown('still')], 'none')).toEqual([]);
    expect(driftedSteps([step([FILE])], [], 'none')).toEqual([]);
  });

  test('for each step by itself, in the order of now', () => {
    const at = (address: string, mode: string): PlannedStep => step([{ ...FILE, mode }], { summary: mode }, address);
    const planned = [at('a', '0600'), at('b', '0600'), at('c', '0600')];
    expect(driftedSteps(planned, [at('c', '0644'), at('b', '0600'), at('a', '0640')], 'none')).toEqual([
      'c: now 0644; planned: 0600',
      'a: now 0640; planned: 0600',
    ]);
  });

  test('is described in words, from a plan and from its JSON', () => {
    const steps = [step([FILE]), unknown('later')];
    expect(steps.map(describeStep)).toEqual(['update /etc/x', 'unknown (later)']);
    expect(steps.map(stepToJson).map(describeStep)).toEqual(['update /etc/x', 'unknown (later)']);
  });
});
