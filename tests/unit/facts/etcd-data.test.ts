import { expect, test } from '@jest/globals';
import { etcdData, etcdDataKey, type EtcdData } from '../../../src/facts/etcd-data.js';
import { clusterPhase, isUntouchedLoneMember, type MemberState } from '../../../src/facts/etcd-phase.js';
import { fixture } from '../../support/fixture.js';
import { sampleMember } from '../../support/sample-cluster.js';

const key = etcdDataKey(sampleMember(1));

function parse(name: string): EtcdData {
  const found = etcdData.parse(fixture(`facts/etcd-data-${name}.txt`), [key]).get(key);
  if (found === undefined) throw new Error(`nothing read from ${name}`);
  return found;
}

test.each([
  // name, data, configured, untouched
  ['absent', false, false, false],
  ['member', true, true, false],
  ['lone', true, false, true],
  ['lone-without-etcdctl', true, false, true],
  ['written', true, false, false],
  ['stopped', true, false, false],
])('%s', (name, hasData, isConfigured, isUntouched) => {
  const data = parse(name);
  expect(data).toMatchObject({ hasData, isConfigured, isBootstrapping: false });
  expect(isUntouchedLoneMember(data)).toBe(isUntouched);
});

test('an adopted member is never asked whether it is a throw-away: others configured it', () => {
  const data = '/var/lib/etcd/data';
  expect(etcdData.script([etcdDataKey({ dataDir: data, configFile: undefined })])).toContain(
    'words="$words configured"',
  );
});

test('a member with peers on the network is nobody’s throw-away', () => {
  const data = parse('lone');
  const lone = { revision: 1, members: 1, peerUrls: ['https://10.0.0.1:2380'] };
  expect(isUntouchedLoneMember({ ...data, lone })).toBe(false);
});

const NONE: MemberState = {
  host: 'x',
  isRunning: false,
  hasData: false,
  isBootstrapping: false,
  isConfigured: false,
  lone: undefined,
};
const UP: MemberState = { ...NONE, isRunning: true, hasData: true, isConfigured: true };
const DOWN: MemberState = { ...UP, isRunning: false };
const BOOTSTRAPPING: MemberState = { ...UP, isBootstrapping: true };
const LONE: MemberState = { ...NONE, ...{ isRunning: true, ...parse('lone') } };

test.each([
  ['absent', [NONE, NONE, NONE]],
  ['absent', [LONE, NONE, LONE]],
  ['forming', [BOOTSTRAPPING, NONE, NONE]],
  ['forming', [BOOTSTRAPPING, BOOTSTRAPPING, { ...NONE, isBootstrapping: true }]],
  ['serving', [BOOTSTRAPPING, BOOTSTRAPPING, BOOTSTRAPPING]],
  ['serving', [UP, UP, UP]],
  ['serving', [UP, UP, DOWN]],
  ['serving', [UP, UP, NONE]],
  ['down', [UP, DOWN, DOWN]],
  ['down', [UP, NONE, NONE]],
  ['down', [BOOTSTRAPPING, UP, DOWN].map((state) => ({ ...state, isRunning: false }))],
])('a cluster is %s', (phase, members) => {
  expect(clusterPhase({ states: members, away: [] })).toBe(phase);
});

test('the initial cluster is what the environment file names last, without its quotes', () => {
  const key = etcdDataKey({ dataDir: '/d', configFile: '/f' });
  const parse = (text: string): string | undefined => etcdData.parse(text, [key]).get(key)?.initialCluster;
  expect(parse('D data configured\nC a=https://a:1\nC "b=https://b:1"\n')).toBe('b=https://b:1');
  expect(parse('D data\n')).toBeUndefined();
});
