import { describe, expect, test } from '@jest/globals';
import { checkLeftKeys } from '../../../src/checks/left-keys.js';
import type { CheckItem } from '../../../src/checks/check.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { contextOf, UNREACHABLE } from '../../support/check-context.js';
import type { FakeAnswers } from '../../support/fake-probe.js';
import { SAMPLE_CLUSTER } from '../../support/sample-cluster.js';

const [PLANE] = SAMPLE_CLUSTER.controlPlanes;
const [MEMBER] = SAMPLE_CLUSTER.members;
if (PLANE === undefined || MEMBER === undefined) throw new Error('the sample has a control plane and a member');
const CLUSTER: Cluster = {
  ...SAMPLE_CLUSTER,
  controlPlanes: ['cp-1', 'cp-2'].map((host) => ({ ...PLANE, host })),
};
const DIRECTORY = '/etc/kubernetes/pki/etcd';
const ALL = ['ca', 'server', 'peer', 'healthcheck-client'].map((name) => `${DIRECTORY}/${name}.key`);

const APISERVER = '/etc/kubernetes/manifests/kube-apiserver.yaml';

type Host = readonly string[] | 'stacked' | 'away';

function files(left: readonly string[], isStacked = false): FakeAnswers {
  const keys = ALL.map((path): [string, boolean] => [path, left.some((name) => path === `${DIRECTORY}/${name}.key`)]);
  return {
    paths: { '/etc/kubernetes/manifests/etcd.yaml': isStacked, ...Object.fromEntries(keys) },
    'etcd-processes': { etcd: { processes: [], etcdctl: undefined } },
    'file-contents': { [APISERVER]: '- --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key\n' },
  };
}

async function found(seen: Readonly<Record<string, Host>>, cluster = CLUSTER): Promise<readonly CheckItem[]> {
  const answers = Object.entries(seen).map(([host, each]): [string, FakeAnswers | typeof UNREACHABLE] => [
    host,
    each === 'away' ? UNREACHABLE : each === 'stacked' ? files(['ca', 'server'], true) : files(each),
  ]);
  return checkLeftKeys(contextOf(Object.fromEntries(answers), { cluster }));
}

describe('keys that a stacked member has left', () => {
  test.each<readonly [string, Readonly<Record<string, Host>>, readonly string[]]>([
    ['none', { 'cp-1': [], 'cp-2': [] }, []],
    ['of one host', { 'cp-1': ['ca', 'peer'], 'cp-2': [] }, ['cp-1']],
    ['of both', { 'cp-1': ['ca'], 'cp-2': ['healthcheck-client'] }, ['cp-1', 'cp-2']],
    ['one is stacked yet: there is a way back', { 'cp-1': ['ca'], 'cp-2': 'stacked' }, []],
    ['one is away, and may be stacked yet', { 'cp-1': ['ca'], 'cp-2': 'away' }, []],
  ])('%s', async (_, seen, hosts) => {
    expect((await found(seen)).map(({ host }) => host)).toEqual(hosts);
  });

  test('on hosts of members nobody looks: they may be run with them; who has left is asked, too', async () => {
    const at = (host: string) => ({ ...MEMBER, host });
    const formerNodes = [{ host: 'old', address: '10.0.0.9' }];
    const kubernetes = { ...CLUSTER.kubernetes, formerNodes };
    const cluster = {
      ...CLUSTER,
      members: [at('etcd-9'), at('cp-1')],
      formerMembers: [at('cp-2'), at('gone')],
      kubernetes,
    };
    const items = await found({ 'cp-2': [], gone: ['ca'], old: ['server'] }, cluster);
    expect(items.map(({ host }) => host)).toEqual(['gone', 'old']);
  });

  test('are in use where etcd runs in another way, or an API server is given one', async () => {
    const check = async (more: FakeAnswers): Promise<readonly (string | undefined)[]> => {
      const hosts = { 'cp-1': { ...files(['ca', 'healthcheck-client']), ...more }, 'cp-2': files([]) };
      return (await checkLeftKeys(contextOf(hosts, { cluster: CLUSTER }))).map(({ evidence }) => evidence);
    };
    expect(await check({ 'etcd-processes': { etcd: { processes: [{}], etcdctl: undefined } } })).toEqual([]);
    const [left] = await check({
      'file-contents': { [APISERVER]: `- --etcd-keyfile=${DIRECTORY}/healthcheck-client.key` },
    });
    expect(left).toMatch(/its keys are left: ca\.key$/);
    const elsewhere = { ...MEMBER, host: 'cp-1', manifest: '/srv/manifests/etcd.yaml' };
    const hosts = { 'cp-1': files(['ca']), 'cp-2': files([]) };
    const paths = { ...hosts['cp-1']['paths'], '/srv/manifests/etcd.yaml': true };
    const context = contextOf(
      { ...hosts, 'cp-1': { ...hosts['cp-1'], paths } },
      {
        cluster: {
          ...CLUSTER,
          controlPlanes: CLUSTER.controlPlanes.slice(0, 1),
          formerMembers: [{ ...MEMBER, host: 'cp-2' }, elsewhere],
        },
      },
    );
    expect(await checkLeftKeys(context)).toEqual([]);
  });

  test('come with what to type', async () => {
    expect(await found({ 'cp-1': ['ca', 'peer'], 'cp-2': [] })).toEqual([
      {
        ...{ check: 'etcd-keys-left', host: 'cp-1', subject: DIRECTORY, verdict: 'warn' },
        evidence: 'no member of etcd runs there any more, and its keys are left: ca.key, peer.key',
        next: `move them aside, then to where you keep keys (docs/runbooks/stacked-to-external.md): ssh cp-1 'sudo install -d -m 0700 /root/etcd-keys && sudo mv -t /root/etcd-keys ${DIRECTORY}/ca.key ${DIRECTORY}/peer.key'`,
      },
    ]);
  });
});
