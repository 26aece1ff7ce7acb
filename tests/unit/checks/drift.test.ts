import { expect, test } from '@jest/globals';
import { checkDrift } from '../../../src/checks/drift.js';
import { runChecks } from '../../../src/checks/run-checks.js';
import { changed, UNCHANGED, type Outcome, type Resource } from '../../../src/model/change.js';
import { ProvisionError, RemoteError } from '../../../src/model/errors.js';
import { contextOf, linesOf, UNREACHABLE } from '../../support/check-context.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

function resource(decide: () => Outcome): Resource {
  return { address: 'file:/x', paths: [], plan: () => Promise.resolve().then(decide) };
}

function change(summary: string): Outcome {
  return changed({ summary, diff: [], actions: [], effect: 'change', disruptive: false });
}

function fails(error: Error): () => Outcome {
  return () => {
    throw error;
  };
}

const UNKNOWN: Outcome = { kind: 'unknown', because: 'a package is missing' };
const gone = new RemoteError({ code: 'unreachable', host: 'etcd-2', message: 'etcd-2: gone' });
const refused = new ProvisionError({ code: 'no-manifest', message: 'there is no manifest\nat all', hint: 'kubeadm' });

test.each<[string, readonly (() => Outcome)[], readonly string[]]>([
  ['none', [() => UNCHANGED, () => UNCHANGED], ['ok drift etcd-1: matches the inventory']],
  ['one change', [() => UNCHANGED, () => change('update a')], ['warn drift etcd-1: 1 change: update a']],
  [
    'many changes',
    ['a', 'b', 'c', 'd', 'e'].map((name) => () => change(name)),
    ['warn drift etcd-1: 5 changes: a; b; c; and 2 more'],
  ],
  ['unknown', [() => UNKNOWN], ['warn drift etcd-1: 1 change: cannot be determined: a package is missing']],
  ['refused', [() => change('a'), fails(refused)], ['fail drift etcd-1: there is no manifest']],
  [
    'it is gone itself, after another one was',
    [fails(gone), fails(new RemoteError({ code: 'unreachable', host: 'etcd-1', message: 'etcd-1: gone' }))],
    [],
  ],
  ['another host is gone', [() => UNCHANGED, fails(gone)], ['warn drift etcd-1: could not be checked without etcd-2']],
])('%s', async (_, decisions, expected) => {
  const resources = new Map([['etcd-1', decisions.map(resource)]]);
  expect(await linesOf(checkDrift, contextOf({ 'etcd-1': {} }, { resources }))).toEqual(expected);
});

test('a bug is no drift', async () => {
  const resources = new Map([['etcd-1', [resource(fails(new TypeError('bug')))]]]);
  await expect(checkDrift(contextOf({ 'etcd-1': {} }, { resources }))).rejects.toThrow('bug');
});

test('a host that cannot be reached is reported once, and its clock is not asked', async () => {
  const hosts = { 'etcd-1': UNREACHABLE, 'etcd-2': UNREACHABLE, 'etcd-3': UNREACHABLE, 'cp-1': UNREACHABLE } as const;
  const resources = new Map([['etcd-1', [resource(() => UNCHANGED)]]]);
  const items = await runChecks(contextOf(hosts, { resources }));
  const lost = items.filter(({ check }) => check === 'host').map(({ host }) => host);
  expect([...lost].sort()).toEqual(['cp-1', ...SAMPLE_CLUSTER.members.map(({ host }) => host)]);
  expect(items.filter(({ check }) => check === 'clock')).toEqual([]);
});
