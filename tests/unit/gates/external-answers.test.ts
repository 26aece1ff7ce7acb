import { describe, expect, test } from '@jest/globals';
import { etcdIdentityKey, type EtcdIdentity } from '../../../src/facts/etcd-identity.js';
import { etcdStatusKey, type EtcdStatus } from '../../../src/facts/etcd-status.js';
import { httpsKey, type HttpsAnswer } from '../../../src/facts/https-answer.js';
import { externalAnswers } from '../../../src/gates/external-answers.js';
import { gateTable } from '../../../src/gates/table.js';
import type { Cluster } from '../../../src/model/cluster.js';
import type { ExternalBalancer } from '../../../src/model/etcd-way.js';
import type { GateAnswer, GateInput } from '../../../src/model/gate.js';
import { healthy } from '../../support/etcd-answers.js';
import { fakeProbes, UNREACHABLE, type FakeAnswers } from '../../support/fake-probe.js';
import { gateInput } from '../../support/gate-input.js';
import { sampleMember, withExternal } from '../../support/sample-cluster.js';
import { TODAY } from '../../support/test-authority.js';

const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const FILES = { ca: '/pki/ca.crt', certificate: '/pki/etcd.crt', key: '/pki/etcd.key' };
const TEXT = `spec:
  containers:
  - name: kube-apiserver
    command:
    - kube-apiserver
    - --etcd-servers=https://10.0.0.1:2379
    - --etcd-cafile=${FILES.ca}
    - --etcd-certfile=${FILES.certificate}
    - --etcd-keyfile=${FILES.key}
`;
const GOOD: HttpsAnswer = { kind: 'answer', status: 200, body: '{"health":"true"}' };

/** Of the sample cluster, unless said otherwise. */
function answering(clusterId = '77', memberId = '2', revision = 40): EtcdIdentity {
  return { kind: 'answers', clusterId, memberId, leaderId: '1', revision };
}

/** What is found at one address of the balancer; `''`: at the address of the URL itself. */
type Found = Readonly<Record<string, { readonly answer?: HttpsAnswer; readonly identity?: EtcdIdentity }>>;

function asker(url: string, found: Found, files: typeof FILES): FakeAnswers {
  const at = Object.entries(found).map(([address, { answer = GOOD, identity = answering() }]) => {
    const to = address === '' ? {} : { connectTo: address };
    return {
      https: [httpsKey({ url: `${url}/health?exclude=NOSPACE`, ...files, ...to }), answer] as const,
      grpc: [etcdIdentityKey({ url, ...files, ...to }), identity] as const,
    };
  });
  return {
    'file-contents': { [MANIFEST]: TEXT },
    paths: Object.fromEntries(Object.values(files).map((file) => [file, true])),
    'https-answers': Object.fromEntries(at.map(({ https }) => https)),
    'etcd-identities': Object.fromEntries(at.map(({ grpc }) => grpc)),
    'name-addresses': { 'balancer.example': Object.keys(found).filter((address) => address !== '') },
  };
}

function memberSays(number: number, status: EtcdStatus = healthy(number)): FakeAnswers {
  return { 'etcd-status': { [etcdStatusKey(sampleMember(number))]: status } };
}

const MEMBERS = { 'etcd-1': memberSays(1), 'etcd-2': memberSays(2), 'etcd-3': memberSays(3) };
const SILENT: EtcdStatus = { kind: 'silent', reason: 'refused' };

interface Stage {
  readonly external?: Partial<ExternalBalancer>;
  readonly members?: Readonly<Record<string, FakeAnswers>>;
  readonly about?: Partial<GateInput>;
}

async function check(found: Found, { external = {}, members = MEMBERS, about = {} }: Stage = {}): Promise<GateAnswer> {
  const cluster = withExternal(external);
  const url = `https://${cluster.external?.ip ?? 'balancer.example'}:2379`;
  const gate = gateOf(cluster);
  return gate.check(gateInput(fakeProbes({ 'cp-1': asker(url, found, FILES), ...members }), about));
}

function gateOf(cluster: Cluster): ReturnType<typeof externalAnswers> {
  if (cluster.external === undefined) throw new Error('the sample has one');
  return externalAnswers('vip-answers-control-planes', cluster.external, cluster);
}

const BY_NAME = { ip: undefined };

describe('the way through a balancer that others run', () => {
  test.each<readonly [string, Found, Stage]>([
    ['at its address', { '': {} }, {}],
    ['at each address of its name', { '10.9.0.1': {}, '10.9.0.2': {} }, { external: BY_NAME }],
    ['while a member is away', { '': {} }, { members: { ...MEMBERS, 'etcd-3': UNREACHABLE } }],
    ['while a member lags', { '': { identity: answering('77', '3', 30) } }, {}],
  ])('is open where this etcd answers %s', async (_, found, stage) => {
    expect(await check(found, stage)).toEqual({ open: true, note: 'asked from cp-1' });
  });

  test.each<readonly [string, Found, Stage, RegExp]>([
    [
      'nothing answers',
      { '': { answer: { kind: 'failure', reason: 'curl: (7) refused' } } },
      {},
      /^from cp-1, https:\/\/10\.9\.0\.1:2379 fails: curl: \(7\) refused \(shown \/pki\/etcd\.crt/,
    ],
    [
      'one of its addresses does not answer',
      { '10.9.0.1': {}, '10.9.0.2': { answer: { kind: 'failure', reason: 'curl: (28) timed out' } } },
      { external: BY_NAME },
      /^from cp-1, https:\/\/balancer\.example:2379 at 10\.9\.0\.2 fails: curl: \(28\) timed out/,
    ],
    ['its name has no address', {}, { external: BY_NAME }, /^cp-1 finds no address of balancer\.example$/],
    [
      'it speaks no gRPC',
      { '': { identity: { kind: 'silent', reason: 'no etcd answers' } } },
      {},
      /fails: no etcd answers/,
    ],
    [
      'etcd has no quorum there',
      { '': { answer: { kind: 'answer', status: 503, body: '{"health":"false"}' } } },
      {},
      /answers 503/,
    ],
    [
      'most members can’t be asked',
      { '': {} },
      { members: { ...MEMBERS, 'etcd-2': memberSays(2, SILENT), 'etcd-3': UNREACHABLE } },
      /whether that is this one is not known, for most members do not answer: etcd-2: refused; etcd-3: /,
    ],
  ])('waits where %s', async (_, found, stage, reason) => {
    const answer = await check(found, stage);
    const [at, who] =
      stage.external === undefined ? ['10.9.0.1', 'balancer.example'] : ['balancer.example', 'balancer.example'];
    expect(answer).toMatchObject({ open: false, isFinal: false, reason: expect.stringMatching(reason) as unknown });
    expect(answer).toMatchObject({
      next: `curl -vk https://${at}:2379   on cp-1; the balancer of ${who} must pass TCP on to 10.0.0.1:2379, 10.0.0.2:2379, 10.0.0.3:2379`,
    });
  });

  test.each<readonly [string, Found, Stage]>([
    ['another cluster', { '': { identity: answering('78') } }, {}],
    ['a copy with other data', { '': { identity: answering('77', '2', 90_000) } }, {}],
    ['a member that this cluster does not list', { '': { identity: answering('77', '9') } }, {}],
    [
      'another cluster at one of its addresses',
      { '10.9.0.1': {}, '10.9.0.2': { identity: answering('78') } },
      { external: BY_NAME },
    ],
    [
      'another cluster, which one member claims to be in',
      { '': { identity: answering('78') } },
      { members: { ...MEMBERS, 'etcd-1': memberSays(1, healthy(1, { clusterId: '78' })) } },
    ],
  ])('is closed for good where %s answers', async (_, found, stage) => {
    expect(await check(found, stage)).toMatchObject({
      open: false,
      isFinal: true,
      reason: expect.stringMatching(
        /, not by this one \(etcd-1: cluster 4[de] at revision 40, etcd-2: cluster 4d at revision 40, etcd-3: cluster 4d at revision 40\)$/,
      ) as unknown,
    });
  });

  test('half of the members are not most of them', async () => {
    const two = { ...withExternal(), members: [sampleMember(1), sampleMember(2)] };
    const found = { '': { identity: answering('78') } };
    const members = { 'etcd-1': memberSays(1, healthy(1, { clusterId: '78' })), 'etcd-2': memberSays(2) };
    const probes = fakeProbes({ 'cp-1': asker('https://10.9.0.1:2379', found, FILES), ...members });
    expect(await gateOf(two).check(gateInput(probes))).toMatchObject({ open: false, isFinal: true });
  });

  test('waits for every file that the host is to ask with', async () => {
    const cluster = withExternal();
    const bare = {
      ...asker('https://10.9.0.1:2379', { '': {} }, FILES),
      paths: { [FILES.ca]: true, [FILES.certificate]: false, [FILES.key]: false },
    };
    expect(await gateOf(cluster).check(gateInput(fakeProbes({ 'cp-1': bare, ...MEMBERS })))).toMatchObject({
      reason: `cp-1 has no ${FILES.certificate}, ${FILES.key}`,
    });
  });

  test('is asked with the files of a change, and of it alone', async () => {
    const own = { ca: '/new/ca.crt', certificate: '/new/etcd.crt', key: '/new/etcd.key' };
    const cluster = withExternal();
    const probes = fakeProbes({ 'cp-1': asker('https://10.9.0.1:2379', { '': {} }, own), ...MEMBERS });
    const about = { when: 'action', batch: ['cp-1'], arguments: { ...own, url: 'x' } } as const;
    expect(await gateOf(cluster).check(gateInput(probes, about))).toMatchObject({ open: true });
  });

  test('is asked from the members where there is no control plane', async () => {
    const { client } = sampleMember(1);
    const one = asker('https://10.9.0.1:2379', { '': {} }, client);
    const each = Object.fromEntries([1, 2, 3].map((number) => [`etcd-${number}`, { ...one, ...memberSays(number) }]));
    const cluster = { ...withExternal(), controlPlanes: [] };
    expect(await gateOf(cluster).check(gateInput(fakeProbes(each)))).toMatchObject({ open: true });
  });
});

test('gates of a virtual IP of ours are open, and those of the way are this one', async () => {
  const gates = gateTable(withExternal(), () => TODAY);
  const none = gateInput(fakeProbes({ x: {} }));
  for (const name of ['backends-up', 'keepalived-one-holder', 'former-balancers-freed', 'vip-forwards'])
    expect(await gates.get(`${name}: etcd`)?.check(none)).toMatchObject({ open: true });
  // It is a balancer of etcd, and says nothing of the API servers.
  expect(await gates.get('vip-answers: kube-apiserver')?.check(none)).toMatchObject({ open: true });
  const dead = asker('https://10.9.0.1:2379', { '': { answer: { kind: 'failure', reason: 'x' } } }, FILES);
  for (const name of ['vip-answers', 'vip-answers-control-planes']) {
    const answer = await gates.get(`${name}: etcd`)?.check(gateInput(fakeProbes({ 'cp-1': dead, ...MEMBERS })));
    expect(answer).toMatchObject({ open: false });
  }
});
